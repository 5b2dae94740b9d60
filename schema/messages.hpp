// The wire: one struct a message. docs/protocol.md is the specification; this is its shape in C++.
//
// Shapes:  a frame is one msgpack array [protocol, type, field…]; nested structs are arrays of
//          their fields, in the order of fields(). Fields are only ever added at the end; a
//          receiver ignores the ones it does not know and gives the ones that are missing their
//          default.
// Units:   durations in ms, never instants; sizes in bytes. Bounds: limits.hpp.
// Errors:  decoding never throws and trusts nothing (codec.hpp).
// Threads: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ordo/result.hpp"
#include "schema/bodies.hpp"
#include "schema/limits.hpp"
#include "schema/vocabulary.hpp"

namespace ordo::wire {

inline constexpr std::uint32_t kProtocol = 1;

/// 128 random bits that name a peer's session; drawn by the peer, never a routing id.
using SessionId = std::array<std::uint8_t, 16>;

// ---- parts -------------------------------------------------------------------------------------

struct ShardEntry {
  ShardNumber shard = 0;
  std::uint32_t weight = 1;  ///< 0: takes no new orders
  std::string endpoint;      ///< of the owner's client socket; empty: this broker
  template <class S, class F> static void fields(S& s, F&& f) { f(s.shard, s.weight, s.endpoint); }
};

struct OrderRequest {
  std::uint64_t request = 0;  ///< the client's number; the answer carries it
  OrderId id;
  std::string pipeline;  ///< name; its newest version is taken
  std::uint8_t priority = 5;
  std::string payload;                         ///< opaque
  std::uint64_t delay_ms = 0;                  ///< start no earlier
  std::uint64_t deadline_ms = 0;               ///< 0: the pipeline's
  std::string key, customer, labels, context;  ///< empty: none; labels and context are JSON objects
  std::string traceparent, tracestate;         ///< empty: none; no content of the order
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.id, s.pipeline, s.priority, s.payload, s.delay_ms, s.deadline_ms, s.key,
      s.customer, s.labels, s.context, s.traceparent, s.tracestate);
  }
};

/// One answer. `code` 0 is ok; else a Code with reason and message.
struct Answer {
  std::uint64_t request = 0;
  std::uint8_t code = 0;
  std::string reason, message;
  std::uint64_t retry_after_ms = 0;
  std::string body;  ///< encoded view, by the request's type (codec.hpp: decode_body)
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.code, s.reason, s.message, s.retry_after_ms, s.body);
  }
};

struct HeldTask {
  TaskKey key;
  Fence fence;
  bool has_result = false;  ///< finished, the result is waiting to be recorded
  template <class S, class F> static void fields(S& s, F&& f) { f(s.key, s.fence, s.has_result); }
};

struct StepResult {
  std::string step;
  BranchIndex branch = 0;
  std::string result;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.step, s.branch, s.result); }
};

/// One task for a worker.
struct Offer {
  TaskKey key;
  Fence fence;
  std::string pipeline;
  std::uint32_t version = 1;
  std::string step, handler, queue;
  std::uint64_t timeout_ms = 0;   ///< of this attempt, from receipt
  std::uint64_t deadline_ms = 0;  ///< until the order's deadline; 0: none
  bool maybe = false;             ///< an earlier attempt may have had its effect
  std::uint8_t priority = 5;
  std::string payload, context;
  std::vector<StepResult> results;      ///< of the steps it depends on, direct and transitive
  std::string traceparent, tracestate;  ///< the order's; empty: none
  std::string element;  ///< JSON text of the branch's element; empty: the step does not fan out
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.key, s.fence, s.pipeline, s.version, s.step, s.handler, s.queue, s.timeout_ms,
      s.deadline_ms, s.maybe, s.priority, s.payload, s.context, s.results, s.traceparent,
      s.tracestate, s.element);
  }
};

/// What an attempt came to.
struct TaskResult {
  TaskKey key;
  Fence fence;
  std::uint8_t outcome = 0;    ///< Outcome
  std::string result;          ///< succeeded
  std::string context;         ///< succeeded: JSON object of context fields to set; empty: none
  std::string error, reason;   ///< transient, permanent: text; permanent: business reason
  std::uint64_t delay_ms = 0;  ///< snooze: how long; transient: retry after (0: the policy decides)
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.key, s.fence, s.outcome, s.result, s.context, s.error, s.reason, s.delay_ms);
  }
};

