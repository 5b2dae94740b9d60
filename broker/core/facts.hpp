// Facts: what the core saw, in words of the domain. One probe turns them into metrics; logs,
//        transcripts and tests read the same stream. The core never counts for others.
//
// Shapes:  one struct; which fields mean something stands beside each kind.
// Threads: values; `pipeline`, `step`, `queue`, `dependency` point to names that live as long as
//          the engine, or are null.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "ordo/result.hpp"
#include "schema/messages.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

enum class FactKind : std::uint8_t {
  kOrderAccepted,   ///< durable; pipeline, took = arrival to durable
  kOrderDuplicate,  ///< a submit found its order already there; pipeline
  kOrderRefused,    ///< a submit was rejected; text = reason
  kOrderEnded,      ///< status, pipeline, took = accepted to end
  kTaskReady,       ///< queue, step
  kTaskDispatched,  ///< queue, step, took = ready to dispatch, text empty
  kTaskEnded,       ///< pipeline, step, queue, outcome word in text, took = dispatch to result
  kTaskRetried,     ///< pipeline, step, took = delay
  kTaskAlarm,       ///< pipeline, step, count = failures
  kTaskParked,      ///< pipeline, step, text = why
  kTaskTimedOut,    ///< pipeline, step
  kTaskCancelled,   ///< pipeline, step
  kLeaseLost,       ///< worker lost or said goodbye; pipeline, step
  kHandedBack,      ///< pipeline, step
  kResultStale,     ///< refused; pipeline and step where known
  kResultRepeated,  ///< recorded before; answered again
  kTaskAdopted,     ///< after takeover a worker claimed what it runs
  kBacklogged,      ///< queue; a task went to the backlog
  kPagedIn,         ///< queue, count = tasks
  kJoinFired,       ///< a step with several predecessors opened; pipeline, step
  kWorkerJoined,    ///< text = name, count = slots
  kWorkerResynced,  ///< text = name: a session said hello again
  kWorkerLost,      ///< text = name
  kWorkerLeft,      ///< text = name: said goodbye
  kShardOpened,     ///< shard, count = epoch, took unused
  kShardLost,       ///< shard, text = why
  kShardRefused,    ///< shard, text = why, count = 1 where another session owns it
  kWriteRejected,   ///< shard, text = the server's words: a culprit isolated
  kRowMissing,      ///< shard: a row to delete was not there; the shard is taken anew
  kBusy,            ///< text = reason
  kWaitGivenUp,     ///< somebody who waited for an order took that back, as a rule out of time
  kPipelineKnown,   ///< pipeline, step: one for each of its steps
  /// from, cause, to: one change of a task's state (for the simulator's coverage)
  kTransition,
  kCompensationBegun,  ///< the first step of an ending order is being undone; pipeline
  kCompensationEnded,  ///< everything is undone, durable; pipeline, took = accepted to end
  kDeadlineMissed,     ///< by an order that only goes forward; pipeline
  kStepSkipped,        ///< pipeline, step, text = the reason: "when", "optional", "timeout" …
  kFellBack,           ///< its own handler failed for good, its fallback is asked; pipeline, step
  kDependencyState,    ///< dependency, text = what its breaker is: closed, open, probing, ramping
  kTaskHeld,           ///< queue, step; text = what keeps it back
  /// pipeline, step, text = "taken", "early", "late", "repeated", "kept" or "not_awaited"
  kSignal,
  kWaitTimedOut,   ///< pipeline, step: no signal came in time
  kLateStarted,    ///< an order was started for a late signal; pipeline = of that order, step
  kOrderRestored,  ///< rebuilt from a signal; pipeline
  kOrderMerged,    ///< the submit of a restored order came; pipeline
  kSignalStuck     ///< kept, and no rule says what to do with it; text = its name
};

inline constexpr std::array<std::string_view, 46> kFactWords{"order_accepted",
                                                             "order_duplicate",
                                                             "order_refused",
                                                             "order_ended",
                                                             "task_ready",
                                                             "task_dispatched",
                                                             "task_ended",
                                                             "task_retried",
                                                             "task_alarm",
                                                             "task_parked",
                                                             "task_timed_out",
                                                             "task_cancelled",
                                                             "lease_lost",
                                                             "handed_back",
                                                             "result_stale",
                                                             "result_repeated",
                                                             "task_adopted",
                                                             "backlogged",
                                                             "paged_in",
                                                             "join_fired",
                                                             "worker_joined",
                                                             "worker_resynced",
                                                             "worker_lost",
                                                             "worker_left",
                                                             "shard_opened",
                                                             "shard_lost",
                                                             "shard_refused",
                                                             "write_rejected",
                                                             "row_missing",
                                                             "busy",
                                                             "wait_given_up",
                                                             "pipeline_known",
                                                             "transition",
                                                             "compensation_begun",
                                                             "compensation_ended",
                                                             "deadline_missed",
                                                             "step_skipped",
                                                             "fell_back",
                                                             "dependency_state",
                                                             "task_held",
                                                             "signal",
                                                             "wait_timed_out",
                                                             "late_started",
                                                             "order_restored",
                                                             "order_merged",
                                                             "signal_stuck"};

constexpr std::string_view to_string(FactKind kind) {
  return kFactWords[static_cast<std::size_t>(kind)];
}

struct Fact {
  FactKind kind = FactKind::kOrderAccepted;
  ShardNumber shard = 0;
  TaskKey key;  ///< order (and task) it is about; zero where none
  const std::string* pipeline = nullptr;
  const std::string* step = nullptr;
  const std::string* queue = nullptr;
  const std::string* dependency = nullptr;  ///< that the step uses; null: none
  Micros took{0};
  std::uint64_t count = 0;
  std::uint32_t attempt = 0;        ///< of a task's facts: the attempt that it is about
  std::array<char, 32> trace_id{};  ///< of the order; zeros: it has no trace
  /// Which worker it is about, a number that its session keeps; 0: none or unknown.
  std::uint64_t worker = 0;
  OrderStatus status = OrderStatus::kRunning;
  TaskState from = TaskState::kReady;  ///< kTransition
  Cause cause = Cause::kDispatched;    ///< kTransition
  TaskState to = TaskState::kReady;    ///< kTransition
  std::string text;
  // What did not work, for the log: set where an attempt or a result failed.
  std::string worker_name;
  std::string error;
};

/// One client's session, as the core is asked for it.
struct ClientCounts {
  wire::SessionId session{};
  std::string name;
  std::uint64_t answers = 0;  ///< since its hello …
  std::uint64_t busy = 0;     ///< … of which those that sent it away,
  std::uint64_t failed = 0;   ///< … and those where something of ours did not work
};

}  // namespace ordo
