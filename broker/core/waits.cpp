// Steps that wait, for time or for a signal, and where the end of their patience leads.
#include <algorithm>

#include "broker/core/opening.hpp"

namespace ordo {
namespace {

/// As a whole: of a step with branches each may have been skipped on its own.
bool is_skipped(const Order& order, StepIndex step) {
  return order.fan(step) == nullptr &&
         std::any_of(order.results.begin(), order.results.end(), [&](const DoneStep& done) {
           return done.step == step && done.is_skipped && done.kind != TaskKind::kCompensate;
         });
}

}  // namespace

/// A step that opens and does not begin: for its own delay, the order's, or until its signal comes.
void Engine::State::open_later(Draft& draft, StepIndex step, BranchIndex branch, Millis delay) {
  Order& order = *draft.order;
  const Step& definition = order.pipeline->steps[step];
  const Wall begins = draft.shard->wall(now.steady) + delay + definition.delay;
  DeferredRow row;
  row.task = {.key = {order.row.id, step, branch, TaskKind::kForward},
              .queue = definition.queue,
              .priority = order.row.priority,
              .seq = draft.shard->next_seq()};
  const bool waits = !definition.wait.empty();
  row.state = waits ? TaskState::kWaiting : TaskState::kScheduled;
  row.run_at = waits ? begins + definition.timeout : begins;
  if (waits) {
    row.reason = "signal " + definition.wait;
  } else {
    row.reason = definition.delay.count() != 0 ? "delay" : "delayed";
  }
  defer(draft, std::move(row));
}

/// Skips a step that only timeouts lead to, and each that comes only after skipped ones.
void Engine::State::pass_over(Draft& draft, Opening& opening, StepIndex step) {
  Order& order = *draft.order;
  skip_unopened(draft, opening, step, text_object({{"reason", "not_taken"}}));
  for (const StepIndex next : order.pipeline->steps[step].before) {
    const auto& after = order.pipeline->steps[next].after;
    const bool is_dead = std::all_of(after.begin(), after.end(),
                                     [&](StepIndex before) { return is_skipped(order, before); });
    if (is_dead && !order.opened.test(next)) pass_over(draft, opening, next);
  }
}

/// A wait is over. Where only timeouts lead is not gone to any more, once none can.
void Engine::State::close_detour(Draft& draft, Opening& opening, StepIndex done) {
  Order& order = *draft.order;
  const auto& steps = order.pipeline->steps;
  if (steps[done].on_timeout != OnTimeout::kStep) return;
  const std::string& name = steps[done].on_timeout_step;
  const StepIndex target = *order.pipeline->find(name);
  if (!order.pipeline->detours.test(target) || order.opened.test(target)) return;
  for (StepIndex step = 0; step < steps.size(); ++step) {
    if (steps[step].on_timeout_step == name && !order.done.test(step)) return;
  }
  pass_over(draft, opening, target);
}

/// No signal came in time.
void Engine::State::wait_timed_out(Order& order, const DeferredRow& row) {
  const StepIndex step = row.task.key.step;
  const Step& definition = order.pipeline->steps[step];
  Fact late = about(FactKind::kWaitTimedOut, order);
  late.key = row.task.key;
  late.step = &definition.name;
  fact(std::move(late));
  auto change = draft(shards_.at(order.shard), order);
  const bool fails = definition.on_timeout == OnTimeout::kFail && !definition.optional;
  if (fails && (order.is_one_way || definition.async)) return park_wait(std::move(change), row);
  transition(row.task.key, TaskState::kWaiting, fails ? Cause::kTimedOut : Cause::kWaitSkipped);
  undefer(change, TaskKey(row.task.key));
  if (fails) {
    auto& event = note(change, EventKind::kFailed, nullptr);
    event.step = step;
    event.note = text_object(
        {{"error", "no signal `" + definition.wait + "` came in time"}, {"reason", "timeout"}});
    order.failed_step = step;
    begin_ending(change, OrderStatus::kFailed);
  } else {
    Opening opening(order);
    skip_unopened(change, opening, step, text_object({{"reason", "timeout"}}));
    if (definition.on_timeout == OnTimeout::kStep) take_detour(change, opening, step);
    open_found(change, opening);
  }
  commit(std::move(change));
}

/// No signal came in time, and the order may not end over it: it may come still, or somebody
/// decides.
void Engine::State::park_wait(Draft&& draft, DeferredRow row) {
  const Step& definition = draft.order->pipeline->steps[row.task.key.step];
  const char* reason = definition.async ? "timeout" : "irreversible";
  auto& event = note(draft, EventKind::kParked, nullptr);
  event.step = row.task.key.step;
  event.note = text_object(
      {{"error", "no signal `" + definition.wait + "` came in time"}, {"reason", reason}});
  if (!is_final(draft.order->status)) set_status(*draft.order, event, OrderStatus::kParked);
  transition(row.task.key, TaskState::kWaiting, Cause::kMustNotFail);
  Fact parked = about(FactKind::kTaskParked, *draft.order);
  parked.key = row.task.key;
  parked.step = &definition.name;
  parked.text = reason;
  fact(std::move(parked));
  undefer(draft, TaskKey(row.task.key));
  row.state = TaskState::kParked;
  row.run_at.reset();
  row.reason = reason;
  row.task.seq = draft.shard->next_seq();
  defer(draft, std::move(row));
  commit(std::move(draft));
}

/// The step that the timeout leads to opens instead of all that comes after the wait by other ways.
void Engine::State::take_detour(Draft& draft, Opening& opening, StepIndex wait) {
  Order& order = *draft.order;
  const auto& pipeline = *order.pipeline;
  const StepIndex target = *pipeline.find(pipeline.steps[wait].on_timeout_step);
  std::vector<StepIndex> bypassed;
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    const bool is_after = pipeline.ancestors[step].test(wait) && step != target &&
                          !pipeline.ancestors[step].test(target);
    if (is_after && !order.opened.test(step)) bypassed.push_back(step);
  }
  // Whoever reads the history finds each step behind what it comes after.
  std::sort(bypassed.begin(), bypassed.end(), [&](StepIndex a, StepIndex b) {
    const auto depth = [&](StepIndex step) {
      return std::pair(pipeline.ancestors[step].count(), step);
    };
    return depth(a) < depth(b);
  });
  for (const StepIndex step : bypassed) {
    skip_unopened(draft, opening, step, text_object({{"reason", "bypassed"}}));
  }
  consider(draft, opening, target);
}

}  // namespace ordo
