#include "client/json/json_views.hpp"

#include "schema/text.hpp"

namespace ordo::client {
namespace {

/// A field only where it says something.
void add(Json& json, const char* name, const std::string& text) {
  if (!text.empty()) json[name] = text;
}

void add_json(Json& json, const char* name, const std::string& text) {
  if (text.empty()) return;
  auto parsed = Json::parse(text, nullptr, false);
  json[name] = parsed.is_discarded() ? Json(text) : std::move(parsed);
}

/// Bytes: as they are where they are text, else in hexadecimal.
void add_bytes(Json& json, const char* name, const std::string& bytes) {
  if (is_text(bytes)) return add(json, name, bytes);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15U];
  }
  json[std::string(name) + "_hex"] = hex;
}

}  // namespace

Json to_json(const TaskView& task) {
  Json json{{"step", task.step}, {"state", task.state}};
  if (task.branch != 0) json["branch"] = task.branch;
  add(json, "queue", task.queue);
  json["attempt"] = task.attempt;
  json["failures"] = task.failures;
  add(json, "worker", task.worker);
  if (task.run_in_ms != 0) json["run_in_ms"] = task.run_in_ms;
  add(json, "reason", task.reason);
  add_bytes(json, "result", task.result);
  add(json, "error", task.error);
  if (task.is_compensation) json["task_kind"] = "compensate";
  return json;
}

Json to_json(const EventView& event) {
  Json json{{"seq", event.seq}, {"at_ms", event.at_ms}, {"kind", event.kind}};
  add(json, "status", event.status);
  add(json, "step", event.step);
  if (event.branch != 0) json["branch"] = event.branch;
  if (event.attempt != 0) json["attempt"] = event.attempt;
  add(json, "worker", event.worker);
  if (event.ms != 0) json["ms"] = event.ms;
  add_json(json, "note", event.note);
  if (event.detail_bytes != 0) json["detail_bytes"] = event.detail_bytes;
  add(json, "span_id", event.span_id);
  if (event.is_compensation) json["task_kind"] = "compensate";
  return json;
}

Json to_json(const AttemptView& attempt) {
  Json json{{"step", attempt.step}, {"attempt", attempt.attempt}, {"outcome", attempt.outcome}};
  if (attempt.branch != 0) json["branch"] = attempt.branch;
  add(json, "worker", attempt.worker);
  if (attempt.at_ms != 0) json["at_ms"] = attempt.at_ms;
  json["ms"] = attempt.ms;
  add(json, "error", attempt.error);
  add(json, "span_id", attempt.span_id);
  if (attempt.is_compensation) json["task_kind"] = "compensate";
  return json;
}

Json to_json(const OrderView& order) {
  Json json{{"id", order.id.to_string()}, {"pipeline", order.pipeline},
            {"version", order.version},   {"status", order.status},
            {"priority", order.priority}, {"accepted_at_ms", order.accepted_at_ms}};
  if (order.deadline_at_ms != 0) json["deadline_at_ms"] = order.deadline_at_ms;
  add(json, "key", order.key);
  add(json, "customer", order.customer);
  add_json(json, "labels", order.labels);
  add_json(json, "context", order.context);
  add_bytes(json, "payload", order.payload);
  add(json, "trace_id", order.trace_id());
  add(json, "traceparent", order.traceparent);
  add(json, "tracestate", order.tracestate);
  if (!order.tasks.empty()) json["tasks"] = each_to_json(order.tasks);
  if (!order.events.empty()) json["events"] = each_to_json(order.events);
  return json;
}

Json to_json(const Explanation& explanation) {
  Json json{{"sentence", explanation.sentence}, {"facts", explanation.facts}};
  add(json, "trace_id", explanation.trace_id);
  json["chain"] = each_to_json(explanation.chain);
  return json;
}

Json to_json(const PipelineView& pipeline) {
  Json json{{"pipeline", pipeline.name}, {"version", pipeline.version}, {"steps", pipeline.steps}};
  add(json, "source", pipeline.source);
  return json;
}

Json to_json(const QueueView& queue) {
  return {{"queue", queue.queue},   {"paused", queue.paused},       {"ready", queue.ready},
          {"leased", queue.leased}, {"backlog", queue.backlog},     {"workers", queue.workers},
          {"slots", queue.slots},   {"oldest_ms", queue.oldest_ms}, {"held", queue.held}};
}

Json to_json(const SignalView& signal) {
  Json json{{"id", signal.order.to_string()},
            {"signal", signal.name},
            {"dedup", signal.dedup},
            {"age_ms", signal.age_ms},
            {"checks", signal.checks},
            {"next_ms", signal.next_ms},
            {"payload_bytes", signal.payload_bytes}};
  add(json, "who", signal.who);
  add(json, "pipeline", signal.pipeline);
  return json;
}

Json to_json(const WorkerView& worker) {
  return {{"name", worker.name},         {"version", worker.version},
          {"queues", worker.queues},     {"slots", worker.slots},
          {"used", worker.used},         {"silent_ms", worker.silent_ms},
          {"draining", worker.draining}, {"hung", worker.hung}};
}

Json to_json(const Error& error) {
  Json json{{"code", to_string(error.code)}, {"reason", error.reason}, {"message", error.message}};
  if (error.retry_after.count() > 0) json["retry_after_ms"] = error.retry_after.count();
  return json;
}

}  // namespace ordo::client