/// The broker's word on a TaskResult: code 0 recorded (now or before), kStale refused; either way
/// forget it.
struct Recorded {
  TaskKey key;
  Fence fence;
  std::uint8_t code = 0;
  std::string reason;
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.key, s.fence, s.code, s.reason);
  }
};

struct Regrant {
  TaskKey key;
  Fence old_fence, new_fence;  ///< the worker goes on under the new one
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.key, s.old_fence, s.new_fence);
  }
};

/// The attempt counts no more. The worker answers each Revoked with a TaskResult once the attempt
/// is over (outcome unknown where it had not begun): until then the broker counts its slot as
/// taken.
struct Revoked {
  TaskKey key;
  Fence fence;
  std::string reason;  ///< "timeout", "cancelled", "superseded"
  template <class S, class F> static void fields(S& s, F&& f) { f(s.key, s.fence, s.reason); }
};

struct Progress {
  TaskKey key;
  Fence fence;
  std::string note;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.key, s.fence, s.note); }
};

// ---- both ways ---------------------------------------------------------------------------------

/// Every second, on the same path as work. `received`: how many items this side got in this
/// session, `sent`: how many it sent. Items are offers and results between broker and worker,
/// requests and answers between broker and client; counting starts anew with every hello.
struct Beat {
  std::uint64_t sent = 0, received = 0;
  std::vector<Progress> progress;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.sent, s.received, s.progress); }
};

/// Broker to a peer: I do not know your session (or lost count): say hello again.
struct SayHello {
  std::string reason;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.reason); }
};

/// Broker to a peer, answer to a hello.
struct Welcome {
  SessionId session{};  ///< the peer's, echoed
  std::string broker;   ///< random instance name
  std::string version;  ///< of the broker, for people
  std::uint64_t beat_ms = 1000;
  std::uint64_t silence_ms = 3000;  ///< after which a silent side is given up
  std::uint64_t frame_bytes = limits::kFrameBytes;
  std::vector<ShardEntry> shards;
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.session, s.broker, s.version, s.beat_ms, s.silence_ms, s.frame_bytes, s.shards);
  }
};

/// A frame was refused as a whole (undecodable, unknown type, too large).
struct Refusal {
  std::uint8_t code = 0;
  std::string reason, message;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.code, s.reason, s.message); }
};

// ---- client → broker ---------------------------------------------------------------------------

struct ClientHello {
  SessionId session{};
  std::string name, version;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.session, s.name, s.version); }
};

struct Submit {
  std::vector<OrderRequest> orders;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.orders); }
};

/// Answered when the order has ended or parked (step empty), or when the step has succeeded (or
/// never can). Body: OrderSummary.
struct Wait {
  std::uint64_t request = 0;
  OrderId id;
  std::string step;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.id, s.step); }
};
/// Forget a Wait or a Watch; not answered.
struct Unwait {
  std::uint64_t request = 0;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request); }
};
/// The order's events after a cursor, now and as they come. Answers with body EventPage, one after
/// another, until one says `is_last`.
struct Watch {
  std::uint64_t request = 0;
  OrderId id;
  std::int64_t after_seq = 0;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.id, s.after_seq); }
};
/// Body: OrderView.
struct Get {
  std::uint64_t request = 0;
  OrderId id;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.id); }
};
enum class ListWhat : std::uint8_t { kCustomer = 0, kOpen = 1, kParked = 2, kRecent = 3 };
/// One shard's page. Body: OrderPage.
struct List {
  std::uint64_t request = 0;
  ShardNumber shard = 0;
  std::uint8_t what = 0;  ///< ListWhat
  std::string customer;
  OrderId after;  ///< zero: from the start
  std::uint32_t limit = 100;
  std::string pipeline;  ///< name; empty: of all
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.shard, s.what, s.customer, s.after, s.limit, s.pipeline);
  }
};
struct Cancel {
  std::uint64_t request = 0;
  OrderId id;
  std::string who, why;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.id, s.who, s.why); }
};
enum class Verb : std::uint8_t { kRetry = 0, kSkip = 1, kComplete = 2, kCompensate = 3 };
/// An operator's word on a parked (or, for retry, scheduled) task of a step.
struct Operate {
  std::uint64_t request = 0;
  std::uint8_t verb = 0;
  OrderId id;
  std::string step;
  BranchIndex branch = 0;
  std::string result;     ///< kComplete
  std::string who, why;   ///< both required
  std::uint8_t kind = 0;  ///< TaskKind of the task: 0 what the step does, 1 what undoes it
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.verb, s.id, s.step, s.branch, s.result, s.who, s.why, s.kind);
  }
};
/// Why an order does not move. Body: Explanation.
struct Explain {
  std::uint64_t request = 0;
  OrderId id;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.id); }
};
/// Stores a pipeline version in every shard. Body: PipelineView.
struct PutPipeline {
  std::uint64_t request = 0;
  std::string source;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.source); }
};
/// All versions (name empty) or one (version 0: the newest). Body: PipelineList.
struct GetPipelines {
  std::uint64_t request = 0;
  std::string name;
  std::uint32_t version = 0;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request, s.name, s.version); }
};
/// Body: QueueList.
struct GetQueues {
  std::uint64_t request = 0;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request); }
};
struct SetQueue {
  std::uint64_t request = 0;
  std::string queue;
  bool paused = false;
  std::string who, why;
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.queue, s.paused, s.who, s.why);
  }
};
/// Body: WorkerList.
struct GetWorkers {
  std::uint64_t request = 0;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.request); }
};

