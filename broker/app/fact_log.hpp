// Writes the facts that a person wants to read about into the log; the many others are metrics
// only.
//
// Rule:    a shard that somebody else owns is tried again all the time: its refusal is said when it
//          changes.
// Bounds:  kLines a second of each kind; what was left out is said in the next line of the kind.
// Threads: one owner, the loop.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.hpp"
#include "broker/core/facts.hpp"

namespace ordo {

class FactLog {
 public:
  void observe(const Fact& fact, Steady now);

 private:
  // A storm of one kind neither fills the disk nor hides the others.
  static constexpr int kLines = 10;
  struct Budget {
    Steady since{};
    int lines = 0;
    std::uint64_t left_out = 0;
  };
  bool is_news(const Fact& fact);
  void write(const Fact& fact, std::uint64_t left_out);

  std::array<Budget, kFactWords.size()> budgets_{};
  std::map<ShardNumber, std::string> refusals_;  ///< the last one said of each shard
};

}  // namespace ordo
