// What answers carry in their `body`, by the type of the request: orders and their steps and
// events, pipelines, queues, workers. docs/protocol.md is the specification; this is its shape.
//
// Shapes:  as in messages.hpp: a struct is an array of its fields, and fields are added at the end.
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "schema/vocabulary.hpp"

namespace ordo::wire {

struct OrderSummary {
  OrderId id;
  std::string status;  ///< OrderStatus word
  std::string step;    ///< Wait for a step: its state word; else empty
  std::string result;  ///< Wait for a step: its result
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.id, s.status, s.step, s.result);
  }
};
struct TaskView {
  std::string step, queue, state;  ///< words; state incl. succeeded, failed, pending: not opened
  BranchIndex branch = 0;
  std::uint32_t attempt = 0;
  std::uint32_t failures = 0;
  std::string worker;          ///< while leased
  std::int64_t run_in_ms = 0;  ///< scheduled: until it is due (negative: overdue)
  std::string reason;          ///< deferred: why; leased: the last progress note
  std::string result;          ///< succeeded
  std::string error;           ///< parked: what the last failure said, cut at kListedErrorBytes
  std::uint8_t kind = 0;       ///< TaskKind: 0 what the step does, 1 what undoes it
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.step, s.queue, s.state, s.branch, s.attempt, s.failures, s.worker, s.run_in_ms, s.reason,
      s.result, s.error, s.kind);
  }
};
struct EventView {
  std::int64_t seq = 0;
  std::int64_t at_ms = 0;          ///< unix time, for people
  std::string kind, status, step;  ///< words; status and step may be empty
  BranchIndex branch = 0;
  std::uint32_t attempt = 0;
  std::string worker, span;  ///< span: of the attempt, empty where the order has no trace
  std::uint32_t ms = 0;
  std::string note;  ///< JSON object as text; may be empty
  std::uint64_t detail_bytes = 0;
  std::uint8_t task_kind = 0;  ///< TaskKind: 0 of what the step does, 1 of what undoes it
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.seq, s.at_ms, s.kind, s.status, s.step, s.branch, s.attempt, s.worker, s.ms, s.note,
      s.detail_bytes, s.span, s.task_kind);
  }
};
struct OrderView {
  OrderId id;
  std::string pipeline;
  std::uint32_t version = 0;
  std::string status;
  std::uint8_t priority = 5;
  std::string key, customer, labels, context, payload, traceparent, tracestate;
  std::int64_t accepted_at_ms = 0;
  std::int64_t deadline_at_ms = 0;  ///< 0: none
  std::vector<TaskView> tasks;      ///< every step of the pipeline, in its order
  std::vector<EventView> events;    ///< ascending
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.id, s.pipeline, s.version, s.status, s.priority, s.key, s.customer, s.labels, s.context,
      s.payload, s.accepted_at_ms, s.deadline_at_ms, s.tasks, s.events, s.traceparent,
      s.tracestate);
  }
};
struct OrderPage {
  std::vector<OrderView> orders;  ///< without tasks' results, events and payload
  bool is_last = true;
  OrderId after;  ///< how far was looked: the next page's cursor; zero: behind the last order
  template <class S, class F> static void fields(S& s, F&& f) { f(s.orders, s.is_last, s.after); }
};
struct EventPage {
  std::vector<EventView> events;
  std::string status;    ///< the order's, after these events
  bool is_last = false;  ///< the order has ended: nothing more will come
  template <class S, class F> static void fields(S& s, F&& f) { f(s.events, s.status, s.is_last); }
};
/// One attempt of a task: how it went, or that it runs.
struct AttemptView {
  std::string step, worker, error, span;  ///< span: empty where the order has no trace
  std::string outcome;                    ///< kind of the event that ended it, or `running`
  BranchIndex branch = 0;
  std::uint32_t attempt = 0;
  std::int64_t at_ms = 0, ms = 0;  ///< unix time of its end (0: it runs), how long it ran so far
  std::uint8_t kind = 0;           ///< TaskKind: 0 of what the step does, 1 of what undoes it
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.step, s.branch, s.attempt, s.worker, s.outcome, s.at_ms, s.ms, s.error, s.span, s.kind);
  }
};
struct Explanation {
  std::string sentence;  ///< why it is not moving, or that it is
  std::vector<std::string> facts;
  std::string trace_id;            ///< empty: the order has no trace
  std::vector<AttemptView> chain;  ///< in the order of their ends, what runs last
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.sentence, s.facts, s.trace_id, s.chain);
  }
};
struct PipelineView {
  std::string name;
  std::uint32_t version = 0;
  std::int64_t id = 0;
  std::uint32_t steps = 0;
  std::string source;  ///< empty in a list of all
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.name, s.version, s.id, s.steps, s.source);
  }
};
struct PipelineList {
  std::vector<PipelineView> pipelines;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.pipelines); }
};
struct QueueView {
  std::string queue;
  bool paused = false;
  std::uint64_t ready = 0, leased = 0, backlog = 0;  ///< backlog: exact once it was read through
  std::uint32_t workers = 0, slots = 0;
  std::int64_t oldest_ms = 0;  ///< age of the oldest ready task in hand; 0: none
  std::uint64_t held = 0;      ///< ready, but kept back by a breaker, a limit or a pause; about
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.queue, s.paused, s.ready, s.leased, s.backlog, s.workers, s.slots, s.oldest_ms, s.held);
  }
};
struct QueueList {
  std::vector<QueueView> queues;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.queues); }
};
struct WorkerView {
  std::string name, version;
  std::vector<std::string> queues;
  std::uint32_t slots = 0, used = 0;
  std::int64_t silent_ms = 0;
  bool draining = false;
  std::uint32_t hung = 0;  ///< of `used`: the attempt counts no more and does not come back
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.name, s.version, s.queues, s.slots, s.used, s.silent_ms, s.draining, s.hung);
  }
};
struct WorkerList {
  std::vector<WorkerView> workers;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.workers); }
};
/// A signal that is kept although no step takes it by itself.
struct SignalView {
  OrderId order;
  std::string name, dedup, who;
  std::string pipeline;      ///< that it names; empty: none
  std::int64_t seq = 0;      ///< its place: the cursor of the next page
  std::int64_t age_ms = 0;   ///< since it came
  std::uint32_t checks = 0;  ///< how often it was looked at in vain
  std::int64_t next_ms = 0;  ///< until it is looked at again
  std::uint64_t payload_bytes = 0;
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.order, s.name, s.dedup, s.who, s.pipeline, s.seq, s.age_ms, s.checks, s.next_ms,
      s.payload_bytes);
  }
};
struct SignalList {
  std::vector<SignalView> signals;
  bool is_last = true;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.signals, s.is_last); }
};

}  // namespace ordo::wire