/// Something from outside that a step of the order waits for. Durable when it is answered; the same
/// again (order, name, dedup) changes nothing.
struct Signal {
  std::uint64_t request = 0;
  OrderId id;
  std::string name;
  std::string payload;   ///< opaque; the step's result
  std::string dedup;     ///< empty: the payload's hash
  std::string pipeline;  ///< that the order must run; empty: any
  std::string context;   ///< JSON object of context fields to set; empty: none
  std::string who;       ///< kept with it; empty: nobody
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.id, s.name, s.payload, s.dedup, s.pipeline, s.context, s.who);
  }
};

/// Signals that are kept although no step will take them by itself: their order is not there, or
/// they are late and an order is owed for them. One shard's page, oldest first. Body: SignalList.
struct GetSignals {
  std::uint64_t request = 0;
  ShardNumber shard = 0;
  std::int64_t after_seq = 0;
  std::uint32_t limit = 100;
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.request, s.shard, s.after_seq, s.limit);
  }
};

// ---- broker → client ---------------------------------------------------------------------------

struct Answers {
  std::vector<Answer> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};

// ---- worker → broker ---------------------------------------------------------------------------

/// Between its hello and the Welcome a worker drops every offer: the broker has counted them as
/// lost.
struct WorkerHello {
  SessionId session{};
  std::string name, version;
  std::vector<std::string> queues;
  std::uint32_t slots = 1;     ///< tasks it holds at most: running and taken ahead
  std::vector<HeldTask> held;  ///< what it is running and which results it holds
  template <class S, class F> static void fields(S& s, F&& f) {
    f(s.session, s.name, s.version, s.queues, s.slots, s.held);
  }
};
struct Results {
  std::vector<TaskResult> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};
/// No more offers, please: the worker is draining. `hand_back`: tasks it has not begun and gives
/// back.
struct Drain {
  std::vector<HeldTask> hand_back;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.hand_back); }
};
/// The worker leaves; whatever it still held is lost to it.
struct Goodbye {
  std::string reason;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.reason); }
};

// ---- broker → worker ---------------------------------------------------------------------------

struct Offers {
  std::vector<Offer> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};
struct RecordedItems {
  std::vector<Recorded> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};
struct Regrants {
  std::vector<Regrant> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};
struct Revokes {
  std::vector<Revoked> items;
  template <class S, class F> static void fields(S& s, F&& f) { f(s.items); }
};

/// Every message there is. The position in this list is the type's number on the wire and never
/// changes.
using Message =
    std::variant<Beat, SayHello, Welcome, Refusal,                                      // 0-3
                 ClientHello, Submit, Wait, Unwait, Watch, Get, List, Cancel, Operate,  // 4-12
                 Explain, PutPipeline, GetPipelines, GetQueues, SetQueue, GetWorkers,   // 13-18
                 Answers,                                                               // 19
                 WorkerHello, Results, Drain, Goodbye,                                  // 20-23
                 Offers, RecordedItems, Regrants, Revokes,                              // 24-27
                 Signal, GetSignals>;                                                   // 28-29

}  // namespace ordo::wire
