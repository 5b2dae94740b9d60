// Writes the facts that a person wants to read about into the log; the many others are metrics
// only. What works is told at level debug; what does not, at info and above.
//
// Shapes:  fields where they apply: order, pipeline, step, branch, attempt, worker, error, shard,
//          trace_id and span_id, which the worker's lines carry too.
// Rule:    a shard that somebody else owns is tried again all the time: its refusal is said when it
//          changes.
// Bounds:  LineBudget::kLines a second of each kind; what was left out is said in the next line of
//          the kind, or by flush().
// Threads: one owner, the loop.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "base/line_budget.hpp"
#include "base/time.hpp"
#include "broker/core/facts.hpp"

namespace ordo {

class FactLog {
 public:
  void observe(const Fact& fact, Steady now);
  /// Says what was left out of a storm that is over; to be called each second.
  void flush(Steady now);

 private:
  bool is_news(const Fact& fact);

  std::array<LineBudget, kFactWords.size()> budgets_{};
  std::map<ShardNumber, std::string> refusals_;  ///< the last one said of each shard
};

}  // namespace ordo
