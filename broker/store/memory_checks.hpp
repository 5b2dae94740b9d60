// The CHECKs of the tables, as the store in memory obeys them.
//
// Shapes:  what is wrong with a row, for people; empty: all is well.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "broker/core/rows.hpp"

namespace ordo {

/// What a CHECK of `deferred` would say; empty: all is well.
inline std::string_view problem_of(const DeferredRow& row) {
  if (row.state != TaskState::kBacklog && row.state != TaskState::kScheduled &&
      row.state != TaskState::kWaiting && row.state != TaskState::kHeld &&
      row.state != TaskState::kParked) {
    return "a deferred task is backlog, scheduled, waiting, held or parked";
  }
  const bool wants_time = row.state == TaskState::kScheduled || row.state == TaskState::kWaiting ||
                          row.task.key.kind == TaskKind::kDeadline;
  if (wants_time != row.run_at.has_value())
    return "run_at is set exactly where a task is scheduled or waiting";
  if (row.task.queue.empty() && row.task.key.kind != TaskKind::kDeadline) {
    return "a deferred task has a queue";
  }
  return {};
}

/// What a CHECK of `event` would say; empty: all is well.
inline std::string_view problem_of(const EventRow& row) {
  const bool may_have_bytes =
      row.kind == EventKind::kSucceeded || row.kind == EventKind::kOperatorComplete ||
      row.kind == EventKind::kLateResult || row.kind == EventKind::kFannedOut ||
      row.kind == EventKind::kSignalled || row.kind == EventKind::kMerged;
  if (row.detail != nullptr && !may_have_bytes)
    return "only results, lists and evidence have bytes";
  const bool is_of_order = row.kind == EventKind::kCancelRequested ||
                           row.kind == EventKind::kDeadlineMissed ||
                           row.kind == EventKind::kEnded || row.kind == EventKind::kSignalled ||
                           row.kind == EventKind::kRestored || row.kind == EventKind::kMerged;
  if (!row.step && !is_of_order) return "an event of a task names its step";
  if (row.kind == EventKind::kEnded && (!row.status || !is_final(*row.status))) {
    return "an end carries a final status";
  }
  return {};
}

}  // namespace ordo
