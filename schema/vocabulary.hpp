// The words of ordo as types: ids, states, the transition table as data. Core, SQL CHECKs,
// documents and tests all read them from here.
//
// Shapes:  plain values; every enum has to_string() with the word used in SQL, JSON, logs and
//          documents.
// Threads: plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "ordo/order_id.hpp"

namespace ordo {

using ShardNumber = std::uint16_t;  ///< 0 to 4095
using StepIndex = std::uint16_t;    ///< position of a step in its pipeline version, from 0
using BranchIndex = std::uint16_t;  ///< which element of a fan-out; 0 where a step does not fan out
using PipelineId = std::int64_t;    ///< content hash of a pipeline version: the same in every shard

/// What an order is as a whole. The last three are final.
enum class OrderStatus : std::uint8_t {
  kRunning,
  kCompensating,
  kParked,
  kPaused,
  kSucceeded,
  kFailed,
  kCancelled
};
/// kFallback: the step's other handler, after its own has failed for good.
enum class TaskKind : std::uint8_t { kForward = 0, kCompensate = 1, kDeadline = 2, kFallback = 3 };

/// What a task is. `kReady` and `kLeased` are rows of `task`; `kBacklog` to `kParked` rows of
/// `deferred`; the rest have no row any more, only events.
enum class TaskState : std::uint8_t {
  kReady,
  kLeased,
  kBacklog,
  kScheduled,
  kWaiting,
  kHeld,
  kParked,
  kSucceeded,
  kFailed,
  kSkipped,
  kCancelled
};

/// Why a task changes state.
enum class Cause : std::uint8_t {
  kDispatched,
  kSucceeded,
  kAttemptFailed,
  kSnoozed,
  kWorkerLost,
  kHandedBack,
  kExhausted,
  kPoisoned,
  kFailed,
  kDue,
  kPagedIn,
  kWindowFull,
  kHeld,
  kOperatorRetry,
  kOperatorSkip,
  kOperatorComplete,
  kOrderEnding,
  kMustNotFail,
  kOptional,
  kFellBack,
  kFailedAside,
  kAdmitted,
  kSignalled,
  kTimedOut,
  kWaitSkipped
};

/// What an event says happened.
enum class EventKind : std::uint8_t {
  kSucceeded,        ///< an attempt succeeded; `detail` is its result
  kAttemptFailed,    ///< transient, timeout or unknown; the task goes out again
  kSnoozed,          ///< the handler asked to be called later; nothing burned
  kWorkerLost,       ///< the worker holding the attempt fell silent or said goodbye
  kParked,           ///< exhausted or poisonous; waits for an operator
  kFailed,           ///< permanent failure of a step
  kCancelRequested,  ///< a client or operator cancelled the order
  kDeadlineMissed,   ///< the order's deadline passed
  kEnded,       ///< the last of an ending order is finished or undone; carries the final status
  kLateResult,  ///< refused as stale, kept as evidence (hash, size, first KiB)
  kOperatorRetry,
  kOperatorSkip,
  kOperatorComplete,
  kCut,  ///< the order's end took a task of unknown outcome; attempt 0: none was running
  kOperatorCompensate,  ///< somebody gave up on a parked task: the order ends as failed
  kSkipped,             ///< the step is done without a result; `note` says why
  kFellBack,            ///< its own handler failed for good; its other one is asked
  kFannedOut,           ///< a step with `each` opened; `detail` is the list of its elements
  kSignalled,           ///< a signal: its step is done, or (reason `late`) it is kept as evidence
  kRestored,            ///< the order was not there, and was rebuilt from a signal
  kMerged               ///< its own submit came after that; `detail` is the payload that it had
};

/// What an attempt came to, in the worker's words.
enum class Outcome : std::uint8_t { kSucceeded, kTransient, kPermanent, kSnooze, kUnknown };

constexpr std::string_view to_string(OrderStatus s) {
  constexpr std::array<std::string_view, 7> kWords{
      "running", "compensating", "parked", "paused", "succeeded", "failed", "cancelled"};
  return kWords[static_cast<std::size_t>(s)];
}
constexpr std::string_view to_string(TaskKind k) {
  constexpr std::array<std::string_view, 4> kWords{"forward", "compensate", "deadline", "fallback"};
  return kWords[static_cast<std::size_t>(k)];
}
constexpr std::string_view to_string(TaskState s) {
  constexpr std::array<std::string_view, 11> kWords{"ready",   "leased",  "backlog",  "scheduled",
                                                    "waiting", "held",    "parked",   "succeeded",
                                                    "failed",  "skipped", "cancelled"};
  return kWords[static_cast<std::size_t>(s)];
}
constexpr std::string_view to_string(Cause c) {
  constexpr std::array<std::string_view, 25> kWords{
      "dispatched",        "succeeded",    "attempt failed", "snoozed",        "worker lost",
      "handed back",       "exhausted",    "poisoned",       "failed",         "due",
      "paged in",          "window full",  "held",           "operator retry", "operator skip",
      "operator complete", "order ending", "must not fail",  "optional",       "fell back",
      "failed aside",      "admitted",     "signalled",      "timed out",      "wait skipped"};
  return kWords[static_cast<std::size_t>(c)];
}
constexpr std::string_view to_string(EventKind k) {
  constexpr std::array<std::string_view, 21> kWords{"succeeded",
                                                    "attempt_failed",
                                                    "snoozed",
                                                    "worker_lost",
                                                    "parked",
                                                    "failed",
                                                    "cancel_requested",
                                                    "deadline_missed",
                                                    "ended",
                                                    "late_result",
                                                    "operator_retry",
                                                    "operator_skip",
                                                    "operator_complete",
                                                    "cut",
                                                    "operator_compensate",
                                                    "skipped",
                                                    "fell_back",
                                                    "fanned_out",
                                                    "signalled",
                                                    "restored",
                                                    "merged"};
  return kWords[static_cast<std::size_t>(k)];
}
constexpr std::string_view to_string(Outcome o) {
  constexpr std::array<std::string_view, 5> kWords{"succeeded", "transient", "permanent", "snooze",
                                                   "unknown"};
  return kWords[static_cast<std::size_t>(o)];
}

constexpr bool is_final(OrderStatus s) {
  return s == OrderStatus::kSucceeded || s == OrderStatus::kFailed || s == OrderStatus::kCancelled;
}
constexpr bool is_final(TaskState s) { return s >= TaskState::kSucceeded; }

/// How many there are of each, for loops over all of them.
inline constexpr std::size_t kOrderStatuses = 7;
inline constexpr std::size_t kTaskStates = 11;
inline constexpr std::size_t kCauses = 24;
inline constexpr std::size_t kEventKinds = 21;

/// Finds the enum value of a word; nullopt for a word that is none of them.
template <class Enum, std::size_t Count>
constexpr std::optional<Enum> from_word(std::string_view word) {
  for (std::size_t i = 0; i < Count; ++i) {
    if (to_string(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

/// One legal change of a task's state.
struct Transition {
  TaskState from;
  Cause cause;
  TaskState to;
};

/// Every legal change. Core refuses others (ORDO_CHECK), docs/states.md draws exactly these, the
/// simulator fails a run in which one of them never happened.
inline constexpr std::array kTransitions{
    Transition{TaskState::kReady, Cause::kDispatched, TaskState::kLeased},
    Transition{TaskState::kLeased, Cause::kSucceeded, TaskState::kSucceeded},
    Transition{TaskState::kLeased, Cause::kAttemptFailed, TaskState::kScheduled},
    Transition{TaskState::kLeased, Cause::kSnoozed, TaskState::kScheduled},
    Transition{TaskState::kLeased, Cause::kWorkerLost, TaskState::kReady},
    Transition{TaskState::kLeased, Cause::kHandedBack, TaskState::kReady},
    Transition{TaskState::kLeased, Cause::kExhausted, TaskState::kParked},
    Transition{TaskState::kLeased, Cause::kPoisoned, TaskState::kParked},
    Transition{TaskState::kLeased, Cause::kFailed, TaskState::kFailed},
    Transition{TaskState::kLeased, Cause::kMustNotFail, TaskState::kParked},
    Transition{TaskState::kLeased, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kReady, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kReady, Cause::kWindowFull, TaskState::kBacklog},
    Transition{TaskState::kReady, Cause::kHeld, TaskState::kHeld},
    Transition{TaskState::kHeld, Cause::kAdmitted, TaskState::kReady},
    Transition{TaskState::kHeld, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kBacklog, Cause::kPagedIn, TaskState::kReady},
    Transition{TaskState::kBacklog, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kScheduled, Cause::kDue, TaskState::kReady},
    Transition{TaskState::kScheduled, Cause::kWindowFull, TaskState::kBacklog},
    Transition{TaskState::kScheduled, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kScheduled, Cause::kOperatorRetry, TaskState::kReady},
    Transition{TaskState::kParked, Cause::kOperatorRetry, TaskState::kReady},
    Transition{TaskState::kParked, Cause::kOperatorSkip, TaskState::kSkipped},
    Transition{TaskState::kParked, Cause::kOperatorComplete, TaskState::kSucceeded},
    Transition{TaskState::kParked, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kLeased, Cause::kOptional, TaskState::kSkipped},
    Transition{TaskState::kLeased, Cause::kFellBack, TaskState::kFailed},
    Transition{TaskState::kLeased, Cause::kFailedAside, TaskState::kParked},
    Transition{TaskState::kWaiting, Cause::kSignalled, TaskState::kSucceeded},
    Transition{TaskState::kWaiting, Cause::kTimedOut, TaskState::kFailed},
    Transition{TaskState::kWaiting, Cause::kWaitSkipped, TaskState::kSkipped},
    Transition{TaskState::kWaiting, Cause::kOrderEnding, TaskState::kCancelled},
    Transition{TaskState::kWaiting, Cause::kMustNotFail, TaskState::kParked},
    Transition{TaskState::kParked, Cause::kSignalled, TaskState::kSucceeded},
};

/// Where `cause` leads from `from`, or nullopt where it is not legal.
constexpr std::optional<TaskState> next_state(TaskState from, Cause cause) {
  for (const auto& t : kTransitions) {
    if (t.from == from && t.cause == cause) return t.to;
  }
  return std::nullopt;
}
static_assert(next_state(TaskState::kLeased, Cause::kSucceeded) == TaskState::kSucceeded);
static_assert(!next_state(TaskState::kSucceeded, Cause::kDispatched));

/// Names one task: one step (and branch) of one order, forward or compensating.
struct TaskKey {
  OrderId order;
  StepIndex step = 0;
  BranchIndex branch = 0;
  TaskKind kind = TaskKind::kForward;

  friend auto operator<=>(const TaskKey&, const TaskKey&) = default;
};

/// What an answer about a task must match to count: the database's timeline, the owner's epoch, the
/// attempt. Compared in this order; a lower one is stale.
struct Fence {
  std::uint32_t timeline = 0;
  std::uint32_t epoch = 0;
  std::uint32_t attempt = 0;

  friend auto operator<=>(const Fence&, const Fence&) = default;
};

}  // namespace ordo

template <> struct std::hash<ordo::TaskKey> {
  std::size_t operator()(const ordo::TaskKey& key) const noexcept {
    const std::size_t place = (std::size_t{key.step} << 24) | (std::size_t{key.branch} << 8) |
                              static_cast<std::size_t>(key.kind);
    return std::hash<ordo::OrderId>{}(key.order) ^ (place * 0x9e3779b97f4a7c15ULL);
  }
};
