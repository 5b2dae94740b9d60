// Changing anything: drafts of writes, and what happens when their outcomes come back.
#include <algorithm>

#include "broker/core/state.hpp"

namespace ordo {
namespace {

/// A row's share of a batch beside its strings: headers and fixed columns, measured on the encoder.
constexpr std::size_t kRowBytes = 96;

/// A session that lives shorter than this counts as sick.
constexpr Micros kShortLife = Seconds{10};
/// So many of them in a row are met at once: a server that restarts takes a few sessions with it.
constexpr std::uint32_t kFreeLives = 3;

}  // namespace

std::size_t Engine::State::size_of(const Change& change) {
  std::size_t bytes = kRowBytes;
  if (const auto* insert = std::get_if<InsertOrder>(&change)) {
    bytes +=
        view(insert->row.payload).size() + insert->row.context.size() + insert->row.labels.size();
  } else if (const auto* append = std::get_if<AppendEvent>(&change)) {
    bytes += view(append->row.detail).size() + append->row.note.size();
  } else if (const auto* signal = std::get_if<InsertSignal>(&change)) {
    bytes += view(signal->row.payload).size() + signal->row.note.size();
  } else if (const auto* put = std::get_if<PutPipeline>(&change)) {
    bytes += put->row.source.size();
  }
  return bytes;
}

void Shard::leave_inbox(const Order& order) {
  --inbox_orders;
  inbox_bytes -= view(order.row.payload).size();
}

Engine::State::Draft Engine::State::draft(Shard& shard, Order& order) {
  Draft draft{std::make_unique<Write>(), &order, &shard};
  draft.write->number = ++next_write_;
  draft.write->store.order = order.row.id;
  draft.write->store.changes.reserve(4);  // an event, a row that goes, one or two that come
  draft.write->resident = &order;
  return draft;
}

/// The task's row comes: it is ready once the write is durable.
void Engine::State::insert_row(Draft& draft, Task& task) {
  draft.write->store.changes.emplace_back(InsertTask{task.row()});
  task.hold = Hold::kBorn;
  task.is_in_deferred = false;
  task.write = draft.write->number;
}

/// The task's row goes: exactly one, which is what makes recording happen once.
void Engine::State::remove_row(Draft& draft, Task& task) {
  if (task.line.is_linked()) {
    task.line.unlink();
    --task.queue.ready;
  }
  task.unhold();
  task.release();
  if (task.is_in_deferred) {
    draft.write->store.changes.emplace_back(DeleteDeferred{task.key()});
  } else {
    draft.write->store.changes.emplace_back(DeleteTask{task.key()});
  }
  task.hold = Hold::kEnding;
  task.write = draft.write->number;
  wake(task.queue);
}

void Engine::State::defer(Draft& draft, DeferredRow row) {
  if (row.state == TaskState::kBacklog) {
    add_to_backlog(*draft.shard, row.task);
  } else if (row.run_at) {
    expect_due(*draft.shard, *row.run_at);
  } else if (row.state == TaskState::kHeld) {
    if (HeldLine* held = held_line(*draft.shard, row.task, row.reason)) {
      held->line.written = row.task.seq;
      ++held->count;
    }
  }
  // What waits for long is not remembered: its order is loaded again when its time has come.
  draft.order->deferred.push_back(row);
  draft.write->store.changes.emplace_back(InsertDeferred{std::move(row)});
}

void Engine::State::undefer(Draft& draft, const TaskKey& key) {
  draft.write->store.changes.emplace_back(DeleteDeferred{key});
  std::erase_if(draft.order->deferred, [&](const DeferredRow& row) { return row.task.key == key; });
}

EventRow& Engine::State::note(Draft& draft, EventKind kind, const Task* task) {
  EventRow event;
  event.order = draft.order->row.id;
  event.seq = draft.shard->next_seq();
  event.at = draft.shard->wall(now.steady);
  event.kind = kind;
  if (task != nullptr) {
    event.step = task->step;
    event.branch = task->branch;
    event.task_kind = task->kind;
    event.attempt = task->fence.attempt != 0 ? task->fence.attempt : task->attempt;
    if (task->hold == Hold::kLeased) {
      const auto ran = std::chrono::duration_cast<Millis>(now.steady - task->since).count();
      event.ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(ran, 0, UINT32_MAX));
    }
  }
  auto& change = draft.write->store.changes.emplace_back(AppendEvent{std::move(event)});
  return std::get<AppendEvent>(change).row;
}

