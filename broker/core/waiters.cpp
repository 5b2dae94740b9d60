// Who waits for an order: for its end, for a step, for its events.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/codec.hpp"

namespace ordo {

void Engine::State::wait(Asker asker, const wire::Wait& request) {
  Shard* shard = shard_of(request.id);
  if (shard == nullptr || !shard->is_open()) {
    return answer(asker, Error{Code::kUnavailable,
                               "shard_closed",
                               "the order's shard is not open here: try again",
                               {}});
  }
  if (counts().waiters >= settings_.waiters) {
    Error busy{Code::kBusy, "waiters", "too many requests wait for orders", Millis{1000}};
    return answer(asker, busy);
  }
  if (find_waiter(request.id, asker) != nullptr) return;  // a frame that came twice asks once
  Waiter waiter;
  waiter.asker = asker;
  waiter.since = now.steady;
  waiter.step = request.step;
  waiter.is_reading = true;
  waiters_[request.id].push_back(std::move(waiter));
  with_order(*shard, request.id, std::nullopt,
             [this, asker, id = request.id](Order* order) { begin_waiting(id, asker, order); });
}

/// The order that somebody waits for has been looked up; meanwhile they may have given up.
void Engine::State::begin_waiting(const OrderId& id, Asker asker, Order* order) {
  Waiter* waiter = find_waiter(id, asker);
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
  forget_waiter(id, asker);
}

Waiter* Engine::State::find_waiter(const OrderId& id, Asker asker) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return nullptr;
  for (auto& waiter : found->second) {
    if (waiter.asker == asker) return &waiter;
  }
  return nullptr;
}

void Engine::State::forget_waiter(const OrderId& id, Asker asker) {
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return;
  std::erase_if(found->second, [&](const Waiter& waiter) { return waiter.asker == asker; });
  if (found->second.empty()) waiters_.erase(found);
}

/// Answers when what was waited for is there. Only asked when nothing of the order is on its way,
/// so that whatever is told is durable.
bool Engine::State::try_answer(Order& order, const Waiter& waiter) {
  wire::OrderSummary summary;
  summary.id = order.row.id;
  summary.status = to_string(order.status);
  const bool is_over = is_final(order.status) || order.is_ending;
  if (waiter.step.empty()) {
    if (!is_final(order.status) && order.status != OrderStatus::kParked) return false;
  } else {
    const StepIndex step = *order.pipeline->find(waiter.step);
    if (!order.done.test(step) && !is_over) return false;
    summary.step = order.done.test(step) ? "succeeded" : "cancelled";
    for (const auto& done : order.results) {
      if (done.step != step) continue;
      if (done.is_skipped) summary.step = "skipped";
      summary.result = view(done.result);
    }
  }
  answer(waiter.asker, wire::encode_body(summary));
  return true;
}

/// Something about the order became durable.
void Engine::State::notify(Order& order) {
  const auto found = waiters_.find(order.row.id);
  if (found == waiters_.end()) return;
  auto& waiters = found->second;
  for (std::size_t i = 0; i < waiters.size();) {
    auto& waiter = waiters[i];
    if (waiter.is_watch) {
      read_events(order.row.id, waiter);
    } else if (!waiter.is_reading && order.writes == 0 && try_answer(order, waiter)) {
      waiters.erase(waiters.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    ++i;
  }
  if (waiters.empty()) waiters_.erase(found);
}

void Engine::State::watch(Asker asker, const wire::Watch& request) {
  if (shard_of(request.id) == nullptr) {
    return answer(
        asker,
        Error{Code::kNotFound, "unknown_order", "there is no order " + request.id.to_string(), {}});
  }
  if (counts().waiters >= settings_.waiters) {
    Error busy{Code::kBusy, "waiters", "too many requests wait for orders", Millis{1000}};
    return answer(asker, busy);
  }
  if (find_waiter(request.id, asker) != nullptr) return;
  Waiter waiter;
  waiter.asker = asker;
  waiter.since = now.steady;
  waiter.is_watch = true;
  waiter.cursor = request.after_seq;
  auto& waiters = waiters_[request.id];
  waiters.push_back(std::move(waiter));
  read_events(request.id, waiters.back());
}

void Engine::State::read_events(const OrderId& id, Waiter& waiter) {
  if (waiter.is_reading) {
    waiter.is_behind = true;
    return;
  }
  waiter.is_reading = true;
  ask(waiter.asker, Question::Kind::kWatch, static_cast<ShardNumber>(id.shard()),
      {.what = QuerySpec::What::kEvents, .id = id, .after_seq = waiter.cursor});
}

template <class Predicate> void Engine::State::forget_waiters_if(Predicate is_over) {
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    std::erase_if(it->second, is_over);
    it = it->second.empty() ? waiters_.erase(it) : std::next(it);
  }
}

void Engine::State::unwait(Asker asker) {
  forget_waiters_if([&](const Waiter& waiter) { return waiter.asker == asker; });
}

void Engine::State::forget_waiters(PeerId peer) {
  forget_waiters_if([&](const Waiter& waiter) { return waiter.asker.peer == peer; });
}

/// The Unwait of a request that its client has made again since may be lost.
void Engine::State::forget_old_waiters() {
  if (now.steady < next_sweep_) return;
  next_sweep_ = now.steady + settings_.waiter_patience / 4;
  const Steady before = now.steady - settings_.waiter_patience;
  forget_waiters_if([&](const Waiter& waiter) { return waiter.since < before; });
}

}  // namespace ordo
