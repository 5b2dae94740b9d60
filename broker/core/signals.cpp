// Signals: what comes from outside for a step that waits, in time, early, late or again. Races with
// timeouts, cancels and deadlines are decided here: whoever is first takes the waiting row, the
// signal that is not comes too late.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/hash.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// The first bound that a signal breaks.
Result<void> check(const wire::Signal& request) {
  const auto refuse = [](const char* reason, std::string message) {
    return fail(Code::kMalformed, reason, std::move(message));
  };
  if (!request.id.is_valid()) return refuse("bad_id", "the order id is not a UUIDv7");
  if (!is_name(request.name)) {
    return refuse("bad_name", "a signal's name must be [a-z0-9_.-]{1,64}");
  }
  if (!request.pipeline.empty() && !is_name(request.pipeline)) {
    return refuse("bad_name", "a pipeline's name must be [a-z0-9_.-]{1,64}");
  }
  if (request.payload.size() > limits::kResultBytes) {
    return refuse("too_large", "the signal's payload has " +
                                   std::to_string(request.payload.size()) +
                                   " bytes; the limit is " + std::to_string(limits::kResultBytes));
  }
  if (request.dedup.size() > limits::kKeyBytes || request.who.size() > limits::kCustomerBytes) {
    return refuse("too_large", "dedup has at most 256 bytes and who 128");
  }
  if (!is_text(request.dedup) || !is_text(request.who)) {
    return refuse("bad_text", "dedup and who must be UTF-8 without NUL");
  }
  if (request.context.empty()) return {};
  return check_context(request.context, limits::kStepContextBytes, "context");
}

/// A context that sets nothing changes nothing, and need not be kept.
std::string note_of(const wire::Signal& request, const std::string& dedup) {
  std::string note = text_object({{"signal", request.name},
                                  {"dedup", dedup},
                                  {"who", clean_text(request.who, 128)},
                                  {"pipeline", request.pipeline}});
  if (!request.context.empty()) note.insert(1, R"("context":)" + request.context + ",");
  return note;
}

std::string context_in(const SignalRow& signal) {
  return get_context(signal.note, "context").value_or(std::string{});
}

bool has(const Order& order, const SignalRow& signal) {
  const auto is_it = [&](const auto& one) {
    return one.name == signal.name && one.dedup == signal.dedup;
  };
  return std::any_of(order.seen.begin(), order.seen.end(), is_it) ||
         std::any_of(order.early.begin(), order.early.end(), is_it);
}

/// What a signal may still bring to the order. One that is kept for it is among its early ones.
Result<void> check_room(const Order& order, const SignalRow& signal) {
  const std::size_t own = signal.seq == 0 ? 0 : 1;
  if (order.seen.size() + order.early.size() - own >= limits::kOrderSignals) {
    return fail(Code::kConflict, "too_many_signals",
                "the order has had " + std::to_string(limits::kOrderSignals) +
                    " signals: no more are kept");
  }
  std::size_t bytes = order.results_bytes + (own != 0 ? 0 : view(signal.payload).size());
  for (const auto& one : order.early) bytes += view(one.payload).size();
  if (bytes > limits::kOrderResultsBytes) {
    return fail(Code::kMalformed, "too_large",
                "results and signals of one order have at most " +
                    std::to_string(limits::kOrderResultsBytes) + " bytes");
  }
  if (const auto context = context_in(signal); !context.empty()) {
    const auto merged = merge_context(order.row.context, context);
    if (!merged) return tl::unexpected<Error>(merged.error());
  }
  return {};
}

}  // namespace

std::optional<StepIndex> step_of_signal(const Order& order, const std::string& signal) {
  const auto& steps = order.pipeline->steps;
  for (std::size_t step = steps.size(); step > 0; --step) {
    if (steps[step - 1].wait == signal) return static_cast<StepIndex>(step - 1);
  }
  return std::nullopt;
}

bool is_awaited(const Order& order, const std::string& signal) {
  if (order.is_ending) return false;
  if (is_final(order.status) && order.status != OrderStatus::kSucceeded) return false;
  const auto& steps = order.pipeline->steps;
  for (StepIndex step = 0; step < steps.size(); ++step) {
    if (steps[step].wait == signal && !order.done.test(step)) return true;
  }
  return false;
}