void Engine::State::set_status(Order& order, EventRow& event, OrderStatus status) {
  if (order.status == status) return;
  ORDO_CHECK(!is_final(order.status), order.row.id.to_string());
  order.status = status;
  event.status = status;
}

void Engine::State::commit(Draft&& draft) {
  auto& write = *draft.write;
  for (const auto& change : write.store.changes) write.bytes += size_of(change);
  ++draft.order->writes;
  ++writes_in_flight_;
  if (planted_.early_ack) {
    for (auto& early : write.once_durable) out->sends.push_back(early);
    write.once_durable.clear();
  }
  out->store.push_back({draft.shard->number, std::move(draft.write)});
}

void Engine::State::commit_settings(Shard& shard, Change change,
                                    std::shared_ptr<Settlement> settlement) {
  auto write = std::make_unique<Write>();
  write->number = ++next_write_;
  write->bytes = size_of(change);
  write->store.changes.push_back(std::move(change));
  ++writes_in_flight_;
  if (settlement) settlements_.emplace(write->number, std::move(settlement));
  out->store.push_back({shard.number, std::move(write)});
}

/// A setting counts when it is durable in every shard; until then nothing of it is applied.
void Engine::State::settle_everywhere(const Change& change,
                                      std::shared_ptr<Settlement> settlement) {
  for (auto& [number, shard] : shards_) {
    if (shard.is_open()) continue;
    return answer(settlement->asker,
                  Error{Code::kUnavailable,
                        "shard_closed",
                        "shard " + std::to_string(number) + " is not open: try again",
                        {}});
  }
  settlement->remaining = shards_.size();
  for (auto& [number, shard] : shards_) commit_settings(shard, change, settlement);
}

void Engine::State::settled(std::uint64_t write, const Error* error) {
  const auto found = settlements_.find(write);
  if (found == settlements_.end()) return;
  auto settlement = std::move(found->second);
  settlements_.erase(found);
  if (settlement->remaining == 0) return;  // an error was answered before
  if (error != nullptr) {
    settlement->remaining = 0;
    return answer(settlement->asker, *error);
  }
  if (--settlement->remaining > 0) return;
  settlement->apply();
  answer(settlement->asker, std::move(settlement->body));
}

void Engine::State::on(event::WritesDone& done) {
  Shard* shard = live_shard(done.shard, done.incarnation);
  if (shard == nullptr) {  // it was dropped meanwhile; what is durable may still be said
    for (auto& item : done.items) {
      --writes_in_flight_;
      leave_behind(item);
    }
    return;
  }
  shard->alive = now.steady;
  for (auto& item : done.items) {
    --writes_in_flight_;
    if (item.outcome != event::WritesDone::Outcome::kDurable) {
      if (shard->incarnation == done.incarnation) {
        on_refused(*shard, item);
      } else {
        leave_behind(item);
      }
      continue;
    }
    if (shard->incarnation == done.incarnation) {
      on_durable(*shard, resident_of(*shard, *item.write), *item.write);
    } else {
      leave_behind(item);
    }
  }
}

/// A write whose shard was dropped by another of the same commit. What is durable may be said.
void Engine::State::leave_behind(event::WritesDone::Item& item) {
  const Error unknown{Code::kUnknown, "shard_lost", "the shard is taken again: ask again", {}};
  settled(item.write->number, &unknown);
  for (auto& send : item.write->once_durable) {
    auto* reply = std::get_if<wire::Answer>(&send.item);
    if (item.outcome == event::WritesDone::Outcome::kDurable) {
      out->sends.push_back(std::move(send));
    } else if (reply != nullptr) {
      answer({send.peer, reply->request}, unknown);
    }
  }
}

/// The order of a write. It stays resident while the write is under way, unless one was abandoned
/// meanwhile.
Order* Engine::State::resident_of(Shard& shard, const Write& write) const {
  if (!shard.has_abandoned) return static_cast<Order*>(write.resident);
  const auto found = shard.orders.find(write.store.order);
  const bool is_it = found != shard.orders.end() && found->second.get() == write.resident;
  return is_it ? found->second.get() : nullptr;
}

