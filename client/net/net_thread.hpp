// The client's own thread: it owns the core and the sockets; callers hand it commands and get
// answers back by callback.
//
// Shapes:  a command is queued once and answered once, whatever happens (also by closing). All that
//          waits is taken at once, so that orders asked for at the same time share frames.
// Errors:  the bounds of requests and bytes in flight are met at the door, by admit().
// Threads: post(), admit(), in_flight() and stats() from any; everything else is the thread's own.
// Costs:   per submit one queue item and one callback, no lock while the thread is busy elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "base/bounded_queue.hpp"
#include "base/key_file.hpp"
#include "client/core/client_core.hpp"
#include "client/net/bell.hpp"
#include "client/net/sockets.hpp"
#include "client/net/stats_board.hpp"
#include "ordo/client.hpp"

namespace ordo::client {

using OnDone = std::function<void(Done&&)>;
using OnPage = std::function<void(wire::EventPage&&)>;

/// What several items share; the last answer hands all of them over.
struct Batch {
  std::vector<Submitted> items;
  std::size_t left = 0;
  OnBatch done;
};

struct SubmitOne {
  wire::OrderRequest order;
  Steady deadline;
  bool retries_busy = true;
  OnSubmitted done;
};
struct SubmitMany {
  std::vector<wire::OrderRequest> orders;
  Steady deadline;
  bool retries_busy = true;
  OnBatch done;
};
struct Call {
  Request request;
  Steady deadline;
  std::uint64_t handle = 0;  ///< not 0: Hangup may name it
  OnDone done;
  OnPage page;
};
/// Ends the call of that handle; its `done` comes with "forgotten".
struct Hangup {
  std::uint64_t handle = 0;
};
/// Runs once a broker has answered; with nullptr when the deadline passed first.
struct WhenReady {
  Steady deadline;
  std::function<void(ClientCore*)> run;
};

using Command = std::variant<SubmitOne, SubmitMany, Call, Hangup, WhenReady>;

class NetThread {
 public:
  /// An error of the keys is the answer to whatever is asked: nothing is dialed without them.
  NetThread(CoreOptions options, Result<DialKeys> keys);
  ~NetThread();
  NetThread(const NetThread&) = delete;
  NetThread& operator=(const NetThread&) = delete;

  /// Reserves room for requests with so many bytes; false where the bound is met. Answers free it.
  bool admit(std::size_t requests, std::size_t bytes);
  /// Commands that ask something must have been admitted.
  void post(Command&& command);
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.load(); }
  /// Requests that a caller was told to keep: the bound was met.
  void turn_away(std::size_t requests) { turned_away_.fetch_add(requests); }
  /// Of the thread's last pass.
  [[nodiscard]] Stats stats() const;
  [[nodiscard]] bool is_current() const { return thread_.get_id() == std::this_thread::get_id(); }

 private:
  struct OfBatch {
    std::shared_ptr<Batch> batch;
    std::size_t index = 0;
  };
  struct OfCall {
    OnDone done;
    OnPage page;
    std::uint64_t handle = 0;
  };
  struct Completion {
    std::variant<std::monostate, OnSubmitted, OfBatch, OfCall> to;
    std::size_t bytes = 0;
  };

  void run();
  void take_commands();
  void take(SubmitOne&& command);
  void take(SubmitMany&& command);
  void take(Call&& command);
  void take(Hangup&& command);
  void take(WhenReady&& command);
  void ask(Request&& request, Steady deadline, bool retries_busy, Completion&& completion);
  Token keep(Completion&& completion);
  void serve_waiting();
  void perform();
  void complete(Done&& done);
  void shut();
  void publish();

  CoreOptions options_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::size_t> bytes_{0};
  std::atomic<std::uint64_t> turned_away_{0};
  StatsBoard board_;
  std::atomic<bool> is_closing_{false};
  BoundedQueue<Command> commands_;
  Bell bell_;

  // the thread's own
  ClientCore core_;
  Sockets sockets_;
  Effects effects_;
  std::vector<Completion> completions_;  // by token
  std::vector<Token> free_;
  std::map<std::uint64_t, Token> handles_;
  std::deque<WhenReady> waiting_;
  std::optional<Error> misfit_;  ///< an endpoint or key that nothing can be dialed with
  std::thread thread_;           // last: it starts when all of the above stands
};

}  // namespace ordo::client