void Engine::State::signal(Asker asker, wire::Signal& request) {
  if (auto checked = check(request); !checked) return answer(asker, checked.error());
  Shard* shard = open_shard_of(request.id, asker);
  if (shard == nullptr) return;
  if (now.steady - shard->sweep.swept > kSweepStale) {
    return answer(asker, Error{Code::kUnavailable,
                               "sweep_stale",
                               "nobody looks after signals of this shard now: try again",
                               {}});
  }
  SignalRow row;
  row.order = request.id;
  row.name = request.name;
  row.dedup = request.dedup.empty() ? std::to_string(content_hash(request.payload)) : request.dedup;
  row.note = note_of(request, row.dedup);
  if (!request.payload.empty()) row.payload = make_bytes(std::move(request.payload));
  with_signals(*shard, request.id, asker,
               [this, asker, row, pipeline = request.pipeline](Order* order) {
                 if (order == nullptr) return keep_orphan(asker, row);
                 if (!pipeline.empty() && order->pipeline->name != pipeline) {
                   return answer(asker, Error{Code::kConflict,
                                              "pipeline",
                                              "the order runs pipeline `" + order->pipeline->name +
                                                  "`, not `" + pipeline + "`",
                                              {}});
                 }
                 deliver(*order, {.signal = row, .asker = asker});
               });
}

/// As with_order(), once all signals of the order are known. One that was never read from the
/// tables may have some that came before it.
void Engine::State::with_signals(Shard& shard, const OrderId& id, std::optional<Asker> asker,
                                 Shard::Action action) {
  // Whoever waits is also called when a write of the order is done, which may be before the load.
  auto once_known = [this, number = shard.number, id, asker, action](Order* order) {
    if (order == nullptr || order->knows_signals) return action(order);
    with_signals(shards_.at(number), id, asker, action);
  };
  const auto found = shard.orders.find(id);
  if (found == shard.orders.end() || found->second->is_inserting || found->second->knows_signals) {
    return with_order(shard, id, asker, std::move(once_known));
  }
  shard.loading[id].waiting.push_back({std::move(once_known), asker});
  load(shard, id);
}

/// What was read of a resident order's signals.
void Engine::State::learn_signals(Order& order, OrderSnapshot& snapshot) {
  if (order.knows_signals || !snapshot.knows_signals) return;
  order.knows_signals = true;
  order.early = std::move(snapshot.signals);
  order.seen = std::move(snapshot.seen);
}

/// Whether a signal may be delivered; answers who sent it where not.
bool Engine::State::is_welcome(Order& order, const Delivery& delivery) {
  const SignalRow& signal = delivery.signal;
  const auto step = step_of_signal(order, signal.name);
  Result<void> room = check_room(order, signal);
  if (!step) {
    room = fail(Code::kNotFound, "unknown_signal",
                "no step of pipeline `" + order.pipeline->name + "` waits for signal `" +
                    signal.name + "`");
  }
  if (delivery.is_kept()) {
    const bool is_there = std::any_of(order.early.begin(), order.early.end(), [&](const auto& one) {
      return one.seq == delivery.signal.seq;
    });
    if (is_there && !room) file_away(order, signal, room.error());
    return is_there && room.has_value();
  }
  if (step && has(order, signal)) {
    if (order.writes != 0) {  // the first of them may be on its way into the tables
      when_settled(order, delivery.asker, [this, delivery](Order* known) {
        if (known != nullptr) return deliver(*known, delivery);
        answer(*delivery.asker, Error{Code::kUnknown, "in_doubt", "ask again", {}});
      });
      return false;
    }
    told_of_signal(order, *step, "repeated");
    answer_duplicate(*delivery.asker);
    return false;
  }
  if (!room) answer(*delivery.asker, room.error());
  return room.has_value();
}

void Engine::State::deliver(Order& order, Delivery delivery) {
  if (!is_welcome(order, delivery)) return;
  const SignalRow& signal = delivery.signal;
  const StepIndex step = *step_of_signal(order, signal.name);
  const auto row = std::find_if(order.deferred.begin(), order.deferred.end(), [&](const auto& one) {
    const bool may_take = one.state == TaskState::kWaiting || one.state == TaskState::kParked;
    return may_take && one.task.key.kind == TaskKind::kForward && !order.is_ending &&
           order.pipeline->steps[one.task.key.step].wait == signal.name;
  });
  const bool is_taken = row != order.deferred.end();
  if (!is_taken && !is_awaited(order, signal.name)) {
    return too_late(order, step, std::move(delivery));
  }
  auto change = draft(shards_.at(order.shard), order);
  if (delivery.is_kept()) drop_signal(change, signal);
  if (is_taken) {
    const TaskKey key = row->task.key;
    transition(key, row->state, Cause::kSignalled);
    if (!planted_.both_win) undefer(change, key);
    take_signal(change, key, signal);
  } else {
    told_of_signal(order, step, "early");
    keep_early(change, signal);
  }
  acknowledge(change, delivery);
  commit(std::move(change));
}

