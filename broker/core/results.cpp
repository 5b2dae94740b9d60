// What attempts come to: recorded once, retried, parked, or refused as stale.
#include <algorithm>

#include "broker/core/retry.hpp"
#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/hash.hpp"
#include "schema/text.hpp"

namespace ordo {
namespace {

/// What is kept of a result that came too late: its hash, its size and its first KiB.
std::string evidence_note(const wire::TaskResult& result, const char* reason) {
  return text_object(
      {{"reason", reason},
       {"outcome", to_string(static_cast<Outcome>(result.outcome))},
       {"hash", std::to_string(content_hash(result.result))},
       {"bytes", std::to_string(result.result.size())},
       {"fence", std::to_string(result.fence.timeline) + "/" + std::to_string(result.fence.epoch) +
                     "/" + std::to_string(result.fence.attempt)},
       {"error", clean_text(result.error, limits::kTextBytes)}});
}

Bytes evidence_bytes(const wire::TaskResult& result) {
  if (result.result.empty()) return nullptr;
  return make_bytes(result.result.substr(0, limits::kEvidenceBytes));
}

const Error kStaleError{Code::kStale, "stale", "somebody newer holds this task", {}};

}  // namespace

Send Engine::State::recorded(PeerId peer, const wire::TaskResult& result,
                             const Error* refusal) const {
  wire::Recorded item{.key = result.key, .fence = result.fence, .code = 0, .reason = {}};
  if (refusal != nullptr) {
    item.code = static_cast<std::uint8_t>(refusal->code);
    item.reason = refusal->reason;
  }
  return {Send::To::kWorker, peer, std::move(item)};
}

/// The rule that no answer counts without its fence.
bool Engine::State::accepts(const Task& task, const Fence& fence) const {
  const Shard& shard = shards_.at(task.order.shard);
  if (task.hold == Hold::kLeased) {
    if (planted_.no_fence) return true;
    if (planted_.attempt_at_least) {
      return fence.epoch == task.fence.epoch && task.fence.attempt >= fence.attempt;
    }
    if (planted_.stale_epoch) return fence.attempt == task.fence.attempt;
    return fence == task.fence;
  }
  // After a takeover: a grant of the epoch before ours that has not ended is the only one that can
  // be alive.
  if (task.hold != Hold::kUnclaimed) return false;
  if (planted_.stale_epoch) return fence.epoch < shard.epoch;
  return fence.timeline <= shard.timeline && fence.epoch + 1 == shard.epoch &&
         fence.attempt > task.attempt;
}

void Engine::State::result(Worker& worker, wire::TaskResult& result) {
  ++worker.received;
  worker.revoked.erase({result.key, result.fence});
  wake_worker(worker);
  Shard* shard = shard_of(result.key.order);
  if (shard == nullptr || !shard->is_open()) return;  // kept and sent again by the worker
  const auto found = shard->orders.find(result.key.order);
  Task* task = found == shard->orders.end()
                   ? nullptr
                   : claimable(*shard, *found->second, result.key, result.fence);
  if (task == nullptr || !accepts(*task, result.fence)) {
    if (task != nullptr && task->hold == Hold::kEnding && task->fence == result.fence) return;
    return refuse_result(worker, result);
  }
  take_result(worker, *task, result);
}

/// An answer that counts.
void Engine::State::take_result(Worker& worker, Task& task, wire::TaskResult& result) {
  if (task.hold == Hold::kUnclaimed) {
    lease(task, worker, result.fence);
    fact(about(FactKind::kTaskAdopted, task));
  }
  const auto outcome = static_cast<Outcome>(result.outcome);
  Fact ended = about(FactKind::kTaskEnded, task);
  ended.text = result.outcome <= 4 ? to_string(outcome) : "transient";
  ended.took = now.steady - task.since;
  ended.count = result.fence.attempt;
  if (outcome == Outcome::kPermanent) {
    ended.worker_name = worker.name;
    ended.error = clean_text(result.error, limits::kTextBytes);
  }
  fact(std::move(ended));
  if (outcome != Outcome::kSnooze) {
    call_ended(task, outcome == Outcome::kSucceeded || outcome == Outcome::kPermanent);
  }
  if (task.is_last_try() && outcome != Outcome::kSucceeded) {
    return cut_short(task,
                     {.worker = worker.name,
                      .reason = std::string(result.outcome <= 4 ? to_string(outcome) : "transient"),
                      .error = clean_text(result.error, limits::kTextBytes),
                      .result = &result});
  }
  switch (outcome) {
    case Outcome::kSucceeded: return succeeded(task, worker.name, result);
    case Outcome::kPermanent: return failed(task, worker.name, result);
    case Outcome::kSnooze:
      return snoozed(task, worker.name,
                     Millis{static_cast<std::int64_t>(
                         std::min<std::uint64_t>(result.delay_ms, 31'536'000'000))});
    case Outcome::kUnknown: task.maybe = true; [[fallthrough]];
    case Outcome::kTransient: break;
  }
  attempt_failed(
      task, worker.name, clean_text(result.error, limits::kTextBytes),
      Millis{static_cast<std::int64_t>(std::min<std::uint64_t>(result.delay_ms, 86'400'000))});
}

/// Too late, or not its to say. The tables know whether this very attempt was recorded before.
void Engine::State::refuse_result(Worker& worker, const wire::TaskResult& result) {
  Shard& shard = *shard_of(result.key.order);
  const PeerId peer = worker.peer;
  with_order(shard, result.key.order, std::nullopt,
             [this, peer, name = worker.name, session = worker.session,
              result = wire::TaskResult(result)](Order* order) mutable {
               const auto holder = workers_.find(session);
               if (holder == workers_.end()) return;  // it comes back and says so again
               if (order != nullptr) {
                 Shard& its = shards_.at(order->shard);
                 Task* task = claimable(its, *order, result.key, result.fence);
                 if (task == nullptr || !accepts(*task, result.fence)) {
                   return refuse_known(*order, peer, name, result);
                 }
                 return take_result(*holder->second, *task, result);
               }
               Fact stale;
               stale.kind = FactKind::kResultStale;
               stale.key = result.key;
               stale.attempt = result.fence.attempt;
               stale.worker_name = name;
               fact(std::move(stale));
               out->sends.push_back(recorded(peer, result, &kStaleError));
             });
}

void Engine::State::refuse_known(Order& order, PeerId peer, const std::string& name,
                                 const wire::TaskResult& result) {
  const auto is_it = [&](const DoneStep& done) {
    return done.step == result.key.step && done.branch == result.key.branch &&
           done.kind == result.key.kind && done.attempt == result.fence.attempt &&
           view(done.result) == result.result;
  };
  Fact fact_stale = about(FactKind::kResultStale, order);
  fact_stale.key = result.key;
  fact_stale.attempt = result.fence.attempt;
  fact_stale.worker_name = name;
  if (result.key.step < order.pipeline->steps.size()) {
    fact_stale.step = &order.pipeline->steps[result.key.step].name;
  }
  if (std::any_of(order.results.begin(), order.results.end(), is_it)) {
    fact_stale.kind = FactKind::kResultRepeated;
    fact(std::move(fact_stale));
    if (order.writes == 0) out->sends.push_back(recorded(peer, result, nullptr));
    return;
  }
  fact(std::move(fact_stale));
  const auto steps = order.pipeline->steps.size();
  const bool is_of_order = result.key.step < steps && result.key.branch < limits::kBranches &&
                           result.key.kind != TaskKind::kDeadline;
  if (static_cast<Outcome>(result.outcome) == Outcome::kUnknown || !is_of_order) {
    out->sends.push_back(recorded(peer, result, &kStaleError));
    return;
  }
  auto change = draft(shards_.at(order.shard), order);
  auto& event = note(change, EventKind::kLateResult, nullptr);
  event.step = result.key.step;
  event.branch = result.key.branch;
  event.task_kind = result.key.kind;
  event.attempt = result.fence.attempt;
  event.worker = name;
  event.detail = evidence_bytes(result);
  event.note = evidence_note(result, "stale");
  change.write->once_durable.push_back(recorded(peer, result, &kStaleError));
  commit(std::move(change));
}

void Engine::State::succeeded(Task& task, const std::string& worker, wire::TaskResult& result) {
  Order& order = task.order;
  const auto refuse = [&](std::string error) {
    wire::TaskResult refused = result;
    refused.result.clear();
    refused.error = std::move(error);
    refused.reason = "too_large";
    task.maybe = true;  // it has had its effect
    failed(task, worker, refused);
  };
  const std::size_t others = task.kind == TaskKind::kCompensate ? 0 : order.results_bytes;
  if (result.result.size() > limits::kResultBytes ||
      others + result.result.size() > limits::kOrderResultsBytes) {
    return refuse("the result has " + std::to_string(result.result.size()) +
                  " bytes; the limit is " + std::to_string(limits::kResultBytes) + " a step and " +
                  std::to_string(limits::kOrderResultsBytes) + " an order");
  }
  std::string context;
  if (!result.context.empty()) {
    if (auto ok = check_context(result.context, limits::kStepContextBytes, "context"); !ok) {
      return refuse(ok.error().message);
    }
    auto merged = merge_context(order.row.context, result.context);
    if (!merged) return refuse(merged.error().message);
    context = std::move(*merged);
  }
  auto change = draft(shards_.at(order.shard), order);
  transition(task, TaskState::kLeased, Cause::kSucceeded);
  auto& event = note(change, EventKind::kSucceeded, &task);
  event.worker = worker;
  DoneStep done{.step = task.step,
                .branch = task.branch,
                .kind = task.kind,
                .is_skipped = false,
                .attempt = result.fence.attempt,
                .result = nullptr,
                .context = {}};
  if (!result.result.empty()) done.result = make_bytes(std::move(result.result));
  event.detail = done.result;
  if (!context.empty()) {
    event.note = R"({"context":)" + result.context + "}";
    done.context = std::move(result.context);
    order.row.context = std::move(context);
  }
  change.write->once_durable.push_back(recorded(task.worker->peer, result, nullptr));
  complete_step(change, task, std::move(done));
  commit(std::move(change));
}

/// The step is done: its row goes, its successors come, and with the last one the order ends. Of an
/// order that is ending already, the next steps are undone.
void Engine::State::complete_step(Draft& draft, Task& task, DoneStep done) {
  Order& order = *draft.order;
  order.keep(std::move(done));
  if (planted_.resurrect && order.row.id.bytes()[15] % 4 == 0) {
    task.release();
    task.hold = Hold::kEnding;
    task.write = draft.write->number;
  } else {
    remove_row(draft, task);
  }
  if (order.is_ending) return go_on_ending(draft);
  go_on(draft, task.step, task.branch);
}

void Engine::State::attempt_failed(Task& task, const std::string& worker, const std::string& error,
                                   Millis retry_after) {
  Order& order = task.order;
  Shard& shard = shards_.at(order.shard);
  const auto& policy = task.retry();
  auto change = draft(shard, order);
  if (task.worker != nullptr) {
    wire::TaskResult about_it;
    about_it.key = task.key();
    about_it.fence = task.fence;
    change.write->once_durable.push_back(recorded(task.worker->peer, about_it, nullptr));
  }
  // A breaker burns nothing: what probes for it is not to blame for the outage.
  const bool is_probe = std::exchange(task.is_probe, false);
  if (!is_probe) task.failures = static_cast<std::uint16_t>(std::min(task.failures + 1, 65535));
  task.losses = 0;
  if (!is_probe && task.failures == policy.alarm_after) {
    Fact alarm = about(FactKind::kTaskAlarm, task);
    alarm.count = task.failures;
    fact(std::move(alarm));
  }
  if (!is_probe && task.failures >= policy.attempts) {
    give_up(change, task, {.cause = Cause::kExhausted, .blame = {worker, error}});
  } else {
    auto& event = note(change, EventKind::kAttemptFailed, &task);
    event.worker = worker;
    event.note = text_object({{"error", error}, {"reason", "transient"}});
    task.attempt = task.fence.attempt;
    Millis delay = std::max(retry_after, retry_delay(policy, task.failures, random_));
    // Another one probes next: it may be this task's own call that can never work.
    if (is_probe) delay = std::max(delay, std::chrono::duration_cast<Millis>(2 * Breaker::kRest));
    Fact retried = about(FactKind::kTaskRetried, task);
    retried.took = delay;
    retried.count = task.failures;
    retried.worker_name = worker;
    retried.error = error;
    fact(std::move(retried));
    transition(task, TaskState::kLeased, Cause::kAttemptFailed);
    schedule(change, task, shard.wall(now.steady) + delay, "retry");
  }
  commit(std::move(change));
}

void Engine::State::snoozed(Task& task, const std::string& worker, Millis delay) {
  Shard& shard = shards_.at(task.order.shard);
  auto change = draft(shard, task.order);
  auto& event = note(change, EventKind::kSnoozed, &task);
  event.worker = worker;
  event.note = text_object({{"delay_ms", std::to_string(delay.count())}});
  wire::TaskResult about_it;
  about_it.key = task.key();
  about_it.fence = task.fence;
  change.write->once_durable.push_back(recorded(task.worker->peer, about_it, nullptr));
  task.attempt = task.fence.attempt;
  transition(task, TaskState::kLeased, Cause::kSnoozed);
  schedule(change, task, shard.wall(now.steady) + std::max(delay, Millis{1}), kSnoozed);
  commit(std::move(change));
}

void Engine::State::schedule(Draft& draft, Task& task, Wall run_at, std::string reason) {
  DeferredRow row{.task = task.row(),
                  .state = TaskState::kScheduled,
                  .run_at = run_at,
                  .reason = std::move(reason)};
  row.task.seq = draft.shard->next_seq();
  keep_turn(task, row.reason);
  remove_row(draft, task);
  defer(draft, std::move(row));
}

void Engine::State::park(Draft& draft, Task& task, std::string reason, const Blame& blame) {
  Fact parked = about(FactKind::kTaskParked, task);
  parked.text = reason;
  parked.worker_name = blame.worker;
  parked.error = blame.error;
  fact(std::move(parked));
  DeferredRow row{
      .task = task.row(), .state = TaskState::kParked, .run_at = {}, .reason = std::move(reason)};
  row.task.seq = draft.shard->next_seq();
  remove_row(draft, task);
  defer(draft, std::move(row));
}

/// A permanent failure of a step.
void Engine::State::failed(Task& task, const std::string& worker, const wire::TaskResult& result) {
  Order& order = task.order;
  if (task.is_last_try()) return cut_short(task, {worker, result.reason, result.error, &result});
  const auto& step = order.pipeline->steps[task.step];
  const bool has_way =
      step.optional || step.async || (task.kind == TaskKind::kForward && !step.fallback.empty());
  if (task.kind == TaskKind::kCompensate || (order.is_one_way && !has_way)) {
    return park_for_good(task, worker, result);
  }
  auto change = draft(shards_.at(order.shard), order);
  change.write->once_durable.push_back(recorded(task.worker->peer, result, nullptr));
  give_up(change, task,
          {.cause = Cause::kFailed,
           .blame = {worker, clean_text(result.error, limits::kTextBytes)},
           .reason = clean_text(result.reason, limits::kTextBytes)});
  commit(std::move(change));
}

void Engine::State::timed_out(Task& task) {
  fact(about(FactKind::kTaskTimedOut, task));
  call_ended(task, false);
  if (auto send = revocation(task, "timeout")) {
    // Its slot is taken until it is over.
    task.worker->revoked.insert({{task.key(), task.fence}, now.steady});
    out->sends.push_back(std::move(*send));
  }
  Worker* worker = task.worker;
  const std::string name = worker != nullptr ? worker->name : std::string{};
  if (task.is_last_try()) return cut_short(task, {.worker = name, .reason = "timeout"});
  task.maybe = true;
  task.release();
  attempt_failed(task, name, "no answer within the step's timeout", Millis{0});
}

/// The attempt's worker is gone (or gave it back): the task goes out again under the next attempt,
/// unless it has taken too many workers down with it.
void Engine::State::lost(Task& task, const std::string& why, bool burns) {
  Order& order = task.order;
  Shard& shard = shards_.at(order.shard);
  const std::string worker = task.worker != nullptr ? task.worker->name : std::string{};
  Fact gone = about(burns ? FactKind::kLeaseLost : FactKind::kHandedBack, task);
  gone.worker_name = worker;
  gone.error = why;
  fact(std::move(gone));
  if (task.is_last_try()) {
    return cut_short(task,
                     {.worker = worker, .reason = "worker_lost", .error = why, .has_run = burns});
  }
  auto change = draft(shard, order);
  task.attempt = task.fence.attempt + (planted_.double_attempt ? 1 : 0);
  if (burns) {
    task.maybe = true;
    ++task.losses;
    if (task.losses >= limits::kPoisonLosses) {
      give_up(change, task, {.cause = Cause::kPoisoned, .blame = {worker, why}});
      commit(std::move(change));
      return;
    }
    auto& event = note(change, EventKind::kWorkerLost, &task);
    event.worker = worker;
    event.note = text_object({{"reason", "worker_lost"}, {"error", why}});
  }
  transition(task, TaskState::kLeased, burns ? Cause::kWorkerLost : Cause::kHandedBack);
  remove_row(change, task);
  insert_row(change, task);  // the same task anew: its row now says which attempts have ended
  commit(std::move(change));
}

}  // namespace ordo
