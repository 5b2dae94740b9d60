// Orders end: by success, by a permanent failure, by cancel, by a missed deadline.
#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"

namespace ordo {

/// The newest event of a draft: what begins the end.
static EventRow& event_at(Write& write, std::size_t place) {
  return std::get<AppendEvent>(write.store.changes.at(place)).row;
}

static std::size_t last_event_at(const Write& write) {
  std::size_t place = write.store.changes.size();
  while (place-- > 0) {
    if (std::holds_alternative<AppendEvent>(write.store.changes[place])) return place;
  }
  ORDO_CHECK(false, "an end has an event");
}

/// Successors stop opening, what nobody runs goes, leased siblings may finish; then what succeeded
/// is undone (compensation.cpp), and with the last of that the order gets its final status.
void Engine::State::begin_ending(Draft& draft, OrderStatus as) {
  Order& order = *draft.order;
  const std::size_t cause = last_event_at(*draft.write);
  order.is_ending = true;
  order.ending_as = as;
  if (order.undoing == nullptr && order.pipeline->compensated.any()) {
    order.undoing = std::make_unique<Undoing>();
  }
  for (std::size_t i = 0; i < order.tasks.size(); ++i) stop_task(draft, *order.tasks[i]);
  const std::vector<DeferredRow> rows = order.deferred;
  for (const auto& row : rows) stop_row(draft, row);
  const bool waits = order.has_siblings() || undo_more(draft);
  set_status(order, event_at(*draft.write, cause), waits ? OrderStatus::kCompensating : as);
  if (!waits) return forget_deferred(draft);
  settle_early(draft);
}

/// A cancel or a deadline tells who runs a task of the order; beside a failure it just finishes.
void Engine::State::stop_task(Draft& draft, Task& task) {
  const bool is_held = task.hold == Hold::kHeld;
  if (task.hold == Hold::kLeased && task.is_in_deferred) {
    // The next owner finds it with what is in hand, and need not wait for whatever would page it in
    // (a gate may stay shut).
    draft.write->store.changes.emplace_back(DeleteDeferred{task.key()});
    draft.write->store.changes.emplace_back(InsertTask{task.row()});
    task.is_in_deferred = false;
  }
  if (is_held || task.hold == Hold::kReady || task.hold == Hold::kBorn) {
    transition(task, is_held ? TaskState::kHeld : TaskState::kReady, Cause::kOrderEnding);
    fact(about(FactKind::kTaskCancelled, task));
    if (task.maybe) note_maybe(draft, task.key(), "maybe");
    remove_row(draft, task);
  } else if (task.hold == Hold::kLeased && !task.order.failed_step) {
    if (auto send = revocation(task, "order_ending")) {
      draft.write->once_durable.push_back(std::move(*send));
    }
  }
}

void Engine::State::stop_row(Draft& draft, const DeferredRow& row) {
  const TaskKey& key = row.task.key;
  if (key.kind == TaskKind::kDeadline) return;  // goes with the end
  Order& order = *draft.order;
  const bool counts = order.pipeline->compensated.test(key.step);
  const bool is_given_out = counts && is_suspect(*draft.shard, row);
  if (is_given_out && draft.shard->grace_until) {  // who runs it may still say so
    transition(key, row.state, cause_of_return(row.state));
    undefer(draft, key);
    Task& task = take_in_hand(order, row.task);
    insert_row(draft, task);
    return wait_for_claim(*draft.shard, task);
  }
  transition(key, row.state, Cause::kOrderEnding);
  // A handler that asked to be called again may have begun something.
  if (row.task.maybe || is_given_out || row.reason.starts_with(kSnoozed))
    note_maybe(draft, key, "maybe");
  undefer(draft, key);
}

/// What an ending order waited for is over: the next steps are undone, or it has its final status.
void Engine::State::go_on_ending(Draft& draft) {
  Order& order = *draft.order;
  const bool waits = order.has_siblings() || undo_more(draft);
  if (!waits) {
    set_status(order, note(draft, EventKind::kEnded, nullptr), order.ending_as);
    return forget_deferred(draft);
  }
  if (EventRow* event = draft.write->last_event()) {
    set_status(order, *event,
               order.has_parked() ? OrderStatus::kParked : OrderStatus::kCompensating);
  }
}

/// Nothing is owed any more, but for what hangs off an order that succeeded.
void Engine::State::forget_deferred(Draft& draft) {
  const bool has_succeeded = draft.order->status == OrderStatus::kSucceeded;
  const std::vector<DeferredRow> rows = draft.order->deferred;
  for (const auto& row : rows) {
    const bool stays = has_succeeded && row.task.key.kind != TaskKind::kDeadline;
    if (!stays) undefer(draft, row.task.key);
  }
  settle_early(draft);
}

/// Its final status is durable.
void Engine::State::order_ended(Order& order) {
  if (std::exchange(order.has_ended, true)) return;
  Fact ended = about(FactKind::kOrderEnded, order);
  ended.status = order.status;
  ended.took = shards_.at(order.shard).wall(now.steady) - order.row.accepted;
  if (order.undoing != nullptr && !order.undoing->begun.none()) {
    Fact undone = ended;
    undone.kind = FactKind::kCompensationEnded;
    fact(std::move(undone));
  }
  fact(std::move(ended));
}

/// What tells the worker that an attempt counts no more; nothing where nobody can be told.
std::optional<Send> Engine::State::revocation(const Task& task, std::string_view reason) const {
  if (task.worker == nullptr || task.worker->peer == 0) return std::nullopt;
  return Send{Send::To::kWorker, task.worker->peer,
              wire::Revoked{.key = task.key(), .fence = task.fence, .reason = std::string(reason)}};
}

void Engine::State::cancel(Order& order, Asker asker, const wire::Cancel& request) {
  const bool was_cancelled = order.status == OrderStatus::kCancelled ||
                             (order.is_ending && order.ending_as == OrderStatus::kCancelled);
  if (was_cancelled && order.writes == 0) return answer(asker);
  if (was_cancelled) {  // by a cancel that is on its way into the tables
    return when_settled(order, asker, [this, asker, request](Order* known) {
      if (known != nullptr) return cancel(*known, asker, request);
      answer(asker, Error{Code::kUnknown, "in_doubt", "ask again", {}});
    });
  }
  if (order.is_one_way && !is_final(order.status)) {
    return answer(asker, Error{Code::kConflict,
                               "irreversible",
                               "order " + order.row.id.to_string() +
                                   " has done what cannot be undone: it only goes forward",
                               {}});
  }
  if (is_final(order.status) || order.is_ending) {
    return answer(asker, Error{Code::kConflict,
                               "ended",
                               "order " + order.row.id.to_string() + " is " +
                                   std::string(to_string(order.status)) + ": too late to cancel",
                               {}});
  }
  auto change = draft(shards_.at(order.shard), order);
  auto& event = note(change, EventKind::kCancelRequested, nullptr);
  event.worker = clean_text(request.who, limits::kCustomerBytes);
  event.note =
      text_object({{"who", event.worker}, {"why", clean_text(request.why, limits::kTextBytes)}});
  begin_ending(change, OrderStatus::kCancelled);
  wire::Answer ok;
  ok.request = asker.request;
  change.write->once_durable.push_back({Send::To::kClient, asker.peer, std::move(ok)});
  commit(std::move(change));
}

void Engine::State::deadline_missed(Order& order) {
  if (order.is_ending || is_final(order.status)) return;
  auto change = draft(shards_.at(order.shard), order);
  auto& event = note(change, EventKind::kDeadlineMissed, nullptr);
  if (order.is_one_way) {  // it goes on, and somebody should know
    event.note = R"({"reason":"irreversible"})";
    fact(about(FactKind::kDeadlineMissed, order));
    undefer(change, {order.row.id, 0, 0, TaskKind::kDeadline});
  } else {
    event.note = R"({"reason":"deadline"})";
    begin_ending(change, OrderStatus::kFailed);
  }
  commit(std::move(change));
}

}  // namespace ordo
