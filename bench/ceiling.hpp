// The ceiling: what the shipped commit_batch does when nothing but the shipped encoder drives it.
// What the whole engine reaches is told as a ratio to this, measured in the same run.
//
// Shapes:  one thread and one session a shard, on shards that nobody else owns. An order of `steps`
//          steps is submitted in one commit and each step is completed in a later one, each with
//          full batches; with six steps the second and third run in parallel and the fourth joins
//          them.
// Units:   rates in orders and tasks a second, over `seconds` after `warm_up`.
// Errors:  kUnavailable and the store's own; a commit that refuses anything is kInternal.
// Threads: run_ceiling() starts and joins its own.
#pragma once

#include <string>

#include "ordo/result.hpp"

namespace ordo::bench {

struct CeilingSpec {
  std::string dsn;   ///< a database whose shards are migrated
  int sessions = 2;  ///< shards 0 to sessions - 1
  int batch = 500;   ///< orders a commit
  int steps = 1;     ///< 1 or 6
  int payload_bytes = 100;
  double warm_up = 2;
  double seconds = 10;
};

struct CeilingReport {
  double orders_per_s = 0;
  double tasks_per_s = 0;
  double commits_per_s = 0;
  double worst_second_ratio = 0;  ///< slowest full second ÷ mean
};

Result<CeilingReport> run_ceiling(const CeilingSpec& spec);

}  // namespace ordo::bench