void Engine::State::on_durable(Shard& shard, Order* order, Write& write) {
  for (auto& send : write.once_durable) {
    if (send.to == Send::To::kClient) {
      const auto client = clients_.find(send.peer);
      if (client != clients_.end()) ++client->second.sent;
    }
    out->sends.push_back(std::move(send));
  }
  if (write.store.order.is_zero()) return settled(write.number, nullptr);
  if (order == nullptr) return;
  const OrderId id = order->row.id;
  const auto is_gone = [&] {  // who waits for an order may leave it idle
    return !shard.orders.contains(id) || shard.orders.at(id).get() != order;
  };
  --order->writes;
  if (order->is_inserting && write.write_class == Write::Class::kSubmit) {
    order->is_inserting = false;
    shard.leave_inbox(*order);
    auto accepted = about(FactKind::kOrderAccepted, *order);
    accepted.took = now.steady - order->arrived;
    fact(std::move(accepted));
    run_waiting(shard, id);
    if (is_gone()) return;
  }
  for (std::size_t i = 0; i < order->tasks.size();) {
    Task& task = *order->tasks[i];
    if (task.write != write.number) {
      ++i;
    } else if (task.hold == Hold::kEnding) {
      order->tasks.erase(order->tasks.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      if (task.hold == Hold::kBorn) make_ready(task);
      ++i;
    }
  }
  end_turns(*order, write);
  if (order->writes == 0 && is_final(order->status)) order_ended(*order);
  if (waiters_.size() > 0) notify(*order);
  if (order->writes == 0 && !shard.loading.empty()) run_waiting(shard, id);
  if (!is_gone()) evict_if_idle(shard, *order);
}

void Engine::State::on(event::ShardLost& lost) {
  Shard* shard = live_shard(lost.shard, lost.incarnation);
  // Unfinished writes may be there or not: whoever waits for them must ask again with the same id.
  Error unknown{
      Code::kUnknown, "in_doubt", "the outcome is not known: ask again with the same id", {}};
  if (planted_.in_doubt_failed) unknown = {Code::kUnavailable, "store", "nothing happened", {}};
  for (auto& write : lost.unfinished) {
    if (writes_in_flight_ > 0) --writes_in_flight_;
    settled(write->number, &unknown);
    for (auto& send : write->once_durable) {
      auto* reply = std::get_if<wire::Answer>(&send.item);
      if (planted_.in_doubt_done) {
        out->sends.push_back(std::move(send));
      } else if (reply != nullptr) {
        answer({send.peer, reply->request}, unknown);
      }
    }
  }
  if (shard == nullptr) return;
  drop_shard(*shard, lost.why);
}

/// Crash-only: all memory of the shard goes, then ownership is taken again.
void Engine::State::drop_shard(Shard& shard, const std::string& why) {
  Fact fact_lost;
  fact_lost.kind = FactKind::kShardLost;
  fact_lost.shard = shard.number;
  fact_lost.text = why;
  fact(std::move(fact_lost));
  const Error unknown{Code::kUnknown, "shard_lost", "the shard is taken again: ask again", {}};
  auto loading = std::exchange(shard.loading, {});
  for (auto& [id, waiting] : loading) {
    for (auto& one : waiting.waiting) {
      if (one.asker) answer(*one.asker, unknown);
    }
  }
  // What ended in the doubtful commit will never be told again: whoever waits asks anew.
  waiters_.sift([&](const OrderId& id, const Waiter& waiter) {
    if (id.shard() != shard.number || waiter.is_watch) return false;
    answer(waiter.asker, unknown);
    return true;
  });
  for (auto& [session, worker] : workers_) worker->needs_hello = true;
  shard.orders.clear();
  shard.backlogs.clear();
  shard.held.clear();
  keys_.forget_shard(shard.number);
  shard.unclaimed.clear();
  shard.to_load.clear();
  shard.inbox_orders = 0;
  shard.inbox_bytes = 0;
  shard.grace_until.reset();
  shard.next_due.reset();
  shard.sweep = {};
  shard.is_paging_due = false;
  shard.has_abandoned = false;
  const bool was_open = shard.is_open();
  shard.state = Shard::State::kClosed;
  // A session that breaks again and again is sick (a full disk): it must not keep all workers busy
  // with hellos, nor use up epochs.
  const bool was_short = !was_open || now.steady - shard.opened_at < kShortLife;
  shard.short_lives = was_short ? shard.short_lives + 1 : 0;
  if (shard.short_lives < kFreeLives) return open(shard);
  const auto wait = settings_.reopen * (1U << std::min(shard.short_lives - kFreeLives, 6U)) *
                    (0.5 + random_.unit());
  shard.reopen_at =
      now.steady + std::min<Micros>(Seconds{30}, std::chrono::duration_cast<Micros>(wait));
}

}  // namespace ordo
