// Orders end: by success, by a permanent failure, by cancel, by a missed deadline.
#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/text.hpp"

namespace ordo {

/// Successors stop opening, what nobody runs goes, leased siblings end as evidence; with the last
/// of them the order gets its final status.
void Engine::State::begin_ending(Draft& draft, OrderStatus as) {
  Order& order = *draft.order;
  order.is_ending = true;
  order.ending_as = as;
  for (std::size_t i = 0; i < order.tasks.size(); ++i) {
    Task& task = *order.tasks[i];
    if (task.hold == Hold::kReady || task.hold == Hold::kBorn) {
      transition(task, TaskState::kReady, Cause::kOrderEnding);
      fact(about(FactKind::kTaskCancelled, task));
      remove_row(draft, task);
    } else if (task.hold == Hold::kLeased) {
      if (auto send = revocation(task, "order_ending")) {
        draft.write->once_durable.push_back(std::move(*send));
      }
    }
  }
  const std::vector<DeferredRow> rows = order.deferred;
  for (const auto& row : rows) {
    if (row.task.key.kind == TaskKind::kDeadline) continue;  // goes with the end
    transition(row.task.key, row.state, Cause::kOrderEnding);
    undefer(draft, row.task.key);
  }
  finish_if_empty(draft);
}

/// The final status, once nothing of an ending (or finished) order is left.
void Engine::State::finish_if_empty(Draft& draft) {
  Order& order = *draft.order;
  if (order.is_ending) {
    if (order.has_leased()) {
      if (order.status != OrderStatus::kCompensating) {
        if (EventRow* event = draft.write->last_event()) {
          set_status(order, *event, OrderStatus::kCompensating);
        }
      }
      return;
    }
    EventRow* event = draft.write->last_event();
    if (event == nullptr || event->kind == EventKind::kLateResult ||
        event->kind == EventKind::kWorkerLost) {
      event = &note(draft, EventKind::kEnded, nullptr);
    }
    set_status(order, *event, order.ending_as);
  }
  const std::vector<DeferredRow> rows = order.deferred;
  for (const auto& row : rows) undefer(draft, row.task.key);
}

/// Its final status is durable.
void Engine::State::order_ended(Order& order) {
  if (std::exchange(order.has_ended, true)) return;
  Fact ended = about(FactKind::kOrderEnded, order);
  ended.status = order.status;
  ended.took = shards_.at(order.shard).wall(now.steady) - order.row.accepted;
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
  event.note = R"({"reason":"deadline"})";
  begin_ending(change, OrderStatus::kFailed);
  commit(std::move(change));
}

}  // namespace ordo
