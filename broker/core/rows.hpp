// The rows of a shard's tables as values, and the changes that a commit makes to them. What core
// proposes and a store carries out; schema/sql/README.md explains the tables.
//
// Shapes:  one struct a table; a Change is one row that comes or goes. No row is ever updated.
// Threads: values; payloads and results are shared, immutable strings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

/// Immutable bytes that several owners hold (a payload on its way to tables and workers). Null:
/// none.
using Bytes = std::shared_ptr<const std::string>;

inline Bytes make_bytes(std::string bytes) {
  return std::make_shared<const std::string>(std::move(bytes));
}
inline std::string_view view(const Bytes& bytes) {
  return bytes ? std::string_view(*bytes) : std::string_view{};
}

/// `orders`: what was asked; never changes.
struct OrderRow {
  OrderId id;
  PipelineId pipeline = 0;
  std::uint8_t priority = 5;
  std::string key;       ///< the caller's business key; empty: none
  std::string customer;  ///< empty: none
  std::string labels;    ///< JSON object as text; empty: none
  std::string context;   ///< JSON object as text; empty: none
  Bytes payload;         ///< opaque; null: empty
  /// of everything the client gave: same id and other hash is a conflict
  std::uint64_t submit_hash = 0;
  std::optional<Wall> deadline;
  Wall accepted{};  ///< owner's wall time when it took the order
};

/// A row of `task` or the task part of `deferred`.
struct TaskRow {
  TaskKey key;
  std::string queue;
  std::uint8_t priority = 5;
  std::int64_t seq = 0;        ///< place in line: epoch << 40 | counter
  std::uint32_t attempt = 0;   ///< attempts that ended; the next or running one is attempt + 1
  std::uint16_t failures = 0;  ///< what burned the retry budget
  std::uint8_t losses = 0;     ///< workers lost on it since it last failed or succeeded
  bool maybe = false;          ///< an attempt of unknown outcome may have had its effect

  friend bool operator==(const TaskRow&, const TaskRow&) = default;
};

/// `deferred`: everything owed that is not in hand.
struct DeferredRow {
  TaskRow task;
  TaskState state = TaskState::kBacklog;  ///< backlog, scheduled, waiting, held or parked
  /// set exactly where state is scheduled or waiting (its timeout), or kind is deadline
  std::optional<Wall> run_at;
  std::string reason;  ///< one word or a short sentence for people; empty: none

  friend bool operator==(const DeferredRow&, const DeferredRow&) = default;
};

/// The reason of a backlog row that came in as all its order has: no other row, no event. That
/// stays true until the task has been given out, so a page of rows that nobody had need not look
/// for anything else of the order.
inline constexpr const char* kUntouched = "untouched";
inline bool is_untouched(const DeferredRow& row) {
  return row.state == TaskState::kBacklog && row.reason == kUntouched;
}

/// In the reason of a scheduled row: what follows is the value of `limit_key` whose turn its
/// task keeps. The migrations name these words too.
inline constexpr std::string_view kKeepsTurn = ", keeps the turn of ";
/// The value in such a reason; empty where there is none.
inline std::string_view kept_turn(std::string_view reason) {
  const auto at = reason.find(kKeepsTurn);
  return at == std::string_view::npos ? std::string_view{} : reason.substr(at + kKeepsTurn.size());
}
/// A turn that a scheduled task keeps.
struct KeptTurn {
  TaskKey key;
  std::string queue, value;

  friend bool operator==(const KeptTurn&, const KeptTurn&) = default;
};

/// `event`: what happened; only grows.
struct EventRow {
  OrderId order;
  std::int64_t seq = 0;  ///< epoch << 40 | counter, unique in the shard
  Wall at{};
  EventKind kind = EventKind::kSucceeded;
  std::optional<OrderStatus> status;  ///< set where the event changes the order's status
  std::optional<StepIndex> step;      ///< unset for events of the whole order
  BranchIndex branch = 0;
  TaskKind task_kind = TaskKind::kForward;
  std::uint32_t attempt = 0;
  std::string worker;    ///< name of the worker or of who acted; empty: none
  std::uint32_t ms = 0;  ///< how long the attempt ran as the owner saw it
  /// result (succeeded, operator_complete, signalled) or evidence (late_result, a late signal,
  /// merged)
  Bytes detail;
  /// JSON object as text: error, reason, who, why, context; empty: none
  std::string note;
};

