// Who waits for an order: for its end, for a step, for its events.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/codec.hpp"

namespace ordo {

void Engine::State::wait(Asker asker, const wire::Wait& request) {
  Shard* shard = open_shard_of(request.id, asker);
  if (shard == nullptr) return;
  if (waiters_.size() >= settings_.waiters) {
    Error busy{Code::kBusy, "waiters", "too many requests wait for orders", Millis{1000}};
    return answer(asker, busy);
  }
  if (waiters_.has(asker)) return;  // a frame that came twice asks once
  Waiter waiter;
  waiter.asker = asker;
  waiter.since = now.steady;
  waiter.step = request.step;
  waiter.is_reading = true;
  waiters_.add(request.id, std::move(waiter));
  with_order(*shard, request.id, std::nullopt,
             [this, asker, id = request.id](Order* order) { begin_waiting(id, asker, order); });
}

void Engine::State::give_up_waiting(Asker asker) {
  const Waiter* const waiter = waiters_.find(asker);
  if (waiter == nullptr) return;
  if (!waiter->is_watch) fact({.kind = FactKind::kWaitGivenUp});
  waiters_.forget(asker);
}

/// The order that somebody waits for has been looked up; meanwhile they may have given up.
void Engine::State::begin_waiting(const OrderId& id, Asker asker, Order* order) {
  Waiter* waiter = waiters_.find(id, asker);
  if (waiter == nullptr) return;
  waiter->is_reading = false;
  if (order == nullptr) {
    answer(asker,
           Error{Code::kNotFound, "unknown_order", "there is no order " + id.to_string(), {}});
  } else if (!waiter->step.empty() && !order->pipeline->find(waiter->step)) {
    answer(asker,
           Error{Code::kNotFound,
                 "unknown_step",
                 "pipeline `" + order->pipeline->name + "` has no step `" + waiter->step + "`",
                 {}});
  } else if (order->writes != 0 || !try_answer(*order, *waiter)) {
    return;
  }
  waiters_.forget(asker);
}

/// Answers when what was waited for is there. Only asked when nothing of the order is on its way,
/// so that whatever is told is durable.
bool Engine::State::try_answer(Order& order, const Waiter& waiter) {
  wire::OrderSummary summary;
  summary.id = order.row.id;
  summary.status = to_string(order.status);
  bool is_over = is_final(order.status) || order.is_ending;
  if (waiter.step.empty()) {
    if (!is_final(order.status) && order.status != OrderStatus::kParked) return false;
  } else {
    const StepIndex step = *order.pipeline->find(waiter.step);
    const TaskKey task{order.row.id, step, 0, TaskKind::kForward};
    const bool is_parked = std::any_of(
        order.deferred.begin(), order.deferred.end(),
        [&](const auto& d) { return d.task.key == task && d.state == TaskState::kParked; });
    if (order.find(task) != nullptr) is_over = false;  // it may still finish
    if (!order.done.test(step) && !is_over && !is_parked) return false;
    summary.step = order.done.test(step)       ? "succeeded"
                   : order.failed_step == step ? "failed"
                   : is_parked && !is_over     ? "parked"
                                               : "cancelled";
    for (const auto& done : order.results) {
      if (done.step != step || done.kind == TaskKind::kCompensate) continue;
      if (done.is_skipped) summary.step = "skipped";
      summary.result = view(done.result);
    }
  }
  answer(waiter.asker, wire::encode_body(summary));
  return true;
}

/// Something about the order became durable.
void Engine::State::notify(Order& order) {
  waiters_.sift(order.row.id, [&](const OrderId& id, Waiter& waiter) {
    if (!waiter.is_watch) {
      return !waiter.is_reading && order.writes == 0 && try_answer(order, waiter);
    }
    read_events(id, waiter);
    return false;
  });
}

void Engine::State::watch(Asker asker, const wire::Watch& request) {
  if (shard_of(request.id) == nullptr) {
    return answer(
        asker,
        Error{Code::kNotFound, "unknown_order", "there is no order " + request.id.to_string(), {}});
  }
  if (waiters_.size() >= settings_.waiters) {
    Error busy{Code::kBusy, "waiters", "too many requests wait for orders", Millis{1000}};
    return answer(asker, busy);
  }
  if (waiters_.has(asker)) return;
  Waiter waiter;
  waiter.asker = asker;
  waiter.since = now.steady;
  waiter.is_watch = true;
  waiter.cursor = request.after_seq;
  read_events(request.id, waiters_.add(request.id, std::move(waiter)));
}

void Engine::State::read_events(const OrderId& id, Waiter& waiter) {
  if (waiter.is_reading) {
    waiter.is_behind = true;
    return;
  }
  waiter.is_reading = true;
  ask({waiter.asker, Question::Kind::kWatch, id}, static_cast<ShardNumber>(id.shard()),
      {.what = QuerySpec::What::kEvents, .id = id, .after_seq = waiter.cursor});
}

/// The Unwait of a request that its client has made again since may be lost.
void Engine::State::forget_old_waiters() {
  if (now.steady < next_sweep_) return;
  next_sweep_ = now.steady + settings_.waiter_patience / 4;
  const Steady before = now.steady - settings_.waiter_patience;
  waiters_.sift([&](const OrderId&, const Waiter& waiter) { return waiter.since < before; });
}

}  // namespace ordo
