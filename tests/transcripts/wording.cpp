#include "tests/transcripts/wording.hpp"

#include <algorithm>
#include <stdexcept>

#include "schema/codec.hpp"

namespace ordo::transcript {
namespace {

template <class... Ts> struct Overload : Ts... { using Ts::operator()...; };
template <class... Ts> Overload(Ts...) -> Overload<Ts...>;

/// Payloads and results of stories are short texts.
constexpr std::size_t kShown = 40;

std::string quoted(std::string_view bytes) {
  return "\"" + std::string(bytes.substr(0, kShown)) + (bytes.size() > kShown ? "…" : "") + "\"";
}

std::string counts(const TaskRow& row) {
  std::string text;
  const auto add = [&](const char* what, std::uint64_t number) {
    if (number != 0) text += std::string(" ") + what + "=" + std::to_string(number);
  };
  add("attempts", row.attempt);
  add("failures", row.failures);
  add("losses", row.losses);
  return text + (row.maybe ? " maybe" : "");
}

/// As stories write what undoes a step: ~pay.
std::string undo(std::uint8_t kind) {
  return kind == static_cast<std::uint8_t>(TaskKind::kCompensate) ? "~" : "";
}

template <class Body> Body decoded(const std::string& bytes) {
  auto body = wire::decode_body<Body>(bytes);
  if (!body) throw std::runtime_error("a body that cannot be read: " + body.error().message);
  return std::move(*body);
}

}  // namespace

// ---- facts -------------------------------------------------------------------------------------

std::string Wording::fact(const Fact& fact) const {
  if (fact.kind == FactKind::kTransition) {
    return "task  " + cast_.name(fact.key) + " " + std::string(to_string(fact.from)) + " -> " +
           std::string(to_string(fact.to)) + " (" + std::string(to_string(fact.cause)) + ")";
  }
  std::string text = "fact  " + std::string(to_string(fact.kind));
  const bool is_of_task = fact.step != nullptr || fact.kind == FactKind::kResultStale ||
                          fact.kind == FactKind::kResultRepeated;
  if (!fact.key.order.is_zero()) {
    text += " " + (is_of_task ? cast_.name(fact.key) : cast_.name(fact.key.order));
  }
  if (!is_of_task && fact.queue != nullptr) text += " queue=" + *fact.queue;
  if (fact.kind == FactKind::kOrderEnded) text += " " + std::string(to_string(fact.status));
  if (!fact.text.empty()) text += " " + fact.text;
  if (fact.count != 0) text += " count=" + std::to_string(fact.count);
  if (fact.took.count() != 0) text += " took=" + to_text(fact.took);
  return text;
}

// ---- rows --------------------------------------------------------------------------------------

std::string Wording::order_row(const OrderRow& row) const {
  std::string text = "order " + cast_.name(row.id) + " of " + cast_.pipeline_name(row.pipeline);
  if (row.priority != limits::kDefaultPriority) text += " priority=" + std::to_string(row.priority);
  if (row.payload) text += " payload=" + quoted(view(row.payload));
  if (!row.key.empty()) text += " key=" + row.key;
  if (!row.context.empty()) text += " context=" + row.context;
  if (!row.labels.empty()) text += " labels=" + row.labels;
  if (row.deadline) text += " deadline=" + moment(*row.deadline);
  return text;
}

std::string Wording::task_row(const TaskRow& row) const {
  return "task " + cast_.step_name(row.key) + counts(row);
}

std::string Wording::deferred_row(const DeferredRow& row) const {
  std::string text = "deferred " + cast_.step_name(row.task.key) + " " +
                     std::string(to_string(row.state)) + counts(row.task);
  if (row.run_at) text += " at " + moment(*row.run_at);
  return text + (row.reason.empty() ? "" : " (" + row.reason + ")");
}

std::string Wording::signal_row(const SignalRow& row) const {
  std::string text = "signal " + row.name + " " + quoted(view(row.payload)) + " " + row.note;
  if (row.checks != 0) text += " checks=" + std::to_string(row.checks);
  return text + (row.next_at ? " next at " + moment(*row.next_at) : "");
}

std::string Wording::event_row(const EventRow& row) const {
  std::string text = "event " + std::string(to_string(row.kind));
  if (row.step) {
    text += " " + cast_.step_name({row.order, *row.step, row.branch, row.task_kind}) + "@" +
            std::to_string(row.attempt);
  }
  if (!row.worker.empty()) text += " by " + row.worker;
  if (row.ms != 0) text += " after " + to_text(Millis{row.ms});
  if (row.detail) text += " " + quoted(view(row.detail));
  if (row.status) text += " [" + std::string(to_string(*row.status)) + "]";
  return text + (row.note.empty() ? "" : " " + row.note);
}

std::string Wording::change(const Change& change) const {
  return std::visit(
      Overload{[&](const InsertOrder& c) { return "+" + order_row(c.row); },
               [&](const InsertTask& c) { return "+" + task_row(c.row); },
               [&](const InsertDeferred& c) { return "+" + deferred_row(c.row); },
               [&](const DeleteTask& c) { return "-task " + cast_.step_name(c.key); },
               [&](const DeleteDeferred& c) { return "-deferred " + cast_.step_name(c.key); },
               [&](const AppendEvent& c) { return "+" + event_row(c.row); },
               [&](const PutPipeline& c) {
                 return "+pipeline " + c.row.name + " v" + std::to_string(c.row.version);
               },
               [&](const PutQueueSetting& c) {
                 return "+queue " + c.row.queue + (c.row.is_paused ? " paused" : " open") + " by " +
                        c.row.who + ": " + c.row.why;
               },
               [&](const InsertSignal& c) { return "+" + signal_row(c.row); },
               [&](const DeleteSignal& c) { return "-signal of " + cast_.name(c.order); }},
      change);
}

Lines Wording::write(const Write& write) const {
  const auto& order = write.store.order;
  Lines lines{"write " + std::to_string(write.number) +
              (order.is_zero() ? std::string() : " of " + cast_.name(order))};
  for (const auto& one : write.store.changes) lines.push_back("      " + change(one));
  for (const auto& later : write.once_durable) {
    for (const auto& line : send(later)) lines.push_back("      then " + line);
  }
  return lines;
}

std::string Wording::page(const PageSpec& spec) const {
  if (spec.what == PageSpec::What::kDue) return "what is due at " + moment(spec.due_until);
  if (spec.what == PageSpec::What::kHeld) return "what " + spec.holder + " holds of " + spec.queue;
  if (spec.what == PageSpec::What::kSignals) {
    return "signals to look at by " + moment(spec.due_until);
  }
  return "backlog of " + spec.queue + " priority " + std::to_string(spec.priority);
}

// ---- messages ----------------------------------------------------------------------------------

std::string Wording::offer(const wire::Offer& offer) const {
  std::string text = "offer " + cast_.name(offer.key) + " " + to_text(offer.fence);
  if (offer.maybe) text += " maybe";
  if (!offer.payload.empty()) text += " payload=" + quoted(offer.payload);
  if (!offer.context.empty()) text += " context=" + offer.context;
  if (!offer.traceparent.empty()) text += " trace=" + offer.traceparent;
  if (!offer.tracestate.empty()) text += "," + offer.tracestate;
  if (!offer.element.empty()) text += " element=" + offer.element;
  for (const auto& result : offer.results) {
    text +=
        " " + result.step + (result.branch == 0 ? "" : "[" + std::to_string(result.branch) + "]");
    text += "=" + quoted(result.result);
  }
  if (offer.deadline_ms != 0) {
    text += " deadline in " + to_text(Millis{static_cast<std::int64_t>(offer.deadline_ms)});
  }
  return text;
}

Lines Wording::body(Asked asked, const std::string& bytes) const {
  Lines lines;
  if (asked == Asked::kWait) {
    const auto summary = decoded<wire::OrderSummary>(bytes);
    lines.push_back(cast_.name(summary.id) + " is " + summary.status);
    if (!summary.step.empty()) lines.back() += ", the step " + summary.step;
    if (!summary.result.empty()) lines.back() += " with " + quoted(summary.result);
  } else if (asked == Asked::kWatch) {
    const auto page = decoded<wire::EventPage>(bytes);
    lines.push_back("now " + page.status + (page.is_last ? ", the last page" : ""));
    for (const auto& event : page.events) {
      lines.push_back(event.kind +
                      (event.step.empty() ? "" : " " + undo(event.task_kind) + event.step) +
                      (event.status.empty() ? "" : " [" + event.status + "]"));
    }
  } else if (asked == Asked::kGet) {
    const auto order = decoded<wire::OrderView>(bytes);
    lines.push_back(cast_.name(order.id) + " is " + order.status);
    for (const auto& task : order.tasks) {
      lines.push_back(undo(task.kind) + task.step +
                      (task.branch == 0 ? "" : "[" + std::to_string(task.branch) + "]") + " " +
                      task.state + " attempt=" + std::to_string(task.attempt) +
                      (task.worker.empty() ? "" : " worker=" + task.worker) +
                      (task.reason.empty() ? "" : " (" + task.reason + ")"));
    }
  } else if (asked == Asked::kExplain) {
    auto explanation = decoded<wire::Explanation>(bytes);
    lines.push_back(std::move(explanation.sentence));
    for (auto& one : explanation.facts) lines.push_back(std::move(one));
    if (!explanation.trace_id.empty()) lines.push_back("trace " + explanation.trace_id);
    for (const auto& one : explanation.chain) {
      lines.push_back("chain " + undo(one.kind) + one.step + "@" + std::to_string(one.attempt) +
                      " " + one.outcome + (one.worker.empty() ? "" : " on " + one.worker) +
                      " after " + std::to_string(one.ms) + "ms" +
                      (one.error.empty() ? "" : ": " + one.error) +
                      (one.span.empty() ? "" : " span " + one.span));
    }
  } else if (asked == Asked::kQueues) {
    for (const auto& queue : decoded<wire::QueueList>(bytes).queues) {
      lines.push_back(
          queue.queue + (queue.paused ? " paused" : "") + " ready=" + std::to_string(queue.ready) +
          " leased=" + std::to_string(queue.leased) + " backlog=" + std::to_string(queue.backlog));
    }
  } else if (asked == Asked::kSignals) {
    for (const auto& signal : decoded<wire::SignalList>(bytes).signals) {
      lines.push_back(signal.name + " for " + cast_.name(signal.order) + " by " + signal.who +
                      ", age " + to_text(Millis{signal.age_ms}) +
                      " checks=" + std::to_string(signal.checks) + " next in " +
                      to_text(Millis{signal.next_ms}));
    }
  } else if (asked == Asked::kWorkers) {
    for (const auto& worker : decoded<wire::WorkerList>(bytes).workers) {
      lines.push_back(worker.name + " used=" + std::to_string(worker.used) + " of " +
                      std::to_string(worker.slots) + (worker.draining ? " draining" : ""));
    }
  }
  return lines;
}

Lines Wording::answer(PeerId peer, const wire::Answer& answer) const {
  std::string text = "#" + std::to_string(answer.request) + " ";
  text += answer.code == 0 ? "ok" : std::string(to_string(static_cast<Code>(answer.code)));
  if (!answer.reason.empty()) text += " " + answer.reason;
  if (answer.retry_after_ms != 0) {
    text += ", again in " + to_text(Millis{static_cast<std::int64_t>(answer.retry_after_ms)});
  }
  Lines lines{std::move(text)};
  const Peer* client = cast_.peer(Send::To::kClient, peer);
  if (client == nullptr || answer.body.empty()) return lines;
  const auto asked = client->asked.find(answer.request);
  if (asked == client->asked.end()) return lines;
  const Lines more = body(asked->second, answer.body);
  for (std::size_t i = 0; i < more.size(); ++i) {
    if (i == 0) {
      lines.front() += ": " + more[i];
    } else {
      lines.push_back("      " + more[i]);
    }
  }
  return lines;
}

Lines Wording::send(const Send& send) const {
  using One = Lines;
  const auto told = [](const char* what, const std::string& about) {
    return One{std::string(what) + (about.empty() ? "" : " " + about)};
  };
  Lines lines = std::visit(
      Overload{[&](const wire::Answer& m) { return answer(send.peer, m); },
               [&](const wire::Offer& m) { return One{offer(m)}; },
               [&](const wire::Recorded& m) {
                 return told("recorded", cast_.name(m.key) + " " + to_text(m.fence) +
                                             (m.code == 0 ? "" : " refused: " + m.reason));
               },
               [&](const wire::Regrant& m) {
                 return told("regrant", cast_.name(m.key) + " " + to_text(m.old_fence) + " -> " +
                                            to_text(m.new_fence));
               },
               [&](const wire::Revoked& m) {
                 return told("revoked",
                             cast_.name(m.key) + " " + to_text(m.fence) + ": " + m.reason);
               },
               [&](const wire::Beat&) { return One{}; },
               [&](const wire::Welcome&) { return told("welcome", ""); },
               [&](const wire::SayHello& m) { return told("say hello:", m.reason); },
               [&](const wire::Refusal& m) { return told("refusal:", m.reason); }},
      send.item);
  if (!lines.empty()) lines.front() = cast_.name(send.to, send.peer) + " " + lines.front();
  return lines;
}

}  // namespace ordo::transcript
