// The worker SDK: registers handlers for steps and runs them for a broker.
//
// Use:     int main(int argc, char** argv) {
//            ordo::Worker worker;
//            worker.on("charge", [](ordo::Task& task) { return ordo::succeeded(); });
//            return ordo::run_worker(argc, argv, worker);
//          }
// Errors:  start() answers what is wrong with the options or the registrations. After that nothing
//          is fatal: a broker that is away is dialled until it is back, and results wait for it.
// Threads: one thread owns the sockets and the decisions, `slots` threads run handlers. Register
//          before start(); stop(), stats() and is_running() may be called from any thread, stop()
//          also from a signal handler.
// Costs:   a few microseconds of CPU a task beside the handler's own.
// Source:  docs/workers.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/result.hpp"
#include "ordo/task.hpp"
#include "ordo/worker_stats.hpp"

namespace ordo {

/// Lines for people (TIME LEVEL sentence key=value) or one JSON object each.
enum class LogFormat : unsigned char { kText, kJson };

struct WorkerOptions {
  /// Where brokers listen for workers ("tcp://host:port" or "host:port"); a connection to each is
  /// kept.
  std::vector<std::string> brokers{"tcp://127.0.0.1:7701"};
  std::string key_file{};    ///< with your own secret key, mode 0600; empty: plain text
  std::string broker_key{};  ///< the brokers' public key, or a file that holds it
  std::string name{};        ///< for people, UTF-8 of at most 128 bytes; empty: HOST-PID
  std::uint32_t slots = 8;   ///< handlers at a time, 1 to 4,096
  /// Tasks held beyond those, so that a slot need not wait a round trip for its next. Their
  /// timeouts run meanwhile, and they are in flight although nothing runs them: 0 keeps the promise
  /// of at most `slots` tasks here. Raise it where a handler takes less than a few milliseconds:
  /// about `slots` for milliseconds, thousands for microseconds. slots + take_ahead ≤ 8,128.
  std::uint32_t take_ahead = 0;
  std::chrono::milliseconds drain_timeout{
      20'000};  ///< for handlers to finish after stop(), up to 24 h
  std::chrono::milliseconds hang_grace{
      30'000};                           ///< past its timeout a handler counts as hung after this
  LogLevel log_level = LogLevel::kInfo;  ///< the least that is logged
  LogFormat log_format = LogFormat::kText;  ///< of each line
  /// Where /metrics, /livez and /readyz are ("127.0.0.1:7791", port 0: a free one); empty: nowhere.
  std::string listen_http{};
  /// Allows listen_http on other addresses than loopback: whoever reaches it may read it.
  bool open_http = false;
  /// Takes the log, a line a call: connections, failed attempts, refused results, hangs (at most
  /// ten of a kind a second), and what handlers log; never payloads. Called on the worker's thread,
  /// for Task::log() on the handler's.
  std::function<void(std::string_view line)> on_log{};
  /// Families of your own in Prometheus' text format: they stand behind the worker's on /metrics.
  /// Called on the thread that serves it.
  std::function<std::string()> more_metrics{};
};

class Worker {
 public:
  explicit Worker(WorkerOptions options = {});
  /// Drains if it still runs.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// To change before start().
  WorkerOptions& options();

  /// Runs `handler` for tasks of steps whose handler is `name`, and takes tasks of `queue`
  /// (default: of the queue named like the handler, which is the step's name unless the pipeline
  /// says otherwise).
  Worker& on(std::string name, Handler handler, std::string queue = {});
  /// Takes tasks of one more queue.
  Worker& serve(std::string queue);
  /// Called around every handler, on its thread, in the order of registration; `after` sees the
  /// outcome, also that of a handler that threw. What a hook throws makes the attempt transient.
  Worker& before(std::function<void(Task&)> hook);
  Worker& after(std::function<void(Task&, const TaskOutcome&)> hook);

  /// Starts its threads. Errors: code malformed (options, registrations) or conflict (runs
  /// already).
  Result<void> start();
  /// Asks it to drain: no more tasks, those not begun go back, running ones finish, results are
  /// recorded.
  void stop();
  /// Blocks until it has left. 0: drained; 5: the drain timeout passed with work left; 70: every
  /// slot hung.
  int wait();
  /// start() and wait(). An error of start() is told to on_log (or stderr) and answers 2.
  int run();

  [[nodiscard]] bool is_running() const;
  [[nodiscard]] WorkerStats stats() const;
  /// The same in Prometheus' text format, for an endpoint of your own.
  [[nodiscard]] std::string metrics() const;
  /// "http://127.0.0.1:7791" while listen_http is served, else empty.
  [[nodiscard]] std::string http_endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The main of a worker program: flags (--help lists them), environment (ORDO_BROKERS,
/// ORDO_KEY_FILE, ORDO_BROKER_KEY, ORDO_WORKER_NAME, ORDO_SLOTS, ORDO_TAKE_AHEAD,
/// ORDO_DRAIN_TIMEOUT_MS, ORDO_HANG_GRACE_MS, ORDO_LOG_LEVEL, ORDO_LOG_FORMAT, ORDO_LISTEN_HTTP,
/// ORDO_OPEN_HTTP), SIGTERM and SIGINT drain, a second one ends at once with 130. Flags win over
/// the environment, both over the worker's options. Returns the exit code.
int run_worker(int argc, char** argv, Worker& worker);

}  // namespace ordo
