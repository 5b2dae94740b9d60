// Coarse timers by request number: buckets of 16 ms, so that a hundred thousand requests in flight
// cost one vector entry each and no heap.
//
// Units:   a timer fires at the end of its bucket: never early, at most 16 ms late.
// Shapes:  a timer is never taken back: whoever it fires for looks whether it still means anything.
// Threads: one owner, the core.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/time.hpp"

namespace ordo::client {

class Timers {
 public:
  void arm(std::uint64_t number, Steady at);
  /// Moves the numbers of every bucket that ended by `now` into `due`.
  void collect(Steady now, std::vector<std::uint64_t>& due);
  /// Steady::max() when none is armed.
  [[nodiscard]] Steady next() const;

 private:
  static constexpr Micros kBucket{16'000};

  std::map<std::int64_t, std::vector<std::uint64_t>> buckets_;  // by the bucket's end
};

}  // namespace ordo::client
