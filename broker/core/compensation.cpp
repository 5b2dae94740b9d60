// What an order did is undone: by one task a step or branch, in the reverse order of its DAG.
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
    if (!is_clean && order.undoing != nullptr) {
      order.mark(order.undoing->maybe, task.step, task.branch);
    }
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
  order.mark(order.undoing->maybe, key.step, key.branch);
}

/// What is still to be undone: steps and branches that succeeded or may have, and can be undone.
BranchSet Engine::State::to_undo(const Order& order) const {
  BranchSet left = planted_.kept_maybe ? BranchSet{} : order.undoing->maybe;
  for (const auto& done : order.results) {
    if (done.kind == TaskKind::kCompensate || done.is_skipped) continue;
    order.mark(left, done.step, done.branch);
  }
  left.keep_steps(order.pipeline->compensated);
  const BranchSet& undone = order.undoing->undone;
  if (planted_.one_for_all) left.keep_steps(~undone.steps());
  left.remove(undone);
  return left;
}

/// Of those, what nothing after it stands in the way of: each branch waits for its own of the same
/// chain, everything else for all branches.
BranchSet Engine::State::next_to_undo(const Order& order, const BranchSet& left) const {
  const auto& pipeline = *order.pipeline;
  BranchSet next = left;
  for (StepIndex step = 0; step < pipeline.steps.size(); ++step) {
    if (!left.steps().test(step)) continue;
    const StepSet before = pipeline.ancestors[step] & left.steps();
    for (StepIndex one = 0; before.any() && one < pipeline.steps.size(); ++one) {
      if (!before.test(one)) continue;
      const auto [first, second] =
          planted_.forward_undo ? std::pair(one, step) : std::pair(step, one);
      if (!order.is_one_chain(first, second)) {
        next.remove_step(second);
      } else if (!planted_.mixed_undo) {
        next.remove_branches(second, left, first);
      }
    }
  }
  next.remove(order.undoing->begun);
  return next;
}

/// Opens what undoes each step or branch all of whose successors are undone. False when nothing is
/// left.
bool Engine::State::undo_more(Draft& draft) {
  Order& order = *draft.order;
  if (order.undoing == nullptr) return false;
  const BranchSet left = to_undo(order);
  if (left.none() || (planted_.half_undone && !order.undoing->undone.none())) return false;
  const BranchSet next = next_to_undo(order, left);
  if (!next.none() && order.undoing->begun.none()) {
    fact(about(FactKind::kCompensationBegun, order));
  }
  next.for_each([&](StepIndex step, BranchIndex branch) {
    order.mark(order.undoing->begun, step, branch);
    open_task(draft,
              {.key = {order.row.id, step, branch, TaskKind::kCompensate},
               .queue = order.pipeline->steps[step].compensate,
               .priority = order.row.priority,
               .seq = draft.shard->next_seq(),
               .maybe = order.undoing->maybe.test(step, branch)},
              "");
  });
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
