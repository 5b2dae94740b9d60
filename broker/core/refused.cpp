// What the database refuses: a submit is answered; an attempt whose outcome cannot be stored has
// failed, and its order is read again.
#include <algorithm>

#include "broker/core/state.hpp"

namespace ordo {
namespace {

/// What a failed attempt says whose outcome the database refused.
constexpr const char* kUnstorable = "the database refused the outcome";

}  // namespace

/// A submit that was left out: the order may be there all the same, from an attempt before.
void Engine::State::refuse_submit(Shard& shard, event::WritesDone::Item& item,
                                  std::vector<Asker> askers, const Error& error) {
  using Fate = event::WritesDone::Outcome;
  Write& write = *item.write;
  const OrderId id = write.store.order;
  if (const auto found = shard.orders.find(id); found != shard.orders.end()) {
    auto& order = *found->second;
    shard.leave_inbox(order);
    auto refused = about(
        item.outcome == Fate::kDuplicate ? FactKind::kOrderDuplicate : FactKind::kOrderRefused,
        order);
    if (item.outcome != Fate::kDuplicate) refused.text = error.reason;
    // What else is there under the id decides the answer, and is told then.
    if (item.outcome != Fate::kConflict || askers.empty()) fact(std::move(refused));
    shard.orders.erase(found);
  }
  // Who waits for the insert's outcome is told what the tables say.
  if (shard.loading.contains(id)) load(shard, id);
  if (item.outcome == Fate::kDuplicate) {
    for (const auto& asker : askers) answer_duplicate(asker);
    return;
  }
  // An earlier try of the same id may be there, or one that was rebuilt from a signal: only the
  // tables know whether nothing happened.
  std::uint64_t hash = 0;
  Bytes payload;
  for (const auto& change : write.store.changes) {
    if (const auto* insert = std::get_if<InsertOrder>(&change)) {
      hash = insert->row.submit_hash;
      payload = insert->row.payload;
    }
  }
  for (const auto& asker : askers) {
    with_order(shard, id, asker, [this, asker, hash, payload, error](Order* order) {
      if (order != nullptr) return resubmit(*order, asker, hash, payload);
      answer(asker, error);
    });
  }
}

/// A write that was left out. For an order that came in twice this is the normal answer; anything
/// else means that memory and tables disagree, and the tables win.
void Engine::State::on_refused(Shard& shard, event::WritesDone::Item& item) {
  using Fate = event::WritesDone::Outcome;
  Write& write = *item.write;
  const OrderId id = write.store.order;
  const bool is_submit = write.write_class == Write::Class::kSubmit;
  if (item.outcome == Fate::kMissing) {
    Fact missing;
    missing.kind = FactKind::kRowMissing;
    missing.shard = shard.number;
    missing.key.order = id;
    fact(std::move(missing));
    drop_shard(shard, "a row to delete was not there");
    return;
  }
  Error error{Code::kConflict, "payload", "an order with this id exists with other content", {}};
  if (item.outcome == Fate::kRejected) {
    Fact rejected;
    rejected.kind = FactKind::kWriteRejected;
    rejected.shard = shard.number;
    rejected.key.order = id;
    rejected.text = item.message;
    fact(std::move(rejected));
    error = {Code::kMalformed, "unstorable", "the database refused it: " + item.message, {}};
  }
  if (id.is_zero()) {
    if (item.outcome == Fate::kConflict) {
      error = {Code::kConflict,
               "pipeline_version",
               "this version exists with other content: raise the version",
               {}};
    }
    return settled(write.number, item.outcome == Fate::kDuplicate ? nullptr : &error);
  }
  std::vector<Asker> askers;
  for (auto& send : write.once_durable) {
    if (auto* reply = std::get_if<wire::Answer>(&send.item))
      askers.push_back({send.peer, reply->request});
  }
  if (is_submit) return refuse_submit(shard, item, std::move(askers), error);
  for (const auto& asker : askers) answer(asker, error);
  look_again(shard, write);
  // The write that says so was refused itself: nothing more can be done on this session.
  const bool was_second =
      std::any_of(write.store.changes.begin(), write.store.changes.end(), [](const Change& change) {
        const auto* append = std::get_if<AppendEvent>(&change);
        return append != nullptr && append->row.note.find(kUnstorable) != std::string::npos;
      });
  if (was_second) {
    drop_shard(shard, "the database refuses to record that it refused");
  } else if (item.outcome == Fate::kRejected) {
    abandon(shard, write);
  }
}

/// Forgets an order whose writes went wrong; answers what was given out of it.
std::vector<Engine::State::Granted> Engine::State::drop_order(Shard& shard, const OrderId& id) {
  std::vector<Granted> granted;
  shard.has_abandoned = true;
  const auto found = shard.orders.find(id);
  if (found == shard.orders.end()) return granted;
  for (const auto& task : found->second->tasks) {
    if (task->hold == Hold::kUnclaimed) continue;  // it still waits for who may run it
    task->keeps_turn = true;
    auto& one = granted.emplace_back();
    one.key = task->key();
    one.attempt = task->attempt;
    one.fence = task->fence;
    one.adopted = task->adopted;
    one.maybe = task->maybe;
    if (task->hold == Hold::kLeased && task->worker != nullptr) one.worker = task->worker->session;
  }
  shard.orders.erase(found);
  return granted;
}

/// A progress write that the database refuses: the order is read again, and the attempts that the
/// write was about have failed, so that one bad order stops nobody, is tried again within its
/// budget, and is parked at its end.
void Engine::State::abandon(Shard& shard, const Write& write) {
  const OrderId id = write.store.order;
  std::vector<TaskKey> keys;
  for (const auto& change : write.store.changes) {
    if (const auto* task = std::get_if<DeleteTask>(&change)) keys.push_back(task->key);
    if (const auto* row = std::get_if<DeleteDeferred>(&change)) keys.push_back(row->key);
  }
  auto claim = [this, keys, granted = drop_order(shard, id)](Order* order) {
    std::vector<TaskKey> dropped;
    for (const auto& one : granted) dropped.push_back(one.key);
    end_turns(order, dropped);
    if (order == nullptr) return;
    // All that the tables have, before any of it opens something that they do not have yet.
    std::vector<std::pair<Task*, const Granted*>> known;
    for (const auto& one : granted) {
      if (Task* task = take_deferred(*order, one.key)) known.emplace_back(task, &one);
    }
    for (const auto& [task, before] : known) {
      const auto& one = *before;
      if (task->hold != Hold::kUnclaimed) continue;
      const bool is_culprit = std::find(keys.begin(), keys.end(), one.key) != keys.end();
      take_up_again(*task, one, is_culprit);
    }
  };
  shard.loading[id].waiting.push_back({std::move(claim), std::nullopt, true});
  load(shard, id);
}

/// A task of an order that was read again after a refused write.
void Engine::State::take_up_again(Task& task, const Granted& before, bool is_culprit) {
  task.fence = before.fence;
  task.maybe = task.maybe || before.maybe;
  const auto worker = before.worker ? workers_.find(*before.worker) : workers_.end();
  if (!is_culprit && worker != workers_.end()) {
    lease(task, *worker->second, before.fence, before.adopted);  // it never knew
    return;
  }
  // An attempt that was given out and whose end could not be written: it has had its effect, or
  // not.
  const bool was_granted = before.fence.attempt > task.attempt;
  if (task.is_last_try()) {
    task.fence.attempt = std::max(before.fence.attempt, task.attempt + 1);
    cut_short(task, {.reason = "unstorable", .error = kUnstorable, .has_run = was_granted});
  } else if (was_granted) {
    task.maybe = true;
    attempt_failed(task, {}, kUnstorable, Millis{0});
  } else {
    task.attempt = std::max(task.attempt, before.attempt);
    make_ready(task);
  }
}

}  // namespace ordo
