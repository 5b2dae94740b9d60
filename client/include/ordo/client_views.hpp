// What a client is shown: orders, their steps and events, pipelines, queues, workers.
//
// Shapes:  plain values. States and kinds are words ("running", "parked"): docs/glossary.md lists
//          them. `result`, `payload`, `labels` and `context` are bytes as they were given.
// Units:   `_ms` are milliseconds; `at_ms` since 1970 UTC, for people.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ordo/order_id.hpp"

namespace ordo::client {

/// One step (and branch) of an order.
struct TaskView {
  std::string step;
  std::string queue;
  std::string state;  ///< pending, ready, leased, backlog, scheduled, held, parked, succeeded …
  unsigned branch = 0;
  unsigned attempt = 0;          ///< times it was handed to a worker
  unsigned failures = 0;         ///< what burned its retry budget
  std::string worker;            ///< while a worker holds it
  std::int64_t run_in_ms = 0;    ///< scheduled: until it is due; negative: overdue
  std::string reason;            ///< why it waits; while held by a worker: the last progress note
  std::string result;            ///< once succeeded
  std::string error;             ///< parked: what the last failure said, its first 300 bytes
  bool is_compensation = false;  ///< of what undoes the step; behind all steps
};

/// Something that happened to an order.
struct EventView {
  std::int64_t seq = 0;  ///< grows within a shard: the cursor of a watch
  std::int64_t at_ms = 0;
  std::string kind;    ///< succeeded, attempt_failed, parked, cancel_requested …
  std::string status;  ///< the order's new status; empty: unchanged
  std::string step;
  unsigned branch = 0;
  unsigned attempt = 0;
  std::string worker;
  unsigned ms = 0;   ///< how long the attempt took
  std::string note;  ///< JSON object as text: error, who, why …; may be empty
  std::uint64_t detail_bytes = 0;
  std::string span_id;  ///< of the attempt, 16 hex digits; empty where the order has no trace
  bool is_compensation = false;  ///< of what undoes the step
};

struct OrderView {
  OrderId id;
  std::string pipeline;
  unsigned version = 0;
  std::string status;  ///< running, compensating, parked, paused, succeeded, failed, cancelled
  int priority = 5;
  std::string key, customer, labels, context, payload;
  std::int64_t accepted_at_ms = 0;
  std::int64_t deadline_at_ms = 0;      ///< 0: none
  std::vector<TaskView> tasks;          ///< in the pipeline's order
  std::vector<EventView> events;        ///< ascending
  std::string traceparent, tracestate;  ///< as submitted; empty: none

  /// 32 hex digits; empty where the order has no trace.
  [[nodiscard]] std::string trace_id() const {
    return traceparent.size() < 35 ? std::string() : traceparent.substr(3, 32);
  }
};

/// Orders of a list, without payloads, results and events. Oldest first; a customer's and the
/// recent ones newest first.
struct OrderPage {
  std::vector<OrderView> orders;
  OrderId after;        ///< how far was looked: give it to the next call
  bool is_last = true;  ///< there was nothing more at this moment
};

/// A piece of an order's history.
struct EventPage {
  std::vector<EventView> events;
  std::string status;    ///< the order's, after these events
  bool is_last = false;  ///< the order has ended: nothing more will come
};

/// One attempt of a task.
struct AttemptView {
  std::string step;
  unsigned branch = 0;
  unsigned attempt = 0;
  std::string worker;
  std::string outcome;           ///< kind of the event that ended it, or `running`
  std::int64_t at_ms = 0;        ///< when it ended; 0: it runs
  std::int64_t ms = 0;           ///< how long it took, or has taken
  std::string error;             ///< at most 512 bytes of it
  std::string span_id;           ///< empty where the order has no trace
  bool is_compensation = false;  ///< of what undoes the step
};

/// Why an order does not move (or that it does), and the chain of its attempts.
struct Explanation {
  std::string sentence;
  std::vector<std::string> facts;
  std::string trace_id;            ///< empty: the order has no trace
  std::vector<AttemptView> chain;  ///< in the order of their ends, those that run last
};

struct PipelineView {
  std::string name;
  unsigned version = 0;
  unsigned steps = 0;
  std::string source;  ///< empty in a list of all
};

struct QueueView {
  std::string queue;
  bool paused = false;
  std::uint64_t ready = 0, leased = 0, backlog = 0;
  unsigned workers = 0, slots = 0;
  std::int64_t oldest_ms = 0;  ///< age of the oldest ready task; 0: none
  std::uint64_t held = 0;      ///< ready, but kept back by a breaker, a limit or a pause; about
};

struct WorkerView {
  std::string name, version;
  std::vector<std::string> queues;
  unsigned slots = 0, used = 0;
  std::int64_t silent_ms = 0;
  bool draining = false;
  unsigned hung = 0;  ///< slots of `used` whose attempt was given up and does not come back
};

/// A signal that is kept although no step takes it by itself: its order is not there, or it is late
/// and an order is owed for it.
struct SignalView {
  OrderId order;
  std::string name, dedup, who;
  std::string pipeline;  ///< that it names; empty: none
  std::int64_t age_ms = 0;
  unsigned checks = 0;       ///< how often it was looked at in vain
  std::int64_t next_ms = 0;  ///< until it is looked at again
  std::uint64_t payload_bytes = 0;
};

/// Whether an order of this status has ended for good.
constexpr bool is_final(std::string_view status) {
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

}  // namespace ordo::client
