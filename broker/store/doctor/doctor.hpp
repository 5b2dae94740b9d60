// Looks whether the tables of shards keep the engine's promises, and repairs what can be repaired
// safely.
//
// Use:     examine(), show what it found, then repair() with those findings that somebody agreed
//          to.
// Errors:  kUnavailable: a database cannot be reached or a statement failed. What one repair meets
//          is in its outcome.
// Threads: one owner; a session of its own a shard.
// Costs:   one pass over all orders and events of a shard in one snapshot, which holds back vacuum
//          for as long; docs/doctor.md has the times. No lock that anybody waits for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/store/doctor/finding.hpp"
#include "broker/store/doctor/shard_checks.hpp"
#include "ordo/result.hpp"

namespace ordo::doctor {

struct ExamSpec {
  std::map<ShardNumber, std::string> dsns;  ///< one for each shard
  Thresholds limits{};
  Millis statement_timeout{60'000};
  std::size_t kept = 100;  ///< findings of one kind and shard; the rest is counted
};

struct ShardExam {
  ShardNumber shard = 0;
  std::uint64_t orders = 0;
  std::uint64_t events = 0;
  Millis took{0};
  std::map<std::string, std::uint64_t> left_off;  ///< by word: found, and not kept
};

struct Report {
  std::vector<Finding> findings;
  std::vector<ShardExam> shards;
};

Result<Report> examine(const ExamSpec& spec);

struct Outcome {
  std::size_t finding = 0;  ///< its place
  std::string why_not{};    ///< empty: done
};

/// Repairs those findings for which there is something safe to do, each in a transaction of its
/// own that first finds the same again. What needs the shard is refused while a broker owns it.
std::vector<Outcome> repair(const ExamSpec& spec, const std::vector<Finding>& findings,
                            const Signature& signature);

}  // namespace ordo::doctor
