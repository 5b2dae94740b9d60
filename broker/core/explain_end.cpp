// Why an order has ended as it did: what began its end, when, and what was undone.
#include <algorithm>

#include "broker/core/record_views.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// Of a text from outside in a sentence.
constexpr std::size_t kToldBytes = 300;

/// Whether an event begins the end of an order: later ones only go on with it.
bool begins_end(const EventRow& event) {
  return event.status && (*event.status == OrderStatus::kCompensating || is_final(*event.status)) &&
         *event.status != OrderStatus::kSucceeded;
}

std::string note_of(const EventRow& event, std::string_view field) {
  return clean_text(get_text(event.note, field).value_or(""), kToldBytes);
}

std::string quoted(const std::string& text) { return text.empty() ? text : " (\"" + text + "\")"; }

/// "step pay, branch 2, attempt 3 on shop-1, failed (card_declined: no money)".
std::string told_failure(const EventRow& event, const Pipeline& pipeline) {
  if (!event.step || *event.step >= pipeline.steps.size()) return "a step failed";
  const Step& step = pipeline.steps[*event.step];
  std::string text = "step " + step.name;
  if (event.task_kind == TaskKind::kFallback) text += " by its fallback " + step.fallback;
  if (!step.each.empty()) text += ", branch " + std::to_string(event.branch);
  if (event.attempt > 0) text += ", attempt " + std::to_string(event.attempt);
  if (!event.worker.empty()) text += " on " + event.worker;
  text += event.attempt > 0 || !step.each.empty() ? ", failed" : " failed";
  const std::string reason = note_of(event, "reason");
  const std::string error = note_of(event, "error");
  if (reason.empty() && error.empty()) return text;
  return text + " (" + reason + (reason.empty() || error.empty() ? "" : ": ") + error + ')';
}

std::string told_cause(const EventRow& event, const Pipeline& pipeline) {
  const std::string who = event.worker.empty() ? "somebody" : event.worker;
  const std::string why = quoted(note_of(event, "why"));
  if (event.kind == EventKind::kCancelRequested) return "by " + who + why;
  if (event.kind == EventKind::kDeadlineMissed) return "its deadline passed";
  if (event.kind == EventKind::kOperatorCompensate) {
    const bool is_known = event.step && *event.step < pipeline.steps.size();
    return who + " gave up on step " + (is_known ? pipeline.steps[*event.step].name : "?") + why;
  }
  return told_failure(event, pipeline);
}

}  // namespace

std::string told_end(const OrderRecord& record, const Pipeline& pipeline) {
  const auto& events = record.events;
  const auto cause = std::find_if(events.begin(), events.end(), begins_end);
  if (record.status == OrderStatus::kSucceeded || cause == events.end()) {
    return "It is over: " + std::string(to_string(record.status)) + ".";
  }
  const auto after_ms = to_ms(cause->at) - to_ms(record.order.accepted);
  std::string text = record.status == OrderStatus::kCancelled ? "It was cancelled " : "It failed ";
  text += std::to_string(after_ms) + " ms after it was accepted: " + told_cause(*cause, pipeline);
  const auto undone = std::count_if(events.begin(), events.end(), [](const EventRow& event) {
    return event.kind == EventKind::kSucceeded && event.task_kind == TaskKind::kCompensate;
  });
  if (undone > 0) text += "; " + std::to_string(undone) + " of its steps were undone";
  return text + '.';
}

}  // namespace ordo
