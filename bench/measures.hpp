// The measures: each brings up its own system, measures one thing and gives one JSON line's fields.
//
// Errors:  Result; a system that does not come up says why.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ordo/result.hpp"

namespace ordo::bench {

struct MeasureSpec {
  std::string what;
  int steps = 1;
  int shards = 2;
  int payload_bytes = 100;
  double warm_up = 30;
  double seconds = 30;
  std::uint64_t orders = 1'000'000;  ///< backlog
  /// closed loop: orders between submit and end; 0: as many as the broker's window holds without
  /// its backlog, 8,000 of one step or 3,000 of six
  std::uint64_t in_flight = 0;
  int batch = 0;  ///< ceiling: orders a commit; 0: as many as the run's mean, 500 without a run
  /// latency: orders a second at half load; 0: half of what was measured
  double rate = 0;
  bool hold_snapshot = false;  ///< throughput: a second run with a transaction held open
  bool with_ceiling = true;
  int rounds = 3;  ///< cost: runs of each side; outage: runs
};

/// A figure, or words about what it was measured on.
using Figure = std::variant<double, std::string>;
/// The result: names and figures, in the order they are printed.
using Figures = std::vector<std::pair<std::string, Figure>>;

class System;
struct WorkerSpec;
/// Begins a line's figures: what was measured, and with which workers.
Result<Figures> describe(System& system, const WorkerSpec& workers);

Result<Figures> measure_throughput(const MeasureSpec& spec);
Result<Figures> measure_latency(const MeasureSpec& spec);
Result<Figures> measure_backlog(const MeasureSpec& spec);
Result<Figures> measure_restart(const MeasureSpec& spec);
Result<Figures> measure_overload(const MeasureSpec& spec);
Result<Figures> measure_ceiling(const MeasureSpec& spec);
/// A dependency that is down for `seconds`: what is used up, who else notices, how it comes back.
Result<Figures> measure_outage(const MeasureSpec& spec);
/// Metrics off and on, plain text and CURVE: processor time a task, in alternating runs.
Result<Figures> measure_cost(const MeasureSpec& spec);

}  // namespace ordo::bench
