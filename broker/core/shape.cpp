// The shape of an order's way: which steps open, which are skipped, how a step fans out, and what
// one that failed for good comes to.
#include <algorithm>

#include "broker/core/opening.hpp"
#include "schema/pipeline_condition.hpp"

namespace ordo {
namespace {

Bytes elements_text(const std::vector<std::string>& elements) {
  return make_bytes(list_text(elements));
}

std::string_view word_of(Cause defeat) {
  if (defeat == Cause::kExhausted) return "exhausted";
  return defeat == Cause::kPoisoned ? "poisoned" : "failed";
}

}  // namespace

// ---- steps open ---------------------------------------------------------------------------------

/// The first steps of an order that comes in, and is not to begin before `delay` has passed.
void Engine::State::open_first(Draft& draft, Millis delay) {
  Order& order = *draft.order;
  const auto& steps = order.pipeline->steps;
  if (!order.pipeline->is_shaped) {
    for (StepIndex step = 0; step < steps.size(); ++step) {
      if (steps[step].after.empty()) open_step(draft, step, 0, delay);
    }
    return;
  }
  Opening opening(order);
  for (StepIndex step = 0; step < steps.size(); ++step) {
    if (order.pipeline->is_first(step)) consider(draft, opening, step);
  }
  open_found(draft, opening, delay);
}

/// A step, or a branch of it, is done: what waited for it opens, and the order may be complete.
void Engine::State::go_on(Draft& draft, StepIndex step, BranchIndex branch) {
  Order& order = *draft.order;
  if (planted_.early_join && order.fan(step) != nullptr) order.done.set(step);
  if (order.pipeline->is_shaped) {
    Opening opening(order);
    if (order.fan(step) != nullptr) {
      for (const StepIndex next : order.pipeline->steps[step].before) {
        if (order.pipeline->chained.test(next)) opening.tasks.emplace_back(next, branch);
      }
    }
    if (order.done.test(step)) opening.done.push_back(step);
    return open_found(draft, opening);
  }
  if (planted_.split_successor && !order.is_complete()) {
    auto second = this->draft(*draft.shard, order);
    open_successors(second, step);
    if (!second.write->store.changes.empty()) commit(std::move(second));
  } else {
    open_successors(draft, step);
  }
  finish_if_complete(draft);
}

/// Opens what has been found, and all that may open because of it.
void Engine::State::open_found(Draft& draft, Opening& opening, Millis delay) {
  look_further(draft, opening);
  if (end_misfit(draft, opening)) return;
  for (const auto& [step, branch] : opening.tasks) open_step(draft, step, branch, delay);
  finish_if_complete(draft);
  settle_early(draft);
}

/// The successors of what is done, and of what is skipped on the way: at most every step once.
void Engine::State::look_further(Draft& draft, Opening& opening) {
  for (std::size_t i = 0; i < opening.done.size() && !opening.misfit; ++i) {
    const auto& next = draft.order->pipeline->steps[opening.done[i]].before;
    for (const StepIndex step : next) consider(draft, opening, step);
    if (draft.order->pipeline->detours.any()) close_detour(draft, opening, opening.done[i]);
  }
}

/// Opens a step all of whose predecessors are done, or skips it where its condition does not hold.
void Engine::State::consider(Draft& draft, Opening& opening, StepIndex step) {
  Order& order = *draft.order;
  const auto& definition = order.pipeline->steps[step];
  const auto is_done = [&](StepIndex before) { return order.done.test(before); };
  if (opening.misfit || order.opened.test(step) || order.done.test(step) ||
      !std::all_of(definition.after.begin(), definition.after.end(), is_done)) {
    return;
  }
  const auto has_fan = [&](StepIndex before) { return order.fan(before) != nullptr; };
  if (definition.after.size() > 1 ||
      std::any_of(definition.after.begin(), definition.after.end(), has_fan)) {
    Fact joined = about(FactKind::kJoinFired, order);
    joined.step = &definition.name;
    joined.key.step = step;
    fact(std::move(joined));
  }
  const auto lookup = [&](std::string_view field) { return opening.fields->value(field); };
  if (!definition.when.empty() && !planted_.when_ignored &&
      !pipeline::holds(definition.when, lookup)) {
    return skip_unopened(draft, opening, step,
                         text_object({{"reason", "when"}, {"when", definition.when}}));
  }
  if (!definition.each.empty()) return fan_out(draft, opening, step);
  order.opened.set(step);
  if (!definition.wait.empty() && take_early(draft, step)) {
    opening.fields.emplace(order.row.context);
    opening.done.push_back(step);
    return;
  }
  opening.tasks.emplace_back(step, BranchIndex{0});
}

void Engine::State::fan_out(Draft& draft, Opening& opening, StepIndex step) {
  Order& order = *draft.order;
  const auto& definition = order.pipeline->steps[step];
  auto elements = opening.fields->list(definition.each);
  std::string error;
  if (!elements) {
    error = "`each` needs a list: the context's field `" + definition.each + "` is none";
  } else if (elements->size() > limits::kBranches) {
    error = "the context's list `" + definition.each + "` has " + std::to_string(elements->size()) +
            " elements; the limit is " + std::to_string(limits::kBranches);
  } else {
    const std::size_t before = order.fans.size();
    order.add_fan(step, std::make_shared<const std::vector<std::string>>(std::move(*elements)));
    std::size_t branches = 0;
    for (const Fan& fan : order.fans) branches += fan.done.size();
    if (branches > limits::kOrderBranches) {
      for (std::size_t i = before; i < order.fans.size(); ++i)
        order.opened.reset(order.fans[i].step);
      order.fans.resize(before);
      error = "with the context's list `" + definition.each + "` the order has " +
              std::to_string(branches) + " branches; the limit is " +
              std::to_string(limits::kOrderBranches);
    }
  }
  if (!error.empty() && definition.optional) {
    return skip_unopened(draft, opening, step, text_object({{"reason", "each"}, {"error", error}}));
  }
  if (!error.empty() && (definition.async || order.is_one_way)) {
    order.opened.set(step);
    opening.parked.push_back(step);
    auto& event = note(draft, EventKind::kParked, nullptr);
    event.step = step;
    event.note = text_object({{"error", error}, {"reason", "each"}});
    if (!is_final(order.status)) set_status(order, event, OrderStatus::kParked);
    return;
  }
  if (!error.empty()) {
    opening.misfit = step;
    opening.error = std::move(error);
    return;
  }
  const Fan& fan = *order.fan(step);
  auto& event = note(draft, EventKind::kFannedOut, nullptr);
  event.step = step;
  event.detail = elements_text(*fan.elements);
  event.note =
      text_object({{"each", definition.each}, {"branches", std::to_string(fan.elements->size())}});
  for (std::size_t branch = 0; branch < fan.elements->size(); ++branch) {
    opening.tasks.emplace_back(step, static_cast<BranchIndex>(branch));
  }
  if (!fan.elements->empty()) return;
  for (const Fan& one : order.fans) {
    if (one.elements == fan.elements) opening.done.push_back(one.step);
  }
}

/// A list that cannot be fanned out is a permanent failure of its step. Where it may not end the
/// order, the step waits for an operator as if it were one task.
bool Engine::State::end_misfit(Draft& draft, const Opening& opening) {
  for (const StepIndex step : opening.parked) {
    if (opening.misfit) break;  // the end takes it
    Fact parked = about(FactKind::kTaskParked, *draft.order);
    parked.step = &draft.order->pipeline->steps[step].name;
    parked.key.step = step;
    parked.text = "each";
    fact(std::move(parked));
    DeferredRow row;
    row.task = {.key = {draft.order->row.id, step, 0, TaskKind::kForward},
                .queue = draft.order->pipeline->steps[step].queue,
                .priority = draft.order->row.priority,
                .seq = draft.shard->next_seq()};
    row.state = TaskState::kParked;
    row.reason = "each";
    defer(draft, std::move(row));
  }
  if (!opening.misfit) return false;
  auto& event = note(draft, EventKind::kFailed, nullptr);
  event.step = opening.misfit;
  event.note = text_object({{"error", opening.error}, {"reason", "each"}});
  draft.order->failed_step = opening.misfit;
  begin_ending(draft, OrderStatus::kFailed);
  return true;
}

/// A step that never opened is done without a result.
void Engine::State::skip_unopened(Draft& draft, Opening& opening, StepIndex step,
                                  std::string note) {
  Order& order = *draft.order;
  auto& event = this->note(draft, EventKind::kSkipped, nullptr);
  event.step = step;
  event.note = std::move(note);
  order.opened.set(step);
  order.keep({.step = step, .is_skipped = true, .result = nullptr, .context = {}});
  opening.done.push_back(step);
  Fact skipped = about(FactKind::kStepSkipped, order);
  skipped.step = &order.pipeline->steps[step].name;
  skipped.key.step = step;
  skipped.text = get_text(event.note, "reason").value_or("");
  fact(std::move(skipped));
}

/// All that the order's end waits for is done: it succeeds with the newest event of the write.
void Engine::State::finish_if_complete(Draft& draft) {
  Order& order = *draft.order;
  const bool is_complete = planted_.late_async ? order.done.count() == order.pipeline->steps.size()
                                               : order.is_complete();
  if (!is_complete || order.is_ending || is_final(order.status)) return;
  set_status(order, *draft.write->last_event(), OrderStatus::kSucceeded);
  forget_deferred(draft);
}

// ---- steps that failed for good -----------------------------------------------------------------

/// A task is not tried again: its fallback is asked, or the step is skipped, or the task waits for
/// an operator, or the order ends.
void Engine::State::give_up(Draft& draft, Task& task, const Defeat& defeat) {
  Order& order = *draft.order;
  const auto& step = order.pipeline->steps[task.step];
  const bool is_own = task.kind == TaskKind::kForward;
  const bool is_undo = task.kind == TaskKind::kCompensate;
  if (is_own && !step.fallback.empty() && defeat.cause != Cause::kPoisoned) {
    return fall_back(draft, task, defeat);
  }
  if (step.optional && !is_undo && !planted_.optional_ends) return skip_task(draft, task, defeat);
  const bool ends_order = defeat.cause == Cause::kFailed && !step.async;
  if (ends_order && task.maybe) note_maybe(draft, task.key(), "maybe");
  auto& event = note(draft, ends_order ? EventKind::kFailed : EventKind::kParked, &task);
  event.worker = defeat.blame.worker;
  const std::string reason(ends_order ? std::string_view(defeat.reason) : word_of(defeat.cause));
  event.note = text_object({{"error", defeat.blame.error}, {"reason", reason}});
  if (ends_order) {
    transition(task, TaskState::kLeased, Cause::kFailed);
    order.failed_step = task.step;
    remove_row(draft, task);
    return begin_ending(draft, OrderStatus::kFailed);
  }
  if (!is_final(order.status)) set_status(order, event, OrderStatus::kParked);
  task.attempt = task.fence.attempt;
  transition(task, TaskState::kLeased,
             defeat.cause == Cause::kFailed ? Cause::kFailedAside : defeat.cause);
  park(draft, task, reason, defeat.blame);
}

/// The step's other handler is asked, with attempts of its own.
void Engine::State::fall_back(Draft& draft, Task& task, const Defeat& defeat) {
  const auto& step = draft.order->pipeline->steps[task.step];
  auto& event = note(draft, EventKind::kFellBack, &task);
  event.worker = defeat.blame.worker;
  event.note = text_object({{"error", defeat.blame.error},
                            {"reason", word_of(defeat.cause)},
                            {"fallback", step.fallback}});
  Fact fell_back = about(FactKind::kFellBack, task);
  fell_back.worker_name = defeat.blame.worker;
  fell_back.error = defeat.blame.error;
  fact(std::move(fell_back));
  transition(task, TaskState::kLeased, Cause::kFellBack);
  TaskRow row{.key = {draft.order->row.id, task.step, task.branch, TaskKind::kFallback},
              .queue = step.fallback,
              .priority = task.priority,
              .seq = draft.shard->next_seq(),
              .maybe = task.maybe};
  remove_row(draft, task);
  open_task(draft, std::move(row), "");
}

/// An optional step is done without a result, and the order goes on.
void Engine::State::skip_task(Draft& draft, Task& task, const Defeat& defeat) {
  if (task.maybe) note_maybe(draft, task.key(), "maybe");  // undone with the rest, should it end
  auto& event = note(draft, EventKind::kSkipped, &task);
  event.worker = defeat.blame.worker;
  event.note = text_object(
      {{"error", defeat.blame.error}, {"failure", word_of(defeat.cause)}, {"reason", "optional"}});
  Fact skipped = about(FactKind::kStepSkipped, task);
  skipped.text = "optional";
  skipped.worker_name = defeat.blame.worker;
  skipped.error = defeat.blame.error;
  fact(std::move(skipped));
  transition(task, TaskState::kLeased, Cause::kOptional);
  complete_step(draft, task,
                {.step = task.step,
                 .branch = task.branch,
                 .kind = task.kind,
                 .is_skipped = true,
                 .attempt = event.attempt,
                 .result = nullptr,
                 .context = {}});
}

}  // namespace ordo
