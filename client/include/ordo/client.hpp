// The client SDK: hand orders to ordo, follow them, operate them.
//
// What it promises: an order whose submit was answered ok is in the database. A submit is tried
// again under the same id until it is certain or its timeout has passed; only then, and only if it
// may have happened, the answer is `unknown`: submit again with the same Order::id, which can never
// make a second order. docs/clients.md says what to do with each answer.
//
// Shapes:  no exceptions; every call gives a Result. Callbacks run on the client's own thread: they
//          are short, never throw and never call a function of Client that waits.
// Errors:  codes of ordo/result.hpp. `busy` "client_full": the bound of requests in flight is met.
// Threads: one Client serves any number of threads; it owns one thread and one connection a broker.
// Costs:   submit_batch about 1 µs an order on each of the two threads; submit one round trip.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/client_stats.hpp"
#include "ordo/client_views.hpp"
#include "ordo/order_id.hpp"
#include "ordo/result.hpp"

namespace ordo::client {

using std::chrono::milliseconds;

struct Options {
  /// Client sockets of brokers: "tcp://host:port" or "host:port". One that answers is enough.
  std::vector<std::string> endpoints{"tcp://127.0.0.1:7700"};
  std::string name = "client";         ///< shown in the broker's logs
  std::string key_file{};              ///< with your own secret key, mode 0600; empty: plain text
  std::string broker_key{};            ///< the brokers' public key, or a file that holds it
  milliseconds timeout{10'000};        ///< of every call that gives none of its own
  std::size_t max_in_flight = 65'536;  ///< requests without an answer, of all threads
  std::size_t max_bytes = 64u << 20;   ///< and their bytes
};

/// What to run. Bounds: payload 1 MiB, context 64 KiB, labels 4 KiB, key 256 and customer 128
/// bytes.
struct Order {
  std::string pipeline{};           ///< the newest version of this name
  std::string payload{};            ///< opaque to ordo
  OrderId id{};                     ///< zero: drawn at the first attempt
  int priority = 5;                 ///< 0 most urgent, 9 least
  milliseconds delay{0};            ///< starts no earlier; at most 365 days
  milliseconds deadline{0};         ///< of the whole order; 0: the pipeline's
  std::string key{};                ///< your own name for it: decides its home shard
  std::string customer{};           ///< whose it is: list() finds it by this
  std::string labels{}, context{};  ///< JSON objects; empty: none
  /// W3C trace context: every attempt of every step is handed these, for good. Empty: none. They
  /// are no content of the order: submit it again with others, and the first ones stay.
  std::string traceparent{}, tracestate{};
};

struct Receipt {
  OrderId id{};
  bool was_known = false;  ///< the broker said that it was there before; false says nothing
};

/// One order's answer. The id is set even where the receipt is an error, once it was drawn.
struct Submitted {
  OrderId id{};
  Result<Receipt> receipt;
};
using OnSubmitted = std::function<void(Submitted)>;
using OnBatch = std::function<void(std::vector<Submitted>)>;

struct CallOptions {
  milliseconds timeout{0};   ///< 0: Options::timeout
  bool retries_busy = true;  ///< false: a first `busy` is handed to you at once
};

enum class Until : std::uint8_t { kDurable, kStep, kEnd };
enum class OnTimeout : std::uint8_t { kKeep, kCancel };

struct WaitOptions {
  Until until = Until::kEnd;  ///< kEnd: ended or parked
  std::string step{};         ///< with kStep: succeeded, or never can
  milliseconds timeout{7'000};
  OnTimeout on_timeout = OnTimeout::kKeep;  ///< what happens to the order then
};

/// How far an order had come.
struct Waited {
  OrderId id{};
  bool was_known = false;
  bool timed_out = false;              ///< it is durable, but had not come that far
  bool was_cancelled = false;          ///< on_timeout asked for it and it was accepted
  std::string status{};                ///< word; empty with kDurable and when timed out
  std::string step_state{}, result{};  ///< with kStep
};

enum class Which : std::uint8_t { kOfCustomer, kOpen, kParked, kRecent };
struct Query {
  Which which = Which::kOpen;
  std::string customer{};  ///< with kOfCustomer
  std::string pipeline{};  ///< only its orders; looks at 1,000 a shard and page, so it may be short
  OrderId after{};         ///< OrderPage::after of the page before
  unsigned limit = 100;    ///< 1 to 1,000
};

/// Who did it, and why: kept in the order's history for good.
struct Operator {
  std::string who{}, why{};
};

/// Something from outside that a step of an order waits for.
struct Signal {
  OrderId id{};
  std::string name{};
  std::string payload{};   ///< the step's result, at most 64 KiB
  std::string dedup{};     ///< the same again changes nothing; empty: the payload decides
  std::string pipeline{};  ///< that the order must run; empty: any
  std::string context{};   ///< JSON object: fields to set in the order's context
  std::string who{};       ///< kept in the order's history
};

/// A task of an order.
struct TaskOf {
  OrderId id{};
  std::string step{};
  unsigned branch = 0;
  bool is_compensation = false;  ///< what undoes the step, not the step itself
};

/// A running watch; letting go of it ends it. One thread at a time; it must not outlive its Client.
class Watch {
 public:
  Watch(Watch&&) noexcept;
  Watch& operator=(Watch&&) noexcept;
  ~Watch();

