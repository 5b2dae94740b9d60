// Tasks become ready and go out to workers.
#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/trace.hpp"

namespace ordo {

/// In hand while the window has room and nobody waits before it; else behind the backlog.
Engine::State::Place Engine::State::place(Shard& shard, Queue& queue, std::uint8_t priority) const {
  const auto backlog = shard.backlogs.find(queue.index);
  const bool has_backlog =
      backlog != shard.backlogs.end() &&
      (backlog->second.lines[priority].has_more() || backlog->second.has_more());
  if (has_backlog || queue.in_hand >= settings_.window_tasks ||
      queue.in_hand_bytes >= settings_.window_bytes) {
    return Place::kBacklog;
  }
  return Place::kHand;
}

Task& Engine::State::take_in_hand(Order& order, const TaskRow& row) {
  auto& task = *order.tasks.emplace_back(std::make_unique<Task>(order, queue_named(row.queue)));
  task.read(row);
  // A fallback calls somebody else.
  const bool has_gate = order.pipeline->has_gates && row.key.kind != TaskKind::kFallback;
  if (has_gate) task.uses = order.pipeline->uses[task.step];
  if (order.pipeline->has_lines && row.key.kind == TaskKind::kForward) join_lines(task);
  return task;
}

/// Whether the order comes into the tables with one task and nothing else.
static bool opens_alone(const Order& order) {
  const auto& steps = order.pipeline->steps;
  return order.is_inserting && !order.row.deadline && !order.pipeline->is_shaped &&
         std::count_if(steps.begin(), steps.end(),
                       [](const auto& step) { return step.after.empty(); }) == 1;
}

void Engine::State::open_step(Draft& draft, StepIndex step, BranchIndex branch, Millis delay) {
  Order& order = *draft.order;
  const auto& definition = order.pipeline->steps[step];
  order.opened.set(step);
  if (delay.count() != 0 || definition.delay.count() != 0 || !definition.wait.empty()) {
    return open_later(draft, step, branch, delay);
  }
  open_task(draft,
            {.key = {order.row.id, step, branch, TaskKind::kForward},
             .queue = definition.queue,
             .priority = order.row.priority,
             .seq = draft.shard->next_seq()},
            opens_alone(order) ? kUntouched : "");
}

/// A task comes: in hand where there is room, else into the backlog.
void Engine::State::open_task(Draft& draft, TaskRow row, const char* reason) {
  Order& order = *draft.order;
  Queue& queue = queue_named(row.queue);
  if (place(*draft.shard, queue, row.priority) == Place::kHand) {
    insert_row(draft, take_in_hand(order, row));
    return;
  }
  transition(row.key, TaskState::kReady, Cause::kWindowFull);
  Fact fact_backlogged = about(FactKind::kBacklogged, order);
  fact_backlogged.queue = &queue.name;
  fact(std::move(fact_backlogged));
  defer(draft,
        {.task = std::move(row), .state = TaskState::kBacklog, .run_at = {}, .reason = reason});
}

/// Opens each step all of whose predecessors are done. The order is resident, so no join is missed.
void Engine::State::open_successors(Draft& draft, StepIndex done) {
  Order& order = *draft.order;
  for (const StepIndex next : order.pipeline->steps[done].before) {
    const auto& definition = order.pipeline->steps[next];
    const bool is_open = std::all_of(definition.after.begin(), definition.after.end(),
                                     [&](StepIndex before) { return order.done.test(before); });
    if (!is_open || order.opened.test(next)) continue;
    if (definition.after.size() > 1) {
      Fact joined = about(FactKind::kJoinFired, order);
      joined.step = &definition.name;
      joined.key.step = next;
      fact(std::move(joined));
    }
    open_step(draft, next);
  }
}

void Engine::State::make_ready(Task& task) {
  task.hold = Hold::kReady;
  task.since = now.steady;
  task.queue.push(task);
  wake(task.queue);
  fact(about(FactKind::kTaskReady, task));
}

void Engine::State::wake(Queue& queue) {
  if (queue.is_woken) return;
  queue.is_woken = true;
  woken_.push_back(&queue);
}

void Engine::State::wake_worker(const Worker& worker) {
  for (Queue* queue : worker.queues) {
    if (queue->ready > 0) wake(*queue);
  }
}

/// An owner that has not heard from its session for long may have been replaced without knowing.
bool Engine::State::is_trusted(const Shard& shard) const {
  return now.steady - shard.alive <= settings_.trust;
}

Worker* Engine::State::next_worker(Queue& queue) {
  for (std::size_t tried = 0; tried < queue.workers.size(); ++tried) {
    queue.turn = queue.turn + 1 < queue.workers.size() ? queue.turn + 1 : 0;
    Worker* worker = queue.workers[queue.turn];
    if (worker->can_take()) return worker;
  }
  return nullptr;
}

void Engine::State::dispatch(Queue& queue) {
  if (queue.is_paused || is_draining_) return;
  while (queue.ready > 0) {
    Worker* worker = next_worker(queue);
    if (worker == nullptr) break;
    Task* task = queue.pop();
    if (task == nullptr) break;  // what is ready is out of its line until its shard is trusted
    if (task->key_line != nullptr && !has_turn(*task)) continue;
    if (keeps_back(*task)) continue;
    Shard& shard = shards_.at(task->order.shard);
    if (is_trusted(shard)) {
      grant(*task, *worker);
    } else {
      shard.untrusted.push_back(*task, task->line);
      ++queue.ready;
    }
  }
}

/// The session of a shard was heard from: what was held back for it goes before everything else.
void Engine::State::trust_again(Shard& shard) {
  if (shard.untrusted.is_empty() || !is_trusted(shard)) return;
  std::vector<Task*> tasks;
  shard.untrusted.for_each([&](Task& task) { tasks.push_back(&task); });
  for (auto it = tasks.rbegin(); it != tasks.rend(); ++it) {
    Task& task = **it;
    task.line.unlink();
    --task.queue.ready;
    task.queue.push_first(task);
    wake(task.queue);
  }
}

void Engine::State::grant(Task& task, Worker& worker) {
  const Shard& shard = shards_.at(task.order.shard);
  const Steady ready_since = task.since;
  if (task.uses != nullptr) {
    task.uses->limit.start(now.steady);
    task.is_probe = task.uses->breaker.start(now.steady);
  }
  transition(task, TaskState::kReady, Cause::kDispatched);
  lease(task, worker, shard.fence(task.attempt + 1));
  ++worker.sent;
  send_worker(worker.peer, offer(task));
  Fact dispatched = about(FactKind::kTaskDispatched, task);
  dispatched.took = now.steady - ready_since;
  dispatched.count = task.fence.attempt;
  fact(std::move(dispatched));
}

void Engine::State::lease(Task& task, Worker& worker, Fence fence, Fence adopted) {
  // A grant that skips an attempt tells of one whose end no row knows.
  if (task.hold == Hold::kUnclaimed && fence.attempt > task.attempt + 1) task.maybe = true;
  task.hold = Hold::kLeased;
  task.fence = fence;
  task.adopted = adopted;
  task.worker = &worker;
  task.since = now.steady;
  task.timer_at = now.steady + task.timeout();
  ++worker.leased;
  ++task.queue.leased;
  if (task.uses != nullptr) ++task.uses->in_flight;
  if (task.key_line != nullptr) keys_.take(*task.key_line, task.key());
  worker.leases.push_back(task, task.lease);
  timers_.arm(task, task.timer, task.timer_at);
}

wire::Offer Engine::State::offer(const Task& task) const {
  const Order& order = task.order;
  const auto& step = order.pipeline->steps[task.step];
  wire::Offer offer;
  offer.key = task.key();
  offer.fence = task.fence;
  offer.pipeline = order.pipeline->name;
  offer.version = order.pipeline->version;
  offer.step = step.name;
  const bool is_undo = task.kind == TaskKind::kCompensate;
  offer.handler = is_undo                            ? step.compensate
                  : task.kind == TaskKind::kFallback ? step.fallback
                                                     : step.handler;
  offer.queue = task.queue.name;
  offer.timeout_ms = static_cast<std::uint64_t>(task.timeout().count());
  // What undoes a step has no end but its own.
  if (order.row.deadline && !is_undo && !is_final(order.status)) {
    const auto left = std::chrono::duration_cast<Millis>(*order.row.deadline -
                                                         shards_.at(order.shard).wall(now.steady));
    offer.deadline_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(1, left.count()));
  }
  offer.maybe = task.maybe;
  offer.priority = task.priority;
  offer.payload = view(order.row.payload);
  offer.context = order.row.context;
  if (auto trace = trace_in(order.row.labels); !trace.traceparent.empty()) {
    offer.traceparent = std::move(trace.traceparent);
    offer.tracestate = std::move(trace.tracestate);
  }
  // What undoes a step knows all that was done, what it undoes first.
  const auto& ancestors = order.pipeline->ancestors[task.step];
  const Fan* fan = order.fan(task.step);
  if (fan != nullptr && task.branch < fan->elements->size()) {
    offer.element = (*fan->elements)[task.branch];
  }
  for (const auto& done : order.results) {
    if (done.is_skipped || done.kind == TaskKind::kCompensate) continue;
    if (!is_undo && !ancestors.test(done.step)) continue;
    const Fan* its = fan == nullptr ? nullptr : order.fan(done.step);
    const bool is_of_chain = its != nullptr && its->elements == fan->elements;
    if (is_of_chain && done.branch != task.branch) continue;  // of a sibling branch
    offer.results.push_back(
        {order.pipeline->steps[done.step].name, done.branch, std::string(view(done.result))});
  }
  if (is_undo) {
    std::stable_partition(offer.results.begin(), offer.results.end(),
                          [&](const auto& result) { return result.step == step.name; });
  }
  return offer;
}

}  // namespace ordo
