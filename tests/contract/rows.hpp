// Rows and writes for the contract suite, short to write.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/store/store.hpp"

namespace ordo::testing {

/// The n-th order: ids ascend with n. All within one hour, well inside any partition made for the
/// present.
OrderId order_id(int n);
OrderRow order_row(int n, const std::string& payload = "{}");
TaskRow task_row(int n, StepIndex step = 0, std::int64_t seq = 1);
DeferredRow backlog_row(int n, std::int64_t seq, const std::string& queue = "q",
                        std::uint8_t priority = 5);
DeferredRow scheduled_row(int n, std::int64_t seq, Wall run_at);
EventRow event_row(int n, std::int64_t seq, EventKind kind, StepIndex step = 0);

SignalRow signal_row(int n, std::int64_t seq, const std::string& dedup);
/// What a taken (reason empty) or late signal leaves.
EventRow signalled_row(int n, std::int64_t seq, const std::string& reason);

/// A write of order n.
StoreWrite write_of(int n, std::vector<Change> changes);
/// The write that takes order n: its row and a first task.
StoreWrite submit_of(int n);

/// Where the suite's time starts.
Wall start_time();

}  // namespace ordo::testing
