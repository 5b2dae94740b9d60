// How many calls a dependency gets at a time, so that one that hangs does not take every slot.
//
// Rule:    who finds no place does not wait, because a slot would wait with it: it is told when to
//          come back. That is when places should be free at the pace of the calls so far, each
//          later than the one before; a call that still runs counts with its age, so that the pace
//          falls while a service hangs.
// Units:   a place is one call.
// Threads: any. The mutex is its own: slots meet here twice a call.
// Bounds:  come back after kSoonest to kLatest.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/time.hpp"

namespace ordo::executor {

class Bulkhead {
 public:
  /// Sooner would be a write to the database for nothing; later, a slot that idles.
  static constexpr Millis kSoonest{200};
  static constexpr Millis kLatest{30'000};

  explicit Bulkhead(std::uint32_t places);

  /// nullopt: there was a place, and leave() gives it back. Else how long to stay away.
  [[nodiscard]] std::optional<Millis> enter(Steady now);
  /// `entered` is what enter() was given.
  void leave(Steady entered, Steady now);

  [[nodiscard]] std::uint32_t used() const;
  [[nodiscard]] std::uint32_t places() const { return places_; }

 private:
  const std::uint32_t places_;
  mutable std::mutex mutex_;
  std::vector<Steady> running_;  ///< when each began
  Micros mean_{0};               ///< of the last calls
  Steady next_{};                ///< when the next that is turned away may find a place
};

}  // namespace ordo::executor
