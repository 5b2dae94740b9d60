// The worker's loop: the thread that owns the core and the sockets, and wires them to the slots.
//
// Threads: run() is the loop's own thread; request_drain() and the counters may be used from any.
// Errors:  nothing is fatal once the endpoints can be dialled.
// Costs:   one look at everything per wake-up: frames, endings and notes are taken in batches.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/key_file.hpp"
#include "base/line_budget.hpp"
#include "ordo/result.hpp"
#include "worker/app/handlers.hpp"
#include "worker/app/worker_log.hpp"
#include "worker/core/worker_core.hpp"
#include "worker/net/broker_sockets.hpp"
#include "worker/net/run.hpp"
#include "worker/net/slots.hpp"

namespace ordo::worker {

/// What the loop counts, for whoever asks.
/// Threads: written by the loop (endings by it too), read by any.
struct LoopCounters {
  std::array<std::atomic<std::uint64_t>, kFactKinds> facts{};
  std::array<std::atomic<std::uint64_t>, 5> outcomes{};  ///< by Outcome
  std::atomic<std::uint64_t> offered{0};
  std::atomic<std::uint32_t> hung{0};
  std::atomic<std::uint32_t> welcome_links{0};
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
  [[nodiscard]] std::shared_ptr<Run>* find(RunId run);

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
  LoopCounters counters_;
};

}  // namespace ordo::worker