void Engine::State::acknowledge(Draft& draft, const Delivery& delivery) {
  if (!delivery.asker) return;
  wire::Answer ok;
  ok.request = delivery.asker->request;
  draft.write->once_durable.push_back({Send::To::kClient, delivery.asker->peer, std::move(ok)});
}

// ---- rows of `signal` ---------------------------------------------------------------------------

void Engine::State::insert_signal(Draft& draft, SignalRow signal) {
  draft.write->store.changes.emplace_back(InsertSignal{signal});
  if (signal.next_at) {
    ++draft.shard->sweep.kept;
    draft.shard->sweep.expect(*signal.next_at);
  }
  draft.order->early.push_back(std::move(signal));
}

void Engine::State::delete_signal(Draft& draft, const SignalRow& signal) {
  draft.write->store.changes.emplace_back(DeleteSignal{signal.order, signal.seq});
  auto& kept = draft.shard->sweep.kept;
  if (signal.next_at && kept > 0) --kept;
}

/// As delete_signal(), for one that the order still lists.
void Engine::State::drop_signal(Draft& draft, const SignalRow& signal) {
  delete_signal(draft, signal);
  std::erase_if(draft.order->early, [&](const auto& one) { return one.seq == signal.seq; });
}

/// A kept signal that its order cannot take, now that it is there: evidence.
void Engine::State::file_away(Order& order, const SignalRow& signal, const Error& why) {
  auto change = draft(shards_.at(order.shard), order);
  drop_signal(change, signal);
  Fact told = about(FactKind::kSignal, order);
  told.text = "not_awaited";
  told.error = why.message;
  fact(std::move(told));
  auto& event = note(change, EventKind::kSignalled, nullptr);
  event.worker = get_text(signal.note, "who").value_or("");
  event.detail = signal.payload;
  event.note = text_object({{"signal", signal.name},
                            {"dedup", signal.dedup},
                            {"who", event.worker},
                            {"reason", kLate},
                            {"error", why.message}});
  order.seen.push_back({signal.name, signal.dedup});
  commit(std::move(change));
}

// ---- what becomes of it -------------------------------------------------------------------------

/// The signal makes its step done: its payload is the step's result.
void Engine::State::take_signal(Draft& draft, const TaskKey& key, const SignalRow& signal) {
  Order& order = *draft.order;
  auto& event = note_signal(draft, key, signal);
  if (order.status == OrderStatus::kParked && !order.has_parked()) {
    set_status(order, event, OrderStatus::kRunning);
  }
  go_on(draft, key.step, key.branch);
}

/// A step opens whose signal is there already: it is done. False where there is none.
bool Engine::State::take_early(Draft& draft, StepIndex step) {
  Order& order = *draft.order;
  const auto early = std::find_if(order.early.begin(), order.early.end(), [&](const auto& one) {
    return one.name == order.pipeline->steps[step].wait && !planted_.early_lost;
  });
  if (early == order.early.end()) return false;
  const SignalRow signal = std::move(*early);
  order.early.erase(early);
  delete_signal(draft, signal);
  note_signal(draft, {order.row.id, step, 0, TaskKind::kForward}, signal);
  return true;
}

/// A step is done with a signal's payload as its result.
EventRow& Engine::State::note_signal(Draft& draft, const TaskKey& key, const SignalRow& signal) {
  Order& order = *draft.order;
  told_of_signal(order, key.step, "taken");
  auto& event = note(draft, EventKind::kSignalled, nullptr);
  event.step = key.step;
  event.branch = key.branch;
  event.worker = get_text(signal.note, "who").value_or("");
  event.detail = signal.payload;
  event.note = signal.note;
  DoneStep done{.step = key.step,
                .branch = key.branch,
                .result = signal.payload,
                .context = context_in(signal)};
  if (!done.context.empty()) {
    if (auto merged = merge_context(order.row.context, done.context)) {
      order.row.context = std::move(*merged);
    }
  }
  order.seen.push_back({signal.name, signal.dedup});
  order.keep(std::move(done));
  return event;
}

/// Its step is not open yet: kept until it opens.
void Engine::State::keep_early(Draft& draft, SignalRow signal) {
  if (signal.seq == 0) signal.at = draft.shard->wall(now.steady);
  signal.seq = draft.shard->next_seq();
  signal.checks = 0;
  signal.next_at.reset();
  insert_signal(draft, std::move(signal));
}

void Engine::State::told_of_signal(const Order& order, StepIndex step, const char* word) {
  Fact told = about(FactKind::kSignal, order);
  told.key.step = step;
  told.step = &order.pipeline->steps[step].name;
  told.text = word;
  fact(std::move(told));
}

}  // namespace ordo
