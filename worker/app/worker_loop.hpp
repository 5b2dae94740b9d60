// The worker's loop: the thread that owns the core and the sockets, and wires them to the slots.
//
// Threads: run() is the loop's own thread; request_drain() and the counters may be used from any.
// Errors:  nothing is fatal once the endpoints can be dialled.
// Costs:   one look at everything per wake-up: frames, endings and notes are taken in batches.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/key_file.hpp"
#include "base/line_budget.hpp"
#include "ordo/result.hpp"
#include "ordo/worker_stats.hpp"
#include "worker/app/handlers.hpp"
#include "worker/app/worker_log.hpp"
#include "worker/core/worker_core.hpp"
#include "worker/net/broker_sockets.hpp"
#include "worker/net/run.hpp"
#include "worker/net/slots.hpp"

namespace ordo::worker {

/// What one handler came to.
struct HandlerCells {
  std::array<std::atomic<std::uint64_t>, 5> outcomes{};  ///< by Outcome
  std::array<std::atomic<std::uint64_t>, kHandlerBounds.size() + 1> took{};
  std::atomic<std::uint64_t> micros{0};  ///< of all of them
};

/// What the loop counts, for whoever asks.
/// Threads: written by the loop alone, read by any.
/// Costs:   1 ns a count; a handler's ending one look-up of its name.
struct LoopCounters {
  explicit LoopCounters(const Handlers& registered);

  std::array<std::atomic<std::uint64_t>, kFactKinds> facts{};
  std::atomic<std::uint64_t> offered{0};
  std::atomic<std::uint64_t> hung{0};
  std::atomic<std::uint64_t> welcome_links{0};
  std::atomic<std::uint64_t> results{0};  ///< that wait to be recorded
  std::atomic<std::uint64_t> hellos{0};
  std::atomic<std::uint64_t> beats{0};
  std::atomic<std::uint64_t> undecodable{0};
  std::atomic<bool> is_draining{false};
  std::atomic<std::int64_t> stamp{0};  ///< steady µs of the loop's last pass
  /// Where each handler's cells are; `unknown` for those that are not registered.
  std::map<std::string, std::size_t, std::less<>> places;
  std::vector<HandlerCells> handlers;
};

class WorkerLoop {
 public:
  /// Where the brokers are, and the keys to dial them with.
  struct Brokers {
    std::vector<std::string> endpoints;
    DialKeys keys;
  };
  WorkerLoop(Settings settings, Brokers brokers, std::shared_ptr<const Handlers> handlers,
             std::shared_ptr<const WorkerLog> log);

  /// Works until it has left; the exit code.
  int run();
  /// Async-signal-safe.
  void request_drain() noexcept;
  [[nodiscard]] const LoopCounters& counters() const { return counters_; }
  [[nodiscard]] const Slots& slots() const { return slots_; }
  [[nodiscard]] std::uint32_t links() const { return links_; }

 private:
  void step(Event&& event);
  void perform();
  void begin(StartRun& start);
  void cancel(const CancelRun& cancel);
  void withdraw();
  void look();
  void take_basket();
  void count();
  void log(const Fact& fact);
  void log_failure(const Run& run, const Ending& ending);
  void flush_budgets();
  [[nodiscard]] const Run* find(const TaskKey& key, const Fence& fence) const;
  void count_sends();
  void count_ending(const Run& run, Outcome outcome);
  [[nodiscard]] std::shared_ptr<Run>* find(RunId run);

  LoopCounters counters_;
  const std::uint32_t links_;
  WorkerCore core_;
  std::shared_ptr<const WorkerLog> log_;
  std::array<LineBudget, kFactKinds + 1> budgets_{};  ///< by kind; the last: failed attempts
  Steady flush_at_{};
  std::shared_ptr<BrokerSockets>
      sockets_;  ///< shared with slots that outlive the loop, for wake() alone
  Slots slots_;
  std::shared_ptr<const RunWorld> world_;
  std::vector<std::shared_ptr<Run>> runs_;  ///< by place (the low half of a RunId)
  std::vector<std::shared_ptr<Run>> to_put_;
  std::vector<RunEnded> dropped_;  ///< left the line before they began
  Effects effects_;
  std::optional<int> exit_code_;
  std::atomic<bool> must_drain_{false};
};

}  // namespace ordo::worker
