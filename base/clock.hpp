// Reads the machine's clocks. For shells only: tests/tidy keeps it out of every core.
//
// Units:   microseconds. Threads: any.
#pragma once

#include <chrono>

#include "base/time.hpp"

namespace ordo {

inline Steady steady_now() {
  return Steady{
      std::chrono::duration_cast<Micros>(std::chrono::steady_clock::now().time_since_epoch())};
}
inline Wall wall_now() {
  return Wall{
      std::chrono::duration_cast<Micros>(std::chrono::system_clock::now().time_since_epoch())};
}
inline Times now_times() { return {steady_now(), wall_now()}; }

}  // namespace ordo
