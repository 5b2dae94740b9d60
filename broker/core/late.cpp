// Signals that come too late: kept as evidence, and where their step says so an order is started
// for each, in the tables before the signal is answered.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/hash.hpp"
#include "schema/text.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

/// The same signal makes the same order, whoever asks: an id of the shard and the time of the order
/// that the signal is for, so that its partition is there.
OrderId late_id(const Order& order, StepIndex step, const SignalRow& signal) {
  const auto& bytes = order.row.id.bytes();
  std::uint64_t hash = content_hash({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  hash = content_hash(order.pipeline->steps[step].name, hash);
  hash = content_hash(signal.dedup, hash);
  return OrderId::make(order.row.id.unix_ms(), order.shard, hash);
}

}  // namespace

/// Nothing of the order can take the signal any more.
void Engine::State::too_late(Order& order, StepIndex step, Delivery delivery) {
  const bool owes_order = !order.pipeline->steps[step].late.empty() && !planted_.late_lost;
  if (owes_order && !delivery.late && !delivery.cannot_start) {
    if (order.writes == 0) return start_late(order, step, std::move(delivery));
    // What made it too late must be certain before anything else is started.
    return when_settled(order, delivery.asker, [this, delivery](Order* known) {
      if (known != nullptr) return deliver(*known, delivery);
      if (delivery.asker)
        answer(*delivery.asker, Error{Code::kUnknown, "in_doubt", "ask again", {}});
    });
  }
  auto change = draft(shards_.at(order.shard), order);
  if (owes_order && !delivery.late) {
    keep_owed(change, delivery.signal);
  } else {
    if (delivery.is_kept()) drop_signal(change, delivery.signal);
    note_late(change, step, delivery.signal, delivery.late);
  }
  acknowledge(change, delivery);
  commit(std::move(change));
}

/// Submits the order that is owed, or finds it, and delivers the signal again.
void Engine::State::start_late(const Order& order, StepIndex step, Delivery delivery) {
  const SignalRow& signal = delivery.signal;
  const std::string& name = order.pipeline->steps[step].late;
  wire::OrderRequest request;
  request.id = late_id(order, step, signal);
  if (planted_.late_again) {  // a bug on purpose: another order each time
    request.id = OrderId::make(request.id.unix_ms(), order.shard, random_.next());
  }
  request.pipeline = name;
  request.priority = order.row.priority;
  if (signal.payload != nullptr) request.payload = *signal.payload;
  request.customer = order.row.customer;
  const auto brought = get_context(signal.note, "context").value_or("{}");
  const auto names = text_object({{"order", order.row.id.to_string()}, {"signal", signal.name}});
  request.context = merge_context(brought, names).value_or(names);
  auto trace = trace_in(order.row.labels);
  request.traceparent = std::move(trace.traceparent);
  request.tracestate = std::move(trace.tracestate);
  const auto go_on = [this, shard = order.shard, id = order.row.id, late = request.id,
                      delivery](const Order* started) {
    Delivery next = delivery;
    if (started != nullptr) next.late = late;
    next.cannot_start = started == nullptr;
    with_signals(shards_.at(shard), id, next.asker, [this, next](Order* known) {
      if (known != nullptr) deliver(*known, next);
    });
  };
  if (!versions_.contains(name)) return go_on(nullptr);
  Shard& shard = shards_.at(order.shard);
  with_order(shard, request.id, delivery.asker,
             [this, request, asker = delivery.asker, go_on, number = shard.number](Order* known) {
               if (known != nullptr) return go_on(known);
               Shard& its = shards_.at(number);
               wire::OrderRequest taken = request;
               const std::uint64_t hash = submit_hash_of(taken);
               auto change = bring_in(its, taken, hash);
               open_first(change, Millis{0});
               set_deadline(change);
               Fact started = about(FactKind::kLateStarted, *change.order);
               started.text = get_text(request.context, "signal").value_or("");
               fact(std::move(started));
               commit(std::move(change));
               with_order(its, request.id, asker, go_on);
             });
}

/// Evidence of a signal that changes nothing any more: an event of the order, not of a step.
void Engine::State::note_late(Draft& draft, StepIndex step, const SignalRow& signal,
                              const std::optional<OrderId>& started) {
  told_of_signal(*draft.order, step, kLate);
  auto& event = note(draft, EventKind::kSignalled, nullptr);
  event.worker = get_text(signal.note, "who").value_or("");
  event.detail = signal.payload;
  event.note = text_object({{"signal", signal.name},
                            {"dedup", signal.dedup},
                            {"who", event.worker},
                            {"reason", kLate},
                            {"order", started ? started->to_string() : ""}});
  draft.order->seen.push_back({signal.name, signal.dedup});
}

/// Early signals that no step can take any more have become late ones.
void Engine::State::settle_early(Draft& draft) {
  Order& order = *draft.order;
  if (order.early.empty()) return;
  for (const auto& signal : std::exchange(order.early, {})) {
    const auto step = step_of_signal(order, signal.name);
    if (!step || is_awaited(order, signal.name)) {
      order.early.push_back(signal);
    } else if (order.pipeline->steps[*step].late.empty() || planted_.late_lost) {
      delete_signal(draft, signal);
      note_late(draft, *step, signal, std::nullopt);
    } else if (signal.next_at) {
      order.early.push_back(signal);  // the sweep comes by
    } else {
      delete_signal(draft, signal);
      SignalRow owed = signal;
      owed.seq = draft.shard->next_seq();
      owed.next_at = draft.shard->wall(now.steady);
      insert_signal(draft, std::move(owed));
    }
  }
}

/// The order that it starts cannot be started now: it is tried again.
void Engine::State::keep_owed(Draft& draft, SignalRow signal) {
  if (signal.seq != 0) {
    drop_signal(draft, signal);
    ++signal.checks;
  } else {
    signal.at = draft.shard->wall(now.steady);
  }
  signal.seq = draft.shard->next_seq();
  signal.next_at = draft.shard->wall(now.steady) + gap_after(signal.checks) * settings_.signal_gap;
  if (signal.checks == kSignalChecks) tell_stuck(signal);
  insert_signal(draft, std::move(signal));
}

}  // namespace ordo
