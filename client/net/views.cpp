#include "client/net/views.hpp"

#include <utility>

namespace ordo::client {
namespace {

bool is_undo(std::uint8_t kind) { return kind == static_cast<std::uint8_t>(TaskKind::kCompensate); }

TaskView to_view(wire::TaskView&& from) {
  return {.step = std::move(from.step),
          .queue = std::move(from.queue),
          .state = std::move(from.state),
          .branch = from.branch,
          .attempt = from.attempt,
          .failures = from.failures,
          .worker = std::move(from.worker),
          .run_in_ms = from.run_in_ms,
          .reason = std::move(from.reason),
          .result = std::move(from.result),
          .error = std::move(from.error),
          .is_compensation = is_undo(from.kind)};
}

EventView to_view(wire::EventView&& from) {
  return {.seq = from.seq,
          .at_ms = from.at_ms,
          .kind = std::move(from.kind),
          .status = std::move(from.status),
          .step = std::move(from.step),
          .branch = from.branch,
          .attempt = from.attempt,
          .worker = std::move(from.worker),
          .ms = from.ms,
          .note = std::move(from.note),
          .detail_bytes = from.detail_bytes,
          .span_id = std::move(from.span),
          .is_compensation = is_undo(from.task_kind)};
}

AttemptView to_view(wire::AttemptView&& from) {
  return {.step = std::move(from.step),
          .branch = from.branch,
          .attempt = from.attempt,
          .worker = std::move(from.worker),
          .outcome = std::move(from.outcome),
          .at_ms = from.at_ms,
          .ms = from.ms,
          .error = std::move(from.error),
          .span_id = std::move(from.span),
          .is_compensation = is_undo(from.kind)};
}

QueueView to_view(wire::QueueView&& from) {
  return {.queue = std::move(from.queue),
          .paused = from.paused,
          .ready = from.ready,
          .leased = from.leased,
          .backlog = from.backlog,
          .workers = from.workers,
          .slots = from.slots,
          .oldest_ms = from.oldest_ms,
          .held = from.held};
}

WorkerView to_view(wire::WorkerView&& from) {
  return {.name = std::move(from.name),
          .version = std::move(from.version),
          .queues = std::move(from.queues),
          .slots = from.slots,
          .used = from.used,
          .silent_ms = from.silent_ms,
          .draining = from.draining,
          .hung = from.hung};
}

}  // namespace

template <class To, class From> static std::vector<To> each(std::vector<From>&& from) {
  std::vector<To> views;
  views.reserve(from.size());
  for (From& one : from) views.push_back(to_view(std::move(one)));
  return views;
}

OrderView to_view(wire::OrderView&& from) {
  return {.id = from.id,
          .pipeline = std::move(from.pipeline),
          .version = from.version,
          .status = std::move(from.status),
          .priority = from.priority,
          .key = std::move(from.key),
          .customer = std::move(from.customer),
          .labels = std::move(from.labels),
          .context = std::move(from.context),
          .payload = std::move(from.payload),
          .accepted_at_ms = from.accepted_at_ms,
          .deadline_at_ms = from.deadline_at_ms,
          .tasks = each<TaskView>(std::move(from.tasks)),
          .events = each<EventView>(std::move(from.events)),
          .traceparent = std::move(from.traceparent),
          .tracestate = std::move(from.tracestate)};
}

EventPage to_view(wire::EventPage&& from) {
  return {each<EventView>(std::move(from.events)), std::move(from.status), from.is_last};
}

Explanation to_view(wire::Explanation&& from) {
  return {std::move(from.sentence), std::move(from.facts), std::move(from.trace_id),
          each<AttemptView>(std::move(from.chain))};
}

PipelineView to_view(wire::PipelineView&& from) {
  return {std::move(from.name), from.version, from.steps, std::move(from.source)};
}

std::vector<PipelineView> to_view(wire::PipelineList&& from) {
  return each<PipelineView>(std::move(from.pipelines));
}

std::vector<QueueView> to_view(wire::QueueList&& from) {
  return each<QueueView>(std::move(from.queues));
}

std::vector<WorkerView> to_view(wire::WorkerList&& from) {
  return each<WorkerView>(std::move(from.workers));
}

SignalView to_view(wire::SignalView&& from) {
  return {.order = from.order,
          .name = std::move(from.name),
          .dedup = std::move(from.dedup),
          .who = std::move(from.who),
          .pipeline = std::move(from.pipeline),
          .age_ms = from.age_ms,
          .checks = from.checks,
          .next_ms = from.next_ms,
          .payload_bytes = from.payload_bytes};
}

}  // namespace ordo::client
