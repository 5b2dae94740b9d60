// Shards come and go: ownership, what was in hand, who may be running it.
#include <algorithm>
#include <set>

#include "broker/core/state.hpp"
#include "schema/context.hpp"

namespace ordo {
namespace {

/// How far two owners' readings of the database's clock may lie apart.
constexpr Millis kClockSlack{1000};

/// A task of the step has been there: no other comes.
void note_open(Order& order, const TaskKey& key) {
  if (key.kind == TaskKind::kCompensate) {
    if (order.undoing != nullptr) order.mark(order.undoing->begun, key.step, key.branch);
  } else if (key.kind != TaskKind::kDeadline) {
    order.opened.set(key.step);
  }
}

std::uint32_t epoch_of(std::int64_t seq) { return static_cast<std::uint32_t>(seq >> 40); }

}  // namespace

void Engine::State::open(Shard& shard) {
  shard.state = Shard::State::kOpening;
  ++shard.incarnation;
  shard.reopen_at.reset();
  out->store.push_back({shard.number, OpenShard{shard.incarnation}});
}

void Engine::State::on(event::ShardRefused& refused) {
  Shard* shard = live_shard(refused.shard, refused.incarnation);
  if (shard == nullptr) return;
  shard->state = Shard::State::kClosed;
  const auto wait = settings_.reopen * (0.5 + random_.unit());
  shard->reopen_at = now.steady + std::chrono::duration_cast<Micros>(wait);
  Fact fact_refused;
  fact_refused.kind = FactKind::kShardRefused;
  fact_refused.shard = shard->number;
  fact_refused.text = refused.error.message;
  fact_refused.count = refused.error.reason == "owned" ? 1 : 0;
  fact(std::move(fact_refused));
}

void Engine::State::on(event::ShardOpened& opened) {
  Shard* shard = live_shard(opened.shard, opened.incarnation);
  if (shard == nullptr) return;
  auto& takeover = opened.takeover;
  shard->state = Shard::State::kOpen;
  shard->timeline = takeover.timeline;
  shard->epoch = takeover.epoch;
  shard->counter = 0;
  shard->opened_at = now.steady;
  shard->anchor_steady = now.steady;
  shard->anchor_wall = takeover.database_now;
  shard->alive = now.steady;
  shard->suspect_until = takeover.database_now + settings_.trust + kClockSlack;
  shard->next_due = planted_.lost_timers ? std::nullopt : takeover.next_due;
  shard->due_cursor = Wall{};
  shard->due_cursor_seq = 0;
  shard->sweep = {
      .next_due = takeover.next_signal, .swept = now.steady, .kept = takeover.kept_signals};
  std::vector<PipelineId> fresh;
  for (const auto& row : takeover.pipelines) {
    if (pipeline_by_id(row.id) == nullptr) fresh.push_back(row.id);
    if (!learn_pipeline(row)) continue;  // told as a fact; orders of it stay where they are
  }
  for (const auto& setting : takeover.queue_settings) {
    Queue& queue = queue_named(setting.queue);
    queue.is_paused = setting.is_paused;
    queue.paused_by = setting.who;
    queue.paused_why = setting.why;
  }
  for (const auto& name : takeover.backlog_queues) {
    auto& backlog = shard->backlogs[queue_named(name).index];
    for (auto& line : backlog.lines) {
      line.is_unknown = true;
      line.suspects = settings_.window_tasks + settings_.page_rows;
    }
    backlog.count = takeover.backlog_estimate / takeover.backlog_queues.size();
  }
  for (const auto& [holder, queue] : takeover.held_lines) {
    TaskRow row;
    row.queue = queue;
    HeldLine* held = held_line(*shard, row, holder);
    if (held == nullptr) continue;  // of a paused order: it knows itself when it goes on
    held->line.is_unknown = true;
    held->line.suspects = settings_.window_tasks + settings_.page_rows;
  }
  for (const auto& turn : takeover.turns) keys_.take(queue_named(turn.queue), turn.value, turn.key);
  shard->grace_until = now.steady + settings_.grace;
  for (auto& snapshot : takeover.orders) restore(*shard, snapshot);
  for (auto& [session, worker] : workers_) say_hello_again(*worker, "takeover");
  share_pipelines(*shard, takeover.pipelines, fresh);
  Fact fact_opened;
  fact_opened.kind = FactKind::kShardOpened;
  fact_opened.shard = shard->number;
  fact_opened.count = shard->epoch;
  fact(std::move(fact_opened));
  page_backlogs(*shard);
  page_due(*shard);
  waiters_.sift([&](const OrderId& id, Waiter& waiter) {  // only watches outlive a lost shard
    if (id.shard() == shard->number) read_events(id, waiter);
    return false;
  });
}

/// An order that had tasks in hand under an earlier epoch.
void Engine::State::restore(Shard& shard, OrderSnapshot& snapshot) {
  auto tasks = std::move(snapshot.tasks);
  Order* order = resurrect(shard, snapshot);
  if (order == nullptr) return;
  for (const auto& row : tasks) {
    Task& task = take_in_hand(*order, row);
    task.hold = Hold::kUnclaimed;
    task.is_suspect = true;
    note_open(*order, row.key);
    if (shard.grace_until) shard.unclaimed.emplace_back(row.seq, row.key);
  }
}

/// Makes an order resident from what its shard's tables say; null when its pipeline is not known.
Order* Engine::State::resurrect(Shard& shard, OrderSnapshot& snapshot) {
  const KnownPipeline* pipeline = pipeline_by_id(snapshot.order.pipeline);
  if (pipeline == nullptr) {
    Fact unknown;
    unknown.kind = FactKind::kWriteRejected;
    unknown.shard = shard.number;
    unknown.key.order = snapshot.order.id;
    unknown.text = "the order's pipeline version is not in the tables";
    fact(std::move(unknown));
    return nullptr;
  }
  auto owned = std::make_unique<Order>();
  Order& order = *owned;
  order.row = std::move(snapshot.order);
  order.shard = shard.number;
  order.pipeline = pipeline;
  order.status = snapshot.status;
  order.arrived = now.steady;
  order.is_ending = snapshot.is_ending && !is_final(snapshot.status);
  order.has_ended = is_final(snapshot.status);
  // A step that was skipped may have had its effect long before the end begins.
  if ((snapshot.is_ending || !snapshot.cut.empty()) && pipeline->compensated.any()) {
    order.undoing = std::make_unique<Undoing>();
  }
  order.failed_step = snapshot.failed_step;
  order.is_restored = snapshot.is_restored;
  order.merged_hash = snapshot.merged_hash;
  if (snapshot.is_cancelled) order.ending_as = OrderStatus::kCancelled;
  for (const auto& fanned : snapshot.fanned) {
    if (fanned.step >= pipeline->steps.size() || planted_.forgotten_fan) continue;
    order.add_fan(fanned.step, std::make_shared<const std::vector<std::string>>(
                                   list_elements(view(fanned.elements))));
  }
  for (const auto& [step, branch] : snapshot.cut) {
    if (order.undoing == nullptr || step >= pipeline->steps.size()) continue;
    order.mark(order.undoing->maybe, step, branch);
  }
  for (auto& done : snapshot.done) {
    if (done.step >= pipeline->steps.size()) continue;
    note_open(order, {order.row.id, done.step, done.branch, done.kind});
    if (!done.context.empty()) {
      if (auto merged = merge_context(order.row.context, done.context)) {
        order.row.context = std::move(*merged);
      }
    }
    order.keep(std::move(done));
  }
  for (const auto& row : snapshot.deferred) note_open(order, row.task.key);
  order.deferred = std::move(snapshot.deferred);
  learn_signals(order, snapshot);
  shard.orders.emplace(order.row.id, std::move(owned));
  return &order;
}

/// A worker says that it runs (or finished) a task. True when that is the one grant that can be
/// alive: it goes on under a new fence.
bool Engine::State::claim(Worker& worker, const wire::HeldTask& held) {
  Shard* shard = shard_of(held.key.order);
  if (shard == nullptr || !shard->is_open()) return false;
  const auto found = shard->orders.find(held.key.order);
  if (found == shard->orders.end()) return false;
  Task* task = claimable(*shard, *found->second, held.key, held.fence);
  if (task == nullptr || task->hold != Hold::kUnclaimed || !accepts(*task, held.fence))
    return false;
  const Fence fence = shard->fence(held.fence.attempt);
  lease(*task, worker, fence, held.fence);
  fact(about(FactKind::kTaskAdopted, *task));
  send_worker(worker.peer, wire::Regrant{held.key, held.fence, fence});
  if (task->is_last_try() && !task->order.failed_step) {
    if (auto send = revocation(*task, "order_ending")) out->sends.push_back(std::move(*send));
  }
  return true;
}

/// The same for an order that is not in memory: its task was paged in by the owner before.
void Engine::State::claim_later(Worker& worker, const wire::HeldTask& held) {
  with_order(*shard_of(held.key.order), held.key.order, std::nullopt,
             [this, session = worker.session, held](Order* order) {
               const auto found = workers_.find(session);
               if (found == workers_.end()) return;
               Worker& holder = *found->second;
               if (!holder.revoked.contains({held.key, held.fence})) return;
               if (order != nullptr && claim(holder, held)) {
                 holder.revoked.erase({held.key, held.fence});
               } else {
                 send_worker(holder.peer, wire::Revoked{held.key, held.fence, "superseded"});
               }
             });
}

/// A task in hand; one whose row waits in `deferred` is taken in hand, for whoever runs it.
Task* Engine::State::take_deferred(Order& order, const TaskKey& key) {
  if (Task* task = order.find(key)) return task;
  const auto row = std::find_if(order.deferred.begin(), order.deferred.end(), [&](const auto& one) {
    return one.task.key == key && key.kind != TaskKind::kDeadline &&
           (one.state == TaskState::kScheduled || one.state == TaskState::kBacklog ||
            one.state == TaskState::kHeld);
  });
  if (row == order.deferred.end()) return nullptr;
  const DeferredRow taken = *row;
  order.deferred.erase(row);
  Task& task = take_in_hand(order, taken.task);
  task.is_in_deferred = task.is_suspect = true;
  task.hold = Hold::kUnclaimed;
  transition(key, taken.state, cause_of_return(taken.state));
  return &task;
}

/// The task that an attempt is about. A grant of the owner before proves that a row which still
/// waits in `deferred` was in hand there.
Task* Engine::State::claimable(Shard& shard, Order& order, const TaskKey& key, const Fence& fence) {
  if (Task* task = order.find(key)) return task;
  if (fence.timeline > shard.timeline || fence.epoch + 1 != shard.epoch) return nullptr;
  const bool is_its = std::any_of(order.deferred.begin(), order.deferred.end(), [&](const auto& d) {
    return d.task.key == key && d.task.attempt < fence.attempt &&
           epoch_of(d.task.seq) < shard.epoch;
  });
  return is_its ? take_deferred(order, key) : nullptr;
}

/// Whether the owner before may have had a deferred row in hand and given it out.
bool Engine::State::is_suspect(Shard& shard, const DeferredRow& row) {
  if (epoch_of(row.task.seq) >= shard.epoch || planted_.forgotten_maybe) return false;
  if (row.state == TaskState::kScheduled) return row.run_at && *row.run_at <= shard.suspect_until;
  if (row.state == TaskState::kHeld) {
    const HeldLine* held = held_line(shard, row.task, row.reason);
    return held != nullptr && (row.task.seq <= held->line.suspect_seq || held->line.suspects > 0);
  }
  if (row.state != TaskState::kBacklog) return false;
  const auto& line = shard.backlogs[queue_named(row.task.queue).index].lines[row.task.priority];
  // While suspects are left, so is every row that no page has brought yet.
  return row.task.seq <= line.suspect_seq || line.suspects > 0;
}

/// Some worker may be running it: it goes out again when nobody has claimed it in time.
void Engine::State::wait_for_claim(Shard& shard, Task& task) {
  task.hold = Hold::kUnclaimed;
  task.is_suspect = true;
  if (!shard.grace_until) return go_out_again(task);
  shard.unclaimed.emplace_back(task.seq, task.key());
}

/// Nobody claimed the rest in time: they may have run, and go out again.
void Engine::State::end_grace(Shard& shard) {
  shard.grace_until.reset();
  auto unclaimed = std::exchange(shard.unclaimed, {});
  std::sort(unclaimed.begin(), unclaimed.end());
  for (const auto& [seq, key] : unclaimed) {
    const auto found = shard.orders.find(key.order);
    Task* task = found == shard.orders.end() ? nullptr : found->second->find(key);
    if (task != nullptr && task->hold == Hold::kUnclaimed) go_out_again(*task);
  }
  keys_.look_again();
}

void Engine::State::go_out_again(Task& task) {
  if (task.is_last_try()) {
    task.fence.attempt = task.attempt + 1;
    return cut_short(task, {.reason = "unclaimed"});
  }
  task.maybe = true;
  ++task.attempt;  // the grant that it may have had under an earlier epoch
  make_ready(task);
}

/// Every open shard has every pipeline: the opened one gets what it lacks (it missed an apply), the
/// others what only it had.
void Engine::State::share_pipelines(Shard& opened, const std::vector<PipelineRow>& stored,
                                    const std::vector<PipelineId>& fresh) {
  const auto put = [this](Shard& shard, const KnownPipeline& pipeline) {
    commit_settings(shard,
                    PutPipeline{{pipeline.id, pipeline.name, pipeline.version, pipeline.source}},
                    nullptr);
  };
  std::set<PipelineId> has;
  for (const auto& row : stored) has.insert(row.id);
  for (const auto& [id, pipeline] : pipelines_) {
    if (!has.contains(id)) put(opened, *pipeline);
  }
  for (const PipelineId id : fresh) {
    const KnownPipeline* pipeline = pipeline_by_id(id);
    for (auto& [number, shard] : shards_) {
      if (pipeline != nullptr && number != opened.number && shard.is_open()) put(shard, *pipeline);
    }
  }
}

}  // namespace ordo