/// `signal`: something from outside, kept until its step opens, or until it is known what to do
/// with it.
struct SignalRow {
  OrderId order;
  std::string name;
  std::int64_t seq = 0;  ///< epoch << 40 | counter, unique in the shard
  Wall at{};
  std::string dedup;         ///< what makes it the same when it comes again; never empty
  Bytes payload;             ///< null: empty
  std::string note;          ///< JSON object as text: signal, dedup, who, pipeline, context
  std::uint16_t checks = 0;  ///< how often it was looked at in vain
  /// when it is looked at: its order is not there, or it is late and owes an order. None: early
  std::optional<Wall> next_at;
};

/// `pipeline`: one immutable version.
struct PipelineRow {
  PipelineId id = 0;
  std::string name;
  std::uint32_t version = 1;
  std::string source;

  friend bool operator==(const PipelineRow&, const PipelineRow&) = default;
};

/// `queue_setting`: a queue that is not as it is by default.
struct QueueSetting {
  std::string queue;
  bool is_paused = false;
  std::string who;
  std::string why;

  friend bool operator==(const QueueSetting&, const QueueSetting&) = default;
};

/// on conflict: reported, and what hangs on it is left out
struct InsertOrder {
  OrderRow row;
};
struct InsertTask {
  TaskRow row;
};
struct InsertDeferred {
  DeferredRow row;
};
struct DeleteTask {
  TaskKey key;
};  ///< exactly one row must go
struct DeleteDeferred {
  TaskKey key;
};  ///< exactly one row must go
struct AppendEvent {
  EventRow row;
};
struct PutPipeline {
  PipelineRow row;
};  ///< same (name, version) with another id is a conflict
struct PutQueueSetting {
  QueueSetting row;
};

struct InsertSignal {
  SignalRow row;
};
struct DeleteSignal {
  OrderId order;
  std::int64_t seq = 0;
};  ///< exactly one row must go

using Change = std::variant<InsertOrder, InsertTask, InsertDeferred, DeleteTask, DeleteDeferred,
                            AppendEvent, PutPipeline, PutQueueSetting, InsertSignal, DeleteSignal>;

/// A step of an order that has ended well (or was skipped), as its event tells.
struct DoneStep {
  StepIndex step = 0;
  BranchIndex branch = 0;
  TaskKind kind = TaskKind::kForward;
  bool is_skipped = false;
  std::uint32_t attempt = 0;  ///< the attempt that was recorded
  Bytes result;
  std::string context;  ///< JSON object of context fields that it brought; empty: none
};

/// A step with `each` that has opened, as its event tells.
struct FannedStep {
  StepIndex step = 0;
  Bytes elements;  ///< JSON list
};

/// The reason in the note of a `signalled` event whose signal changed nothing.
inline constexpr const char* kLate = "late";

/// A signal that an event of its order tells of.
struct SeenSignal {
  std::string name, dedup;

  friend bool operator==(const SeenSignal&, const SeenSignal&) = default;
};

/// All that decides how an order goes on, as one read of its shard found it.
struct OrderSnapshot {
  OrderRow order;
  OrderStatus status = OrderStatus::kRunning;
  /// a cancel_requested event is there (status compensating or final)
  bool is_cancelled = false;
  bool is_ending = false;                ///< its end has begun: an event carries compensating
  std::optional<StepIndex> failed_step;  ///< whose permanent failure ended the order
  std::vector<TaskRow> tasks;            ///< its rows in `task`
  std::vector<DeferredRow> deferred;     ///< its rows in `deferred`
  std::vector<DoneStep> done;
  std::vector<FannedStep> fanned;
  /// steps, and their branches, that its end took with an unknown outcome
  std::vector<std::pair<StepIndex, BranchIndex>> cut;
  std::vector<SeenSignal> seen;    ///< signals that were taken or came too late
  std::vector<SignalRow> signals;  ///< its rows in `signal`, by seq: early ones
  bool knows_signals = false;      ///< signals were looked for; else it has none as a rule
  bool is_restored = false;        ///< it was rebuilt from a signal …
  /// … and its own submit has come since: the submit_hash of that
  std::optional<std::uint64_t> merged_hash;
  bool is_absent = false;  ///< there is no order, only `signals` (and `order.id`)
};

}  // namespace ordo
