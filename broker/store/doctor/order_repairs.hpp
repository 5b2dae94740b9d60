// The statements that repair one order. Each names its rows by key, so that it says the same when
// it is printed and when it is run.
//
// Shapes:  every repair of an order that is there ends with an event: who did it, why, and the
//          word of the finding.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "broker/store/doctor/finding.hpp"

namespace ordo::doctor {

/// Names a row of `task` or `deferred`.
struct RowName {
  std::string table, order;
  int step = 0, branch = 0, kind = 0;
};

struct EventText {
  std::string order, kind;
  std::string status{};       ///< empty: it changes none
  std::optional<int> step{};  ///< nothing: it is about the whole order
  int branch = 0, task_kind = 0, attempt = 0;
  std::string_view word{};  ///< of the finding
};

/// What an operator did with a row that must not be there. The vocabulary has no kind of its own
/// for it; this one decides nothing when an order is read.
inline constexpr const char* kRepairEvent = "operator_retry";

Statement delete_row(const RowName& row);
Statement append_event(const EventText& event);

/// A task that goes out again: a backlog row, because that is paged in however much waits.
struct Reopened {
  RowName row;
  std::string queue;
  int priority = 5;
  int attempt = 0;
};
Statement reopen(const Reopened& task);

}  // namespace ordo::doctor
