#include "broker/core/order.hpp"

#include <algorithm>

namespace ordo {
namespace {

/// Turns of each priority while all have work: 0 most urgent. Nothing starves: 9 gets one in 208.
constexpr std::array<std::uint64_t, limits::kPriorities> kShares{64, 48, 32, 24, 16,
                                                                 12, 6,  3,  2,  1};
/// One turn's worth of pass at share 1; divisible by every share.
constexpr std::uint64_t kStride = 192 * 64;

}  // namespace

std::uint64_t priority_stride(std::size_t priority) { return kStride / kShares[priority]; }

Task::Task(Order& its_order, Queue& its_queue)
    : order(its_order),
      queue(its_queue),
      bytes(view(order.row.payload).size() + order.row.context.size() + order.results_bytes) {
  ++queue.in_hand;
  queue.in_hand_bytes += bytes;
}

Task::~Task() {
  if (line.is_linked()) --queue.ready;
  line.unlink();
  unhold();
  release();
  if (share != nullptr) queue.fair->leave(*share);
  // One that never came into the tables may bear the key of one that has the turn.
  if (key_line != nullptr) key_line->book->left(*this, keeps_turn || hold == Hold::kBorn);
  --queue.in_hand;
  queue.in_hand_bytes -= bytes;
}

TaskKey Task::key() const { return {order.row.id, step, branch, kind}; }

TaskRow Task::row() const {
  return {.key = key(),
          .queue = queue.name,
          .priority = priority,
          .seq = seq,
          .attempt = attempt,
          .failures = failures,
          .losses = losses,
          .maybe = maybe};
}

void Task::read(const TaskRow& row) {
  step = row.key.step;
  branch = row.key.branch;
  kind = row.key.kind;
  priority = row.priority;
  seq = row.seq;
  attempt = row.attempt;
  failures = row.failures;
  losses = row.losses;
  maybe = row.maybe;
}

bool Task::is_last_try() const { return order.is_ending && kind != TaskKind::kCompensate; }

const RetryPolicy& Task::retry() const {
  const Step& its = order.pipeline->steps[step];
  return kind == TaskKind::kCompensate ? its.compensate_retry : its.retry;
}

/// What undoes a wait is an attempt like any other: the step's own timeout is how long it waits.
Millis Task::timeout() const {
  const Step& its = order.pipeline->steps[step];
  return kind == TaskKind::kCompensate && !its.wait.empty() ? Step{}.timeout : its.timeout;
}

void Task::release() {
  if (!lease.is_linked()) return;
  lease.unlink();
  timer.unlink();
  --queue.leased;
  if (uses != nullptr) {
    --uses->in_flight;
    uses->breaker.gone(since);
  }
  if (worker != nullptr) --worker->leased;
  worker = nullptr;
  progress.clear();
}

void Task::unhold() {
  if (gate == nullptr) return;
  gate->held[queue.index].erase(this);
  --gate->held_count;
  --queue.held;
  gate = nullptr;
}

Task* Order::find(const TaskKey& key) {
  for (auto& task : tasks) {
    if (task->step == key.step && task->branch == key.branch && task->kind == key.kind) {
      return task.get();
    }
  }
  return nullptr;
}

bool Order::has_siblings() const {
  const bool has_one = std::any_of(tasks.begin(), tasks.end(), [](const auto& task) {
    return task->kind != TaskKind::kCompensate &&
           (task->hold == Hold::kLeased || task->hold == Hold::kUnclaimed);
  });
  // Given out by an earlier owner out of `deferred`, and still there: else its end had taken it.
  return has_one || std::any_of(deferred.begin(), deferred.end(), [](const auto& one) {
           const TaskKind kind = one.task.key.kind;
           return kind != TaskKind::kCompensate && kind != TaskKind::kDeadline;
         });
}

void Order::keep(DoneStep task) {
  if (task.kind == TaskKind::kCompensate) {
    if (undoing != nullptr) mark(undoing->undone, task.step, task.branch);
  } else {
    mark_done(task.step, task.branch);
    results_bytes += view(task.result).size();
    if (pipeline->steps[task.step].irreversible && !task.is_skipped) is_one_way = true;
  }
  results.push_back(std::move(task));
}

bool Order::has_parked() const {
  return std::any_of(deferred.begin(), deferred.end(),
                     [](const auto& one) { return one.state == TaskState::kParked; });
}

const Fan* Order::fan(StepIndex step) const {
  const auto found =
      std::find_if(fans.begin(), fans.end(), [&](const Fan& one) { return one.step == step; });
  return found == fans.end() ? nullptr : &*found;
}

void Order::mark(BranchSet& set, StepIndex step, BranchIndex branch) const {
  const Fan* its = fans.empty() ? nullptr : fan(step);
  set.set(step, branch, its == nullptr ? 0 : its->done.size());
}

bool Order::is_one_chain(StepIndex one, StepIndex other) const {
  const Fan* its = fan(one);
  const Fan* others = fan(other);
  return its != nullptr && others != nullptr && its->elements == others->elements;
}

/// Recursion is bounded by the number of steps: a chained step comes after one step alone.
void Order::add_fan(StepIndex step, std::shared_ptr<const std::vector<std::string>> elements) {
  opened.set(step);
  if (elements->empty()) done.set(step);
  fans.push_back({.step = step,
                  .elements = elements,
                  .done = std::vector<bool>(elements->size()),
                  .left = elements->size()});
  for (const StepIndex next : pipeline->steps[step].before) {
    if (pipeline->chained.test(next)) add_fan(next, elements);
  }
}

void Order::mark_done(StepIndex step, BranchIndex branch) {
  const auto fan =
      std::find_if(fans.begin(), fans.end(), [&](const Fan& one) { return one.step == step; });
  if (fan == fans.end()) {
    done.set(step);
  } else if (branch < fan->done.size() && !fan->done[branch]) {
    fan->done[branch] = true;
    if (--fan->left == 0) done.set(step);
  }
}

void Order::erase(const Task& task) {
  std::erase_if(tasks, [&](const auto& held) { return held.get() == &task; });
}

bool Queue::is_shut() const {
  return !users.empty() && std::all_of(users.begin(), users.end(), [](const auto& user) {
    const auto& [pipeline, dependency] = user;
    return pipeline->is_paused || (dependency != nullptr && dependency->is_shut());
  });
}

bool Queue::has_line(std::size_t priority) const {
  return !lines[priority].is_empty() || (fair != nullptr && fair->has(priority));
}

void Queue::push(Task& task) {
  auto& line = lines[task.priority];
  if (!has_line(task.priority)) pass[task.priority] = std::max(pass[task.priority], pass_now);
  if (fair != nullptr) {
    fair->push(task, false);
  } else {
    line.push_back(task, task.line);
  }
  ++ready;
}

void Queue::push_first(Task& task) {
  if (fair != nullptr) {
    fair->push(task, true);
  } else {
    lines[task.priority].push_front(task, task.line);
  }
  ++ready;
}

Task* Queue::pop() {
  std::size_t best = lines.size();
  for (std::size_t p = 0; p < lines.size(); ++p) {
    if (has_line(p) && (best == lines.size() || pass[p] < pass[best])) best = p;
  }
  if (best == lines.size()) return nullptr;
  Task* task = lines[best].front();
  if (task == nullptr) task = fair->pop(best);
  task->line.unlink();
  --ready;
  pass_now = pass[best];
  pass[best] += priority_stride(best);
  return task;
}

Task* Queue::oldest() const {
  Task* oldest = fair != nullptr ? fair->oldest() : nullptr;
  for (const auto& line : lines) {
    Task* head = line.front();
    if (head != nullptr && (oldest == nullptr || head->since < oldest->since)) oldest = head;
  }
  return oldest;
}

}  // namespace ordo
