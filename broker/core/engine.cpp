#include "broker/core/engine.hpp"

#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/codec.hpp"
#include "schema/trace.hpp"

namespace ordo {
namespace {

/// How often sessions are looked at: a quarter of the shortest beat allowed.
constexpr Millis kTick{50};
/// A gap between ticks that says that this process itself stood still.
constexpr Millis kStall{500};

}  // namespace

Planted::Planted(const std::string& name)
    : early_ack(name == "PB-01"),
      in_doubt_failed(name == "PB-02"),
      in_doubt_done(name == "PB-03"),
      no_fence(name == "PB-05"),
      attempt_at_least(name == "PB-06"),
      split_successor(name == "PB-14"),
      lost_timers(name == "PB-17"),
      double_attempt(name == "PB-20"),
      credit_leak(name == "PB-23"),
      stale_epoch(name == "stale-epoch"),
      resurrect(name == "resurrect"),
      stale_join(name == "stale-join"),
      forgotten_maybe(name == "forgotten-maybe"),
      forward_undo(name == "PB-15"),
      kept_maybe(name == "kept-maybe"),
      half_undone(name == "half-undone"),
      when_ignored(name == "when-ignored"),
      optional_ends(name == "optional-ends"),
      late_async(name == "late-async"),
      early_join(name == "early-join"),
      forgotten_fan(name == "forgotten-fan"),
      forgotten_held(name == "forgotten-held"),
      both_win(name == "signal-and-timeout"),
      early_lost(name == "early-signal-lost"),
      mixed_undo(name == "mixed-undo"),
      one_for_all(name == "one-undone-for-all"),
      key_ignored(name == "key-ignored"),
      turn_lost(name == "turn-lost"),
      late_lost(name == "late-order-lost"),
      late_again(name == "late-order-again"),
      orphan_lost(name == "orphan-lost"),
      restored_twice(name == "step-restored-twice"),
      sweep_forgotten(name == "sweep-forgotten") {}

Engine::Engine(Settings settings) : state_(std::make_unique<State>(std::move(settings))) {}
Engine::~Engine() = default;

void Engine::start(Times now, Effects& out) {
  state_->now = now;
  state_->out = &out;
  state_->start();
  state_->out = nullptr;
}

void Engine::step(Times now, Event&& event, Effects& out) {
  state_->now = now;
  state_->out = &out;
  state_->handle(std::move(event));
  state_->tick();
  state_->finish_step();
  state_->out = nullptr;
}

std::optional<Steady> Engine::next_deadline() const { return state_->next_deadline(); }
EngineCounts Engine::counts() const { return state_->counts(); }
std::vector<ClientCounts> Engine::clients() const { return state_->clients(); }

Engine::State::State(Settings settings)
    : settings_(std::move(settings)),
      planted_(settings_.planted),
      random_(settings_.seed),
      submit_bucket_(settings_.submit_rate) {
  ORDO_CHECK(!settings_.problem(), settings_.problem().value_or(""));
  for (const ShardNumber number : settings_.shards) shards_[number].number = number;
}

void Engine::State::start() {
  next_tick_ = now.steady + kTick;
  last_tick_ = now.steady;
  timers_.advance(now.steady, [](Task&) {});
  for (auto& [number, shard] : shards_) open(shard);
}

void Engine::State::handle(Event&& event) {
  std::visit([this](auto& one) { on(one); }, event);
}

/// What time itself brings: timeouts, due rows, the end of a grace, beats and silence.
void Engine::State::tick() {
  timers_.advance(now.steady, [this](Task& task) { timed_out(task); });
  for (auto& [number, shard] : shards_) {
    if (shard.reopen_at && now.steady >= *shard.reopen_at) open(shard);
    if (shard.grace_until && now.steady >= *shard.grace_until) end_grace(shard);
    page_due(shard);
    sweep_signals(shard);
  }
  if (now.steady < next_tick_) return;
  next_tick_ = now.steady + kTick;
  const Micros since = now.steady - std::exchange(last_tick_, now.steady);
  if (since > kStall) forgive_own_silence(since - kTick);
  check_sessions();
  forget_old_waiters();
  for (auto& [number, shard] : shards_) {
    if (!shard.is_open()) continue;
    page_held(shard);
    page_backlogs(shard);
  }
  for (Queue* queue : queue_list_) {
    if (queue->ready > 0) wake(*queue);
  }
}

void Engine::State::finish_step() {
  for (auto& [number, shard] : shards_) trust_again(shard);
  tend_gates();
  pass_turns();
  for (std::size_t i = 0; i < woken_.size(); ++i) {
    Queue& queue = *woken_[i];
    queue.is_woken = false;
    dispatch(queue);
    for (auto& [number, shard] : shards_) {
      const auto backlog = shard.backlogs.find(queue.index);
      if (shard.is_open() && backlog != shard.backlogs.end()) {
        page_backlog(shard, queue, backlog->second);
      }
    }
  }
  woken_.clear();
  for (Gate* gate : tended_) admit_held(*gate);
  for (auto& [number, shard] : shards_) {
    if (shard.to_load.empty()) continue;
    out->store.push_back({number, LoadOrders{shard.incarnation, std::exchange(shard.to_load, {})}});
  }
}

std::optional<Steady> Engine::State::next_deadline() const {
  Steady next = next_tick_;
  if (const auto timer = timers_.next()) next = std::min(next, *timer);
  if (const auto gates = next_of_gates()) next = std::min(next, *gates);
  for (const auto& [number, shard] : shards_) {
    if (shard.reopen_at) next = std::min(next, *shard.reopen_at);
    if (shard.grace_until) next = std::min(next, *shard.grace_until);
    if (shard.is_open() && shard.next_due && !shard.is_paging_due) {
      next = std::min(next, shard.anchor_steady + (*shard.next_due - shard.anchor_wall));
    }
    if (shard.is_open() && shard.sweep.next_due && !shard.sweep.is_paging) {
      next = std::min(next, shard.anchor_steady + (*shard.sweep.next_due - shard.anchor_wall));
    }
  }
  return next;
}

EngineCounts Engine::State::counts() const {
  EngineCounts counts;
  for (const auto& [number, shard] : shards_) {
    counts.resident_orders += shard.orders.size();
    counts.open_shards += shard.is_open() ? 1 : 0;
    counts.unclaimed += shard.unclaimed.size();
    counts.kept_signals += shard.sweep.kept;
    for (const auto& [index, backlog] : shard.backlogs) counts.backlog += backlog.count;
    for (const auto& [place, held] : shard.held) counts.held += held.count;
  }
  for (const Queue* queue : queue_list_) {
    counts.ready += queue->ready;
    counts.held += queue->held;
    counts.leased += queue->leased;
  }
  counts.writes_in_flight = writes_in_flight_;
  counts.waiters = waiters_.size();
  counts.workers = workers_.size();
  for (const auto& [session, worker] : workers_) {
    if (worker->can_take()) {
      counts.free_slots += worker->slots - worker->leased - worker->revoked.size();
    }
  }
  return counts;
}

/// In hand without a worker, held, and in the backlog.
std::uint64_t Engine::State::waiting_tasks() const {
  std::uint64_t count = 0;
  for (const Queue* queue : queue_list_) count += queue->ready + queue->held;
  for (const auto& [number, shard] : shards_) {
    for (const auto& [index, backlog] : shard.backlogs) count += backlog.count;
    for (const auto& [place, held] : shard.held) count += held.count;
  }
  return count;
}

void Engine::State::on(event::ShardProbed& probed) {
  if (Shard* shard = live_shard(probed.shard, probed.incarnation)) shard->alive = now.steady;
}

void Engine::State::on(event::DrainRequested&) { is_draining_ = true; }

Shard* Engine::State::shard_of(const OrderId& id) {
  const auto found = shards_.find(static_cast<ShardNumber>(id.shard()));
  return found == shards_.end() ? nullptr : &found->second;
}

/// Null, and the asker is told to try again, where the shard is not open here.
Shard* Engine::State::open_shard_of(const OrderId& id, Asker asker) {
  Shard* shard = shard_of(id);
  if (shard != nullptr && shard->is_open()) return shard;
  answer(
      asker,
      Error{
          Code::kUnavailable, "shard_closed", "the order's shard is not open here: try again", {}});
  return nullptr;
}

Shard* Engine::State::live_shard(ShardNumber number, std::uint32_t incarnation) {
  const auto found = shards_.find(number);
  if (found == shards_.end() || found->second.incarnation != incarnation) return nullptr;
  return &found->second;
}

Queue& Engine::State::queue_named(const std::string& name) {
  auto& queue = queues_[name];
  if (queue == nullptr) {
    queue = std::make_unique<Queue>(name);
    queue->index = static_cast<std::uint32_t>(queue_list_.size());
    queue_list_.push_back(queue.get());
  }
  return *queue;
}

const KnownPipeline* Engine::State::pipeline_by_id(PipelineId id) const {
  const auto found = pipelines_.find(id);
  return found == pipelines_.end() ? nullptr : found->second.get();
}

void Engine::State::send(PeerId peer, wire::Answer answer) {
  if (const auto client = clients_.find(peer); client != clients_.end()) ++client->second.sent;
  out->sends.push_back({Send::To::kClient, peer, std::move(answer)});
}

void Engine::State::send_worker(PeerId peer, Send::Item item) {
  if (peer == 0) return;
  out->sends.push_back({Send::To::kWorker, peer, std::move(item)});
}

void Engine::State::answer(Asker asker, const Error& error) {
  if (const auto client = clients_.find(asker.peer); client != clients_.end()) {
    const bool is_ours = error.code == Code::kUnavailable || error.code == Code::kUnknown ||
                         error.code == Code::kInternal;
    client->second.busy += error.code == Code::kBusy ? 1 : 0;
    client->second.failed += is_ours ? 1 : 0;
  }
  send(asker.peer, wire::to_answer(asker.request, error));
}

void Engine::State::answer(Asker asker, std::string body) {
  wire::Answer ok;
  ok.request = asker.request;
  ok.body = std::move(body);
  send(asker.peer, std::move(ok));
}

/// Ok, and the client may know that the order was there before.
void Engine::State::answer_duplicate(Asker asker) {
  wire::Answer ok;
  ok.request = asker.request;
  ok.reason = "duplicate";
  send(asker.peer, std::move(ok));
}

Fact Engine::State::about(FactKind kind, const Task& task) const {
  Fact fact = about(kind, task.order);
  fact.key = task.key();
  const Step& step = task.order.pipeline->steps[task.step];
  fact.step = &step.name;
  if (!step.uses.empty() && task.kind != TaskKind::kFallback) fact.dependency = &step.uses;
  fact.queue = &task.queue.name;
  fact.attempt = task.fence.attempt != 0 ? task.fence.attempt : task.attempt;
  if (task.worker != nullptr) fact.worker = task.worker->number();
  return fact;
}

Fact Engine::State::about(FactKind kind, const Order& order) const {
  Fact fact;
  fact.kind = kind;
  fact.shard = order.shard;
  fact.key.order = order.row.id;
  fact.pipeline = &order.pipeline->name;
  const auto trace_id = trace_id_of(traceparent_in(order.row.labels));
  std::copy(trace_id.begin(), trace_id.end(), fact.trace_id.begin());
  return fact;
}

void Engine::State::transition(const Task& task, TaskState from, Cause cause) {
  transition(task.key(), from, cause);
}

/// Each change of a task's state is one of the table's, or a bug.
void Engine::State::transition(const TaskKey& key, TaskState from, Cause cause) {
  const auto to = next_state(from, cause);
  ORDO_CHECK(to.has_value(), to_string(from), to_string(cause));
  if (!settings_.tells_transitions) return;
  Fact fact;
  fact.kind = FactKind::kTransition;
  fact.shard = static_cast<ShardNumber>(key.order.shard());
  fact.key = key;
  fact.from = from;
  fact.cause = cause;
  fact.to = *to;
  out->facts.push_back(std::move(fact));
}

}  // namespace ordo
