// The two clocks. Steady time measures (leases, timeouts, pacing) and never jumps; wall time names
// moments (run_at, deadlines, ages of ids) and is anchored to the database's clock by whoever reads
// it.
//
// Shapes:  Steady and Wall are time points of different clocks that nothing converts into each
//          other.
// Units:   microseconds inside; at an edge the unit is in the name (`_ms`).
// Threads: plain values. Nothing here reads a clock: shells do (base/clock.hpp), cores are told.
#pragma once

#include <chrono>
#include <cstdint>

namespace ordo {

using Micros = std::chrono::microseconds;
using Millis = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

struct SteadyClock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Micros;
  using time_point = std::chrono::time_point<SteadyClock>;
  static constexpr bool is_steady = true;
};
struct WallClock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = Micros;
  using time_point = std::chrono::time_point<WallClock>;
  static constexpr bool is_steady = false;
};

using Steady = SteadyClock::time_point;  ///< since an arbitrary start
using Wall = WallClock::time_point;      ///< since 1970-01-01 UTC

/// What a core is told with every event.
struct Times {
  Steady steady;
  Wall wall;
};

constexpr std::int64_t to_ms(Wall at) {
  return std::chrono::duration_cast<Millis>(at.time_since_epoch()).count();
}
constexpr Wall wall_from_ms(std::int64_t ms) { return Wall{Millis{ms}}; }

}  // namespace ordo
