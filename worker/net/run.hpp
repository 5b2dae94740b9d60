// One attempt in the hands of the shell: the offer, how it can be stopped, and where its notes go.
//
// Shapes:  a run is waiting in the line, begun by a slot, or dropped before it began; who changes
//          `phase` first wins.
// Threads: the loop and one slot's thread share it; fields other than `phase`, `cancellation` and
//          `took` never change after it was put in the line (the loop empties the offer of a run
//          that it dropped).
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/log_line.hpp"
#include "base/time.hpp"
#include "worker/core/events.hpp"

namespace ordo::worker {

/// A flag that can be waited for.
/// Threads: any. The mutex is the flag's own: no queue fits one word that everybody may read.
class Cancellation {
 public:
  void cancel(const std::string& reason);
  [[nodiscard]] bool is_cancelled() const { return is_set_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string reason() const;
  /// True as soon as it is cancelled, false after `patience`.
  [[nodiscard]] bool wait_for(Millis patience);
  /// Calls `wake` when it is cancelled, under the flag's mutex; at once where it is. Answers a
  /// number for forget().
  std::uint64_t watch(std::function<void()> wake);
  /// Once this returns, that wake does not run any more.
  void forget(std::uint64_t watch);

 private:
  std::atomic<bool> is_set_{false};
  mutable std::mutex mutex_;
  std::condition_variable set_;
  std::string reason_;
  std::uint64_t watches_ = 0;
  std::map<std::uint64_t, std::function<void()>> wakes_;
};

/// What runs need of the world around them; one for all runs of a worker.
struct RunWorld {
  std::function<void(RunNote)> on_note;  ///< takes progress notes; empty: they go nowhere
  std::function<Steady()> now;           ///< the clock that durations count on
  /// Takes what a handler logs; empty: it goes nowhere.
  std::function<void(log::Level, std::string_view, const wire::Offer&)> on_line{};
};

struct Run {
  enum class Phase : std::uint8_t { kWaiting, kBegun, kDropped, kEnded };

  RunId id = 0;
  Steady timeout_at{};
  std::optional<Steady> order_ends;
  wire::Offer offer;
  Cancellation cancellation;
  Micros took{0};  ///< of the handler; written by its slot before the ending is reported
  std::atomic<Phase> phase{Phase::kWaiting};
  std::shared_ptr<const RunWorld> world;

  /// Whether this call moved it from waiting to `next`.
  bool leave_line(Phase next) {
    Phase waiting = Phase::kWaiting;
    return phase.compare_exchange_strong(waiting, next);
  }
};

}  // namespace ordo::worker
