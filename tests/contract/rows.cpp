#include "tests/contract/rows.hpp"

#include "base/clock.hpp"

namespace ordo::testing {

Wall start_time() {
  // The present, so that the partitions which a fresh shard has hold the ids; whole ms, as tables
  // keep it.
  static const Wall kStart = wall_from_ms(to_ms(wall_now()));
  return kStart;
}

OrderId order_id(int n) {
  return OrderId::make(to_ms(start_time()) + n, 1, static_cast<std::uint64_t>(n) + 1);
}

OrderRow order_row(int n, const std::string& payload) {
  OrderRow row;
  row.id = order_id(n);
  row.pipeline = 77;
  row.priority = 3;
  row.customer = "c" + std::to_string(n % 2);
  row.labels = R"({"shop":"north"})";
  row.context = R"({"level":"gold"})";
  row.payload = payload.empty() ? nullptr : make_bytes(payload);
  row.submit_hash = 1000 + static_cast<std::uint64_t>(n);
  row.accepted = start_time() + Millis{n};
  return row;
}

TaskRow task_row(int n, StepIndex step, std::int64_t seq) {
  TaskRow row;
  row.key = {order_id(n), step, 0, TaskKind::kForward};
  row.queue = "q";
  row.priority = 5;
  row.seq = seq;
  return row;
}

DeferredRow backlog_row(int n, std::int64_t seq, const std::string& queue, std::uint8_t priority) {
  DeferredRow row;
  row.task = task_row(n, 0, seq);
  row.task.queue = queue;
  row.task.priority = priority;
  row.state = TaskState::kBacklog;
  return row;
}

DeferredRow scheduled_row(int n, std::int64_t seq, Wall run_at) {
  DeferredRow row;
  row.task = task_row(n, 0, seq);
  row.state = TaskState::kScheduled;
  row.run_at = run_at;
  row.reason = "retry";
  return row;
}

EventRow event_row(int n, std::int64_t seq, EventKind kind, StepIndex step) {
  EventRow row;
  row.order = order_id(n);
  row.seq = seq;
  row.at = start_time() + Millis{seq};
  row.kind = kind;
  row.step = step;
  row.attempt = 1;
  row.worker = "w1";
  row.ms = 12;
  return row;
}

SignalRow signal_row(int n, std::int64_t seq, const std::string& dedup) {
  SignalRow row;
  row.order = order_id(n);
  row.name = "payment";
  row.seq = seq;
  row.at = start_time() + Millis{seq};
  row.dedup = dedup;
  row.payload = make_bytes("paid");
  row.note = R"({"dedup":")" + dedup + R"(","signal":"payment"})";
  return row;
}

EventRow signalled_row(int n, std::int64_t seq, const std::string& reason) {
  EventRow row = event_row(n, seq, EventKind::kSignalled);
  row.attempt = 0;
  row.worker = "bank";
  row.detail = make_bytes("paid");
  row.note = R"({"context":{"paid":true},"dedup":"d)" + std::to_string(seq) +
             R"(","signal":"payment")" + (reason.empty() ? "}" : R"(,"reason":")" + reason + "\"}");
  return row;
}

StoreWrite write_of(int n, std::vector<Change> changes) {
  return {.order = order_id(n), .changes = std::move(changes)};
}

StoreWrite submit_of(int n) {
  return write_of(n, {InsertOrder{order_row(n)}, InsertTask{task_row(n, 0, n + 1)}});
}

}  // namespace ordo::testing
