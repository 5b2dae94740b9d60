// What an order did is undone: by one task a step, in the reverse order of its DAG.
#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// Whether its handler said that it can never work, so that nothing of it has stayed. One that was
/// told to stop may have been in the middle of it: any other answer leaves that open.
bool has_failed_clean(const Task& task, const wire::TaskResult* result) {
  return result != nullptr && !task.maybe &&
         static_cast<Outcome>(result->outcome) == Outcome::kPermanent;
}

}  // namespace

/// The order is ending, and this task of it did not succeed: it does not go out again. Where nobody
/// knows whether it had its effect, its step is undone like one that succeeded.
void Engine::State::cut_short(Task& task, const Unfinished& why) {
  Order& order = task.order;
  auto change = draft(shards_.at(order.shard), order);
  const bool is_clean = has_failed_clean(task, why.result);
  if (why.has_run) {
    auto& event = note(change, is_clean ? EventKind::kFailed : EventKind::kCut, &task);
    event.worker = why.worker;
    event.note = text_object({{"reason", why.reason}, {"error", why.error}});
    if (!is_clean && order.undoing != nullptr) order.undoing->maybe.set(task.step);
  } else if (task.maybe) {
    note_maybe(change, task.key(), "maybe");
  }
  if (why.result != nullptr && task.worker != nullptr) {
    change.write->once_durable.push_back(recorded(task.worker->peer, *why.result, nullptr));
  }
  transition(task, TaskState::kLeased, is_clean ? Cause::kFailed : Cause::kOrderEnding);
  remove_row(change, task);
  go_on_ending(change);
  commit(std::move(change));
}

/// A task that nobody runs goes with the end of its order, and an earlier attempt of it may have
/// had its effect: told by an event, so that whoever loads the order knows it too.
void Engine::State::note_maybe(Draft& draft, const TaskKey& key, std::string reason) {
  Order& order = *draft.order;
  if (!order.pipeline->compensated.test(key.step)) return;
  if (order.undoing == nullptr) order.undoing = std::make_unique<Undoing>();
  auto& event = note(draft, EventKind::kCut, nullptr);
  event.step = key.step;
  event.branch = key.branch;
  event.task_kind = key.kind;
  event.note = text_object({{"reason", std::move(reason)}});
  order.undoing->maybe.set(key.step);
}

/// The steps that are still to be undone: what succeeded or may have, and can be undone.
StepSet Engine::State::to_undo(const Order& order) const {
  StepSet left = planted_.kept_maybe ? StepSet{} : order.undoing->maybe;
  for (const auto& done : order.results) {
    if (done.kind != TaskKind::kCompensate && !done.is_skipped) left.set(done.step);
  }
  return left & order.pipeline->compensated & ~order.undoing->undone;
}

/// Opens what undoes each step all of whose successors are undone. False when nothing is left.
bool Engine::State::undo_more(Draft& draft) {
  Order& order = *draft.order;
  if (order.undoing == nullptr) return false;
  const auto& pipeline = *order.pipeline;
  const StepSet left = to_undo(order);
  if (left.none() || (planted_.half_undone && order.undoing->undone.any())) return false;
  StepSet blocked;  // by a step after it that is not undone yet
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    if (!left.test(step)) continue;
    if (!planted_.forward_undo) {
      blocked |= pipeline.ancestors[step];
    } else if ((pipeline.ancestors[step] & left).any()) {
      blocked.set(step);
    }
  }
  const StepSet next = left & ~blocked & ~order.undoing->begun;
  if (next.any() && order.undoing->begun.none()) {
    fact(about(FactKind::kCompensationBegun, order));
  }
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    if (!next.test(step)) continue;
    order.undoing->begun.set(step);
    open_task(draft,
              {.key = {order.row.id, step, 0, TaskKind::kCompensate},
               .queue = pipeline.steps[step].compensate,
               .priority = order.row.priority,
               .seq = draft.shard->next_seq(),
               .maybe = order.undoing->maybe.test(step)},
              "");
  }
  return true;
}

/// It failed for good, and its order may not end over it: somebody has to look.
void Engine::State::park_for_good(Task& task, const std::string& worker,
                                  const wire::TaskResult& result) {
  Order& order = task.order;
  auto change = draft(shards_.at(order.shard), order);
  change.write->once_durable.push_back(recorded(task.worker->peer, result, nullptr));
  const std::string error = clean_text(result.error, limits::kTextBytes);
  const char* reason = task.kind == TaskKind::kCompensate ? "failed" : "irreversible";
  auto& event = note(change, EventKind::kParked, &task);
  event.worker = worker;
  event.note = text_object({{"error", error}, {"reason", reason}});
  set_status(order, event, OrderStatus::kParked);
  task.attempt = task.fence.attempt;
  ++task.failures;
  transition(task, TaskState::kLeased, Cause::kMustNotFail);
  park(change, task, reason, {worker, error});
  commit(std::move(change));
}

}  // namespace ordo
