// Why an order does not move: one sentence, the facts, and the chain of its attempts.
#include <algorithm>

#include "broker/core/record_views.hpp"
#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"
#include "schema/trace.hpp"

namespace ordo {

/// The span of the attempt that an event is about; empty where it is about none or the order has no
/// trace.
std::string span_of(const EventRow& event, const Pipeline& pipeline, const OrderRow& order) {
  if (!event.step || *event.step >= pipeline.steps.size() || event.attempt == 0) return {};
  if (traceparent_in(order.labels).empty()) return {};
  const TaskKey key{order.id, *event.step, event.branch, event.task_kind};
  return span_id(effect_key(key, pipeline.steps[*event.step].name), event.attempt);
}

/// What the newest failure of a step said; empty where there was none.
std::string last_error(const OrderRecord& record, const wire::TaskView& task, StepIndex step) {
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {
    const bool is_end = it->kind == EventKind::kAttemptFailed || it->kind == EventKind::kParked;
    const bool is_its = it->step == step && it->branch == task.branch &&
                        is_told_as(it->task_kind, static_cast<TaskKind>(task.kind));
    if (!is_its || !is_end) continue;
    return get_text(it->note, "error").value_or(std::string{});
  }
  return {};
}

namespace {

/// What an attempt takes in an answer beside its texts: above what the codec makes of it.
constexpr std::size_t kAttemptBytes = 256, kAttemptValues = 12;
/// Of an attempt's error in a chain: its event has the whole text.
constexpr std::size_t kChainErrorBytes = 512;

/// Whether an event is what an attempt came to.
bool is_end_of_attempt(EventKind kind) {
  switch (kind) {
    case EventKind::kSucceeded:
    case EventKind::kAttemptFailed:
    case EventKind::kSnoozed:
    case EventKind::kWorkerLost:
    case EventKind::kParked:
    case EventKind::kFailed:
    case EventKind::kCut:
    case EventKind::kSkipped:
    case EventKind::kFellBack:
    case EventKind::kLateResult: return true;
    case EventKind::kCancelRequested:
    case EventKind::kDeadlineMissed:
    case EventKind::kEnded:
    case EventKind::kOperatorRetry:
    case EventKind::kOperatorSkip:
    case EventKind::kOperatorComplete:
    case EventKind::kOperatorCompensate:
    case EventKind::kFannedOut:
    case EventKind::kSignalled:
    case EventKind::kRestored:
    case EventKind::kMerged: break;
  }
  return false;
}

wire::AttemptView attempt_view(const EventRow& event, const Pipeline& pipeline,
                               const OrderRow& order) {
  wire::AttemptView view;
  view.step = pipeline.steps[*event.step].name;
  view.branch = event.branch;
  view.kind = static_cast<std::uint8_t>(event.task_kind);
  view.attempt = event.attempt;
  view.worker = event.worker;
  view.outcome = to_string(event.kind);
  view.at_ms = to_ms(event.at);
  view.ms = event.ms;
  view.error = clean_text(get_text(event.note, "error").value_or(""), kChainErrorBytes);
  view.span = span_of(event, pipeline, order);
  return view;
}

/// The first attempt that did not work, for people; empty where all did.
std::string first_failure(const std::vector<wire::AttemptView>& chain) {
  for (const auto& one : chain) {
    if (one.outcome == "succeeded" || one.outcome == "snoozed" || one.outcome == "running")
      continue;
    return "first failure: " + one.outcome + " of " + one.step + ", attempt " +
           std::to_string(one.attempt) + (one.worker.empty() ? "" : " on " + one.worker) +
           (one.error.empty() ? "" : ": " + one.error);
  }
  return {};
}

/// A step as a sentence names it: with its branch, and with the fallback that is asked for it.
std::string name_of(const Step& step, const wire::TaskView& task) {
  std::string name = step.name;
  if (!step.each.empty()) name += " branch " + std::to_string(task.branch);
  if (!step.fallback.empty() && task.queue == step.fallback) {
    name += " (by its fallback " + step.fallback + ")";
  }
  return name;
}

/// How many branches a step has and how many of them are open; empty where it has not fanned out.
std::string branches_told(const OrderRecord& record, const Pipeline& pipeline, StepIndex step) {
  for (const auto& event : record.events) {
    if (event.kind != EventKind::kFannedOut || event.step != step) continue;
    const auto is_its = [&](const TaskRow& row) {
      return row.key.step == step && is_told_as(row.key.kind, TaskKind::kForward);
    };
    const auto open = std::count_if(record.tasks.begin(), record.tasks.end(), is_its) +
                      std::count_if(record.deferred.begin(), record.deferred.end(),
                                    [&](const DeferredRow& row) { return is_its(row.task); });
    return "step " + pipeline.steps[step].name + " has " +
           get_text(event.note, "branches").value_or("?") + " branches, " + std::to_string(open) +
           " of them open";
  }
  return {};
}

/// What a step waits for, how long it has patience, and what comes then.
std::string explain_wait(const Step& step, std::int64_t left_ms) {
  const std::string then = step.on_timeout == OnTimeout::kFail ? "the order fails"
                           : step.on_timeout == OnTimeout::kSkip
                               ? "the step is skipped"
                               : "step " + step.on_timeout_step + " runs instead";
  return "Step " + step.name + " waits for signal " + step.wait + ": without it, " + then + " in " +
         std::to_string(left_ms) + " ms.";
}

/// What signals have come to that no step took; and how the order came to be.
void add_signals(const OrderRecord& record, std::vector<std::string>& facts) {
  for (const auto& event : record.events) {
    const auto told = [&](std::string_view field) {
      return get_text(event.note, field).value_or("");
    };
    if (event.kind == EventKind::kRestored) {
      facts.push_back("it was rebuilt from signal " + told("signal") + ", which came without it");
    } else if (event.kind == EventKind::kMerged) {
      facts.push_back(
          "its own submit came after it was rebuilt: its payload is kept, and not used");
    } else if (event.kind == EventKind::kSignalled && !told("order").empty()) {
      facts.push_back("signal " + told("signal") + " came too late: order " + told("order") +
                      " was started for it");
    }
  }
}

/// As it follows a reason.
std::string told(const std::string& error) { return error.empty() ? error : ": \"" + error + "\""; }

}  // namespace

std::vector<BranchIndex> listed_branches(const OrderRecord& record, StepIndex step, TaskKind kind) {
  std::vector<BranchIndex> branches;
  const auto add = [&](const TaskKey& key) {
    if (key.step != step || !is_told_as(key.kind, kind)) return;
    const bool is_new = std::find(branches.begin(), branches.end(), key.branch) == branches.end();
    if (is_new && branches.size() < limits::kListedBranches) branches.push_back(key.branch);
  };
  for (const auto& row : record.deferred) add(row.task.key);
  for (const auto& row : record.tasks) add(row.key);
  for (const auto& event : record.events) {
    if (!event.step || event.kind == EventKind::kFannedOut) continue;
    add({record.order.id, *event.step, event.branch, event.task_kind});
  }
  if (branches.empty() && kind == TaskKind::kForward) branches.push_back(0);
  std::sort(branches.begin(), branches.end());
  return branches;
}

/// The attempts that events tell of, the newest that fit, then those that run.
std::vector<wire::AttemptView> Engine::State::chain(const OrderRecord& record,
                                                    const Pipeline& pipeline) {
  std::vector<wire::AttemptView> attempts;
  const auto& shard = shards_.at(static_cast<ShardNumber>(record.order.id.shard()));
  if (const auto found = shard.orders.find(record.order.id); found != shard.orders.end()) {
    for (const auto& task : found->second->tasks) {
      if (task->hold != Hold::kLeased) continue;
      wire::AttemptView view;
      view.step = pipeline.steps[task->step].name;
      view.branch = task->branch;
      view.kind = static_cast<std::uint8_t>(task->kind);
      view.attempt = task->fence.attempt;
      if (task->worker != nullptr) view.worker = task->worker->name;
      view.outcome = "running";
      view.ms = ms_between(task->since, now.steady);
      if (!traceparent_in(record.order.labels).empty()) {
        view.span = span_id(effect_key(task->key(), view.step), view.attempt);
      }
      attempts.push_back(std::move(view));
    }
  }
  Cut cut;
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {
    const bool is_known = it->step && *it->step < pipeline.steps.size() && it->attempt != 0;
    if (!is_known || !is_end_of_attempt(it->kind)) continue;
    auto view = attempt_view(*it, pipeline, record.order);
    if (!cut.takes(kAttemptBytes + view.error.size() + view.worker.size(), kAttemptValues)) break;
    attempts.push_back(std::move(view));
  }
  std::reverse(attempts.begin(), attempts.end());
  return attempts;
}

/// Why an order does not move: one sentence, then the facts.
wire::Explanation Engine::State::explain(const OrderRecord& record) {
  wire::Explanation result;
  const KnownPipeline* pipeline = pipeline_by_id(record.order.pipeline);
  result.facts.push_back("status " + std::string(to_string(record.status)));
  if (pipeline == nullptr) {
    result.sentence = "It waits because its pipeline version is not known to this broker.";
    return result;
  }
  result.facts.push_back("pipeline " + pipeline->name + " version " +
                         std::to_string(pipeline->version));
  const std::string waits = explain_tasks(record, *pipeline, result.facts);
  if (is_final(record.status)) {
    result.sentence = told_end(record, *pipeline);
    if (!waits.empty()) result.sentence += " An async step of it goes on: " + waits;
  } else if (!waits.empty()) {
    result.sentence = waits;
  } else {
    result.sentence = "It is moving: its next write is on its way.";
  }
  add_signals(record, result.facts);
  result.trace_id = trace_id_of(traceparent_in(record.order.labels));
  result.chain = chain(record, *pipeline);
  if (auto failure = first_failure(result.chain); !failure.empty()) {
    result.facts.push_back(std::move(failure));
  }
  for (auto it = record.events.rbegin(); it != record.events.rend(); ++it) {
    if (it->note.empty()) continue;
    const std::string step = it->step && *it->step < pipeline->steps.size()
                                 ? " of " + pipeline->steps[*it->step].name
                                 : "";
    result.facts.push_back("last note: " + std::string(to_string(it->kind)) + step + " " +
                           it->note);
    break;
  }
  return result;
}

/// What one task waits for, as a sentence; empty where it waits for nothing. Its line goes to the
/// facts.
std::string Engine::State::explain_task(const OrderRecord& record, const wire::TaskView& task,
                                        std::vector<std::string>& facts) {
  const auto kind = static_cast<TaskKind>(task.kind);
  const auto& pipeline = *pipeline_by_id(record.order.pipeline);
  const StepIndex step = *pipeline.find(task.step);
  const std::string label = name_of(pipeline.steps[step], task);
  if (task.state == "skipped" && !task.reason.empty()) {
    facts.push_back("step " + label + " was skipped (" + task.reason + ")");
  }
  const bool is_over = task.state == "succeeded" || task.state == "skipped" ||
                       task.state == "failed" || task.state == "cancelled";
  if (is_over || task.state == "pending") return {};
  const std::string name = kind == TaskKind::kCompensate
                               ? task.queue + ", which undoes step " + label + ","
                               : "Step " + label;
  if (task.state == "waiting") {
    facts.push_back("step " + label + " is waiting for " + task.reason);
    return explain_wait(pipeline.steps[step], task.run_in_ms);
  }
  const Queue& queue = queue_named(task.queue);
  std::string line = (kind == TaskKind::kCompensate ? "undoing step " : "step ") + label + " is " +
                     task.state + ", attempt " + std::to_string(task.attempt) + ", failures " +
                     std::to_string(task.failures);
  std::string why;
  if (task.state == "parked") {
    why = name + " is parked (" + task.reason + told(last_error(record, task, step)) +
          "): an operator must retry, skip or complete it.";
  } else if (queue.is_paused && task.state != "leased") {
    why =
        "Queue " + queue.name + " is paused by " + queue.paused_by + ": " + queue.paused_why + ".";
  } else if (task.state == "held") {
    why = explain_held(name, task.reason);
  } else if (task.state == "scheduled") {
    why = name + (task.attempt == 0 ? " starts in " : " runs again in ") +
          std::to_string(task.run_in_ms) + " ms (" + task.reason +
          told(last_error(record, task, step)) + ").";
  } else if (task.state == "leased") {
    const bool may_finish =
        record.status == OrderStatus::kCompensating && kind != TaskKind::kCompensate;
    why = name + (may_finish ? " may finish before the order is undone: it" : "") +
          " is running on worker " + task.worker + ".";
    if (!task.reason.empty()) line += ", says: " + task.reason;
  } else if (const auto turn = explain_turn(record.order.id, step, task.branch); !turn.empty()) {
    why = name + " " + turn + ".";
  } else if (queue.workers.empty()) {
    why = name + " waits because no worker serves queue " + queue.name + ".";
  } else if (task.state == "backlog" || task.state == "ready") {
    why = name + " waits for a free slot: " + std::to_string(queue.ready) + " ready in queue " +
          queue.name + ", " + std::to_string(queue.leased) + " running.";
  }
  facts.push_back(std::move(line));
  return why;
}

/// Of everything that an order has open what matters most: a parked task, else the first.
std::string Engine::State::explain_tasks(const OrderRecord& record, const Pipeline& pipeline,
                                         std::vector<std::string>& facts) {
  std::string sentence;
  const auto look = [&](StepIndex step, TaskKind kind, BranchIndex branch) {
    const auto task = task_view(record, pipeline, step, kind, branch);
    std::string why = explain_task(record, task, facts);
    if (sentence.empty() || task.state == "parked") sentence = std::move(why);
  };
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    if (auto branches = branches_told(record, pipeline, step); !branches.empty()) {
      facts.push_back(std::move(branches));
    }
    for (const BranchIndex branch : listed_branches(record, step)) {
      look(step, TaskKind::kForward, branch);
    }
  }
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    for (const BranchIndex branch : listed_branches(record, step, TaskKind::kCompensate)) {
      look(step, TaskKind::kCompensate, branch);
    }
  }
  return sentence;
}

}  // namespace ordo