  /// The next events, waiting at most `patience`. Error `wait_timeout` where none came (go on),
  /// others end the watch. After a page with is_last nothing more comes.
  Result<EventPage> next(milliseconds patience);

 private:
  friend class Client;
  struct State;
  explicit Watch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Client {
 public:
  /// Dials in the background; a call made before a broker answers waits for it.
  explicit Client(Options options);
  ~Client();  ///< what has no answer yet gets one (reason "closed")
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Waits until a broker has answered. Not needed before other calls.
  Result<void> ready(milliseconds timeout);
  /// An id for a new order, of this moment and (with a key) for the key's shard. Keep it beside
  /// your own record before you submit, and even your crash cannot double the order.
  Result<OrderId> draw_id(std::string_view key = {});

  /// Durable when it answers.
  Result<Receipt> submit(Order order, CallOptions options = {});
  std::future<Submitted> submit_async(Order order, CallOptions options = {});
  /// The answer may come before this returns (`client_full`), else on the client's thread.
  void submit_async(Order order, OnSubmitted done, CallOptions options = {});
  /// An answer per order, in their order. Any number; fills and refills the bound in flight.
  std::vector<Submitted> submit_batch(std::vector<Order> orders, CallOptions options = {});
  /// The cheapest way: no thread waits. At most max_in_flight orders at once.
  void submit_batch_async(std::vector<Order> orders, OnBatch done, CallOptions options = {});

  Result<Waited> submit_and_wait(Order order, WaitOptions options = {});
  Result<Waited> wait(OrderId id, WaitOptions options = {});

  Result<OrderView> get(OrderId id);
  Result<OrderPage> list(const Query& query);
  Result<Explanation> explain(OrderId id);
  /// The order's events after a cursor, the past ones first; goes on over lost connections.
  Watch watch(OrderId id, std::int64_t after_seq = 0);

  /// Durable when it answers; sent again on doubt, which is safe.
  Result<void> signal(Signal signal);
  Result<void> cancel(OrderId id, const Operator& by);
  Result<void> retry(const TaskOf& task, const Operator& by);
  Result<void> skip(const TaskOf& task, const Operator& by);
  Result<void> complete(const TaskOf& task, std::string result, const Operator& by);
  /// Gives up on a parked task of a step: the order ends as failed, and what it did is undone.
  Result<void> compensate(const TaskOf& task, const Operator& by);

  /// Stores a version; the same text again is no error.
  Result<PipelineView> put_pipeline(std::string source);
  Result<std::vector<PipelineView>> pipelines();
  /// Version 0: the newest.
  Result<PipelineView> pipeline(std::string name, unsigned version = 0);

  Result<std::vector<QueueView>> queues();
  Result<void> pause(std::string queue, const Operator& by);
  Result<void> resume(std::string queue, const Operator& by);
  Result<std::vector<WorkerView>> workers();
  /// Signals that no step takes by itself, oldest first in each shard: at most 1,000 a shard.
  Result<std::vector<SignalView>> kept_signals();

  /// Requests without an answer; for callers that pace themselves.
  [[nodiscard]] std::size_t in_flight() const;
  /// What it has done so far; to_prometheus() writes it for a scrape. From any thread, callbacks
  /// too.
  [[nodiscard]] Stats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ordo::client
