// Signals that no step will take by itself: their order is not there, or they came too late and an
// order is owed for them. Their rows have a time at which they are looked at (the sweep).
//
// Units:   gaps between looks: 1, 2, 5, 15, 30, 60 s, then each 60 s.
// Threads: values of the engine's owner.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "broker/core/order.hpp"
#include "broker/core/rows.hpp"

namespace ordo {

/// A signal on its way to its order.
struct Delivery {
  SignalRow signal;             ///< seq 0: it is not in the tables
  std::optional<Asker> asker;   ///< who sent it just now; none: it was kept
  std::optional<OrderId> late;  ///< the order that was started because it is too late
  bool cannot_start = false;    ///< that order could not be started
  [[nodiscard]] bool is_kept() const { return signal.seq != 0; }
};

/// Where the sweep of a shard's kept signals stands.
struct SignalSweep {
  std::optional<Wall> next_due;  ///< earliest time at which one is to be looked at
  Wall cursor{};                 ///< up to here (and this seq) they were read in this incarnation
  std::int64_t cursor_seq = 0;
  bool is_paging = false;
  Steady swept{};          ///< when it last was not behind
  std::uint64_t kept = 0;  ///< about how many there are

  void expect(Wall at) {
    if (!next_due || at < *next_due) next_due = at;
  }
};

/// What a look at the tables found for an order that is not there.
struct Orphans {
  std::vector<SignalRow> rows;
  std::size_t durable = 0;  ///< so many were read; those behind them are on their way in
};

/// The last step of the order that waits for a signal; nullopt where none does.
std::optional<StepIndex> step_of_signal(const Order& order, const std::string& signal);
/// Whether a step of the order may still take one.
bool is_awaited(const Order& order, const std::string& signal);

/// After so many looks in vain nobody expects the order any more.
constexpr std::uint16_t kSignalChecks = 6;
/// Behind its time by more than this, the sweep cannot promise anything.
constexpr Micros kSweepStale = Seconds{10};

/// From one look to the next, after `checks` of them, in units (of a second, as a rule).
constexpr int gap_after(std::uint16_t checks) {
  constexpr std::array<int, 6> kGaps{1, 2, 5, 15, 30, 60};
  return kGaps[std::min<std::size_t>(checks, kGaps.size() - 1)];
}

}  // namespace ordo
