// The measures: each brings up its own system, measures one thing and gives one JSON line's fields.
//
// Errors:  Result; a system that does not come up says why.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
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
  std::uint64_t in_flight = 8000;    ///< closed loop: orders between submit and end
  /// latency: orders a second at half load; 0: half of what was measured
  double rate = 0;
  bool hold_snapshot = false;  ///< throughput: a second run with a transaction held open
  bool with_ceiling = true;
};

/// The result: names and figures, in the order they are printed.
using Figures = std::vector<std::pair<std::string, double>>;

Result<Figures> measure_throughput(const MeasureSpec& spec);
Result<Figures> measure_latency(const MeasureSpec& spec);
Result<Figures> measure_backlog(const MeasureSpec& spec);
Result<Figures> measure_restart(const MeasureSpec& spec);
Result<Figures> measure_overload(const MeasureSpec& spec);
Result<Figures> measure_ceiling(const MeasureSpec& spec);

}  // namespace ordo::bench
