// Values that take turns, and values of which only so many tasks run at once.
#include "broker/core/turns.hpp"

#include <algorithm>

#include "broker/core/state.hpp"
#include "schema/context.hpp"
#include "schema/hash.hpp"

namespace ordo {
namespace {

/// A longer one is told apart by its hash.
constexpr std::size_t kValueBytes = 64;

}  // namespace

std::string turn_value(std::string_view context, std::string_view field) {
  auto value = get_context(context, field);
  if (!value || *value == "null") return {};
  if (value->size() <= kValueBytes) return std::move(*value);
  return "hash " + std::to_string(content_hash(*value));
}

// ---- fair_by -----------------------------------------------------------------------------------

FairValue& FairLines::join(const std::string& value) {
  auto& [name, its] = *values_.try_emplace(value).first;
  its.name = &name;
  ++its.tasks;
  return its;
}

void FairLines::leave(FairValue& value) {
  if (--value.tasks > 0) return;
  for (std::size_t p = 0; p < rings_.size(); ++p) {
    if (value.is_in_ring.test(p)) std::erase(rings_[p], &value);
  }
  values_.erase(std::string(*value.name));
}

void FairLines::push(Task& task, bool is_first) {
  FairValue& value = task.share != nullptr ? *task.share : none_;
  auto& line = value.lines[task.priority];
  auto& ring = rings_[task.priority];
  bool has_place = value.is_in_ring.test(task.priority);
  if (has_place && line.is_empty()) {  // all that it had left the line: its place is gone too
    std::erase(ring, &value);
    has_place = false;
  }
  value.is_in_ring.set(task.priority);
  if (is_first) {
    line.push_front(task, task.line);
    if (!has_place) ring.push_front(&value);
  } else {
    line.push_back(task, task.line);
    if (!has_place) ring.push_back(&value);
  }
}

bool FairLines::has(std::size_t priority) {
  auto& ring = rings_[priority];
  while (!ring.empty() && ring.front()->lines[priority].is_empty()) {
    ring.front()->is_in_ring.reset(priority);
    ring.pop_front();
  }
  return !ring.empty();
}

Task* FairLines::pop(std::size_t priority) {
  auto& ring = rings_[priority];
  FairValue& value = *ring.front();
  auto& line = value.lines[priority];
  Task* task = line.front();
  task->line.unlink();
  ring.pop_front();
  if (line.is_empty()) {
    value.is_in_ring.reset(priority);
  } else {
    ring.push_back(&value);
  }
  return task;
}

Task* FairLines::oldest() const {
  Task* oldest = nullptr;
  for (std::size_t p = 0; p < rings_.size(); ++p) {
    for (const FairValue* value : rings_[p]) {
      Task* head = value->lines[p].front();
      if (head != nullptr && (oldest == nullptr || head->since < oldest->since)) oldest = head;
    }
  }
  return oldest;
}

// ---- limit_key ---------------------------------------------------------------------------------

KeyLine& KeyBook::line(Queue& queue, const std::string& value) {
  auto& [place, line] = *lines_.try_emplace(Place{queue.index, value}).first;
  line.book = this;
  line.queue = &queue;
  line.place = &place;
  return line;
}

void KeyBook::tidy(KeyLine& line) {
  if (line.tasks != 0 || line.turns != 0) return;
  freed_.erase(*line.place);
  lines_.erase(Place(*line.place));
}

/// One that has a turn belongs to that value, whatever its order's context says by now.
void KeyBook::join(Task& task, const std::string& value) {
  KeyLine* its = line_of(task.key());
  if (its == nullptr && value.empty()) return;
  if (its == nullptr) its = &line(task.queue, value);
  task.key_line = its;
  ++its->tasks;
}

void KeyBook::left(Task& task, bool keeps_turn) {
  KeyLine& its = *task.key_line;
  task.key_line = nullptr;
  --its.tasks;
  if (!its.waiting.is_empty()) freed_.insert(*its.place);
  if (!keeps_turn && line_of(task.key()) == &its) return end(task.key());
  tidy(its);
}

void KeyBook::take(KeyLine& line, const TaskKey& key) {
  if (turns_.emplace(key, &line).second) ++line.turns;
}

void KeyBook::take(Queue& queue, const std::string& value, const TaskKey& key) {
  take(line(queue, value), key);
}

void KeyBook::end(const TaskKey& key) {
  const auto found = turns_.find(key);
  if (found == turns_.end()) return;
  KeyLine& its = *found->second;
  turns_.erase(found);
  --its.turns;
  if (!its.waiting.is_empty()) freed_.insert(*its.place);
  tidy(its);
}

KeyLine* KeyBook::line_of(const TaskKey& key) const {
  const auto found = turns_.find(key);
  return found == turns_.end() ? nullptr : found->second;
}

void KeyBook::forget_shard(ShardNumber shard) {
  std::vector<TaskKey> gone;
  for (const auto& [key, line] : turns_) {
    if (key.order.shard() == shard) gone.push_back(key);
  }
  for (const auto& key : gone) end(key);
}

void KeyBook::look_again() {
  for (const auto& [place, line] : lines_) {
    if (!line.waiting.is_empty()) freed_.insert(place);
  }
}

std::vector<KeyLine*> KeyBook::take_freed() {
  std::vector<KeyLine*> freed;
  for (const auto& place : std::exchange(freed_, {})) freed.push_back(&lines_.at(place));
  return freed;
}

std::size_t KeyBook::waiting_in(const Queue& queue) {
  std::size_t count = 0;
  for (auto it = lines_.lower_bound(Place{queue.index, ""});
       it != lines_.end() && it->first.first == queue.index; ++it) {
    it->second.waiting.for_each([&](const Task&) { ++count; });
  }
  return count;
}

// ---- the engine --------------------------------------------------------------------------------

/// A task comes in hand whose step names a field.
void Engine::State::join_lines(Task& task) {
  const Order& order = task.order;
  const Step& step = order.pipeline->steps[task.step];
  if (!step.limit_key.empty()) {
    keys_.join(task, turn_value(order.row.context, step.limit_key));
  }
  if (!step.fair_by.empty()) {
    auto& fair = task.queue.fair;
    if (fair == nullptr) fair = std::make_unique<FairLines>();
    task.share = &fair->join(turn_value(order.row.context, step.fair_by));
  }
}

/// Whether a task may be given out as far as its value goes. Else it is out of its line until it
/// may. While workers may still claim what an earlier owner gave out, no turn begins.
bool Engine::State::has_turn(Task& task) {
  if (planted_.key_ignored) return true;
  KeyLine& line = *task.key_line;
  if (keys_.line_of(task.key()) != nullptr) return true;
  // Whoever waits although a turn is free may not begin one yet.
  if (!may_begin_turn(task) || line.turns >= kTurnsPerValue) {
    line.waiting.push_back(task, task.line);
    ++task.queue.ready;
    return false;
  }
  keys_.take(line, task.key());
  return true;
}

bool Engine::State::may_begin_turn(const Task& task) const {
  const Shard& shard = shards_.at(task.order.shard);
  return !shard.grace_until || shard.epoch == 1;
}

/// A turn that has become free is the next one's at once, before anybody who comes now.
void Engine::State::pass_turns() {
  for (KeyLine* line : keys_.take_freed()) {
    std::vector<Task*> next;
    line->waiting.for_each([&](Task& task) {
      if (line->turns + next.size() < kTurnsPerValue && may_begin_turn(task)) next.push_back(&task);
    });
    for (auto it = next.rbegin(); it != next.rend(); ++it) {
      Task& task = **it;
      task.line.unlink();
      --task.queue.ready;
      keys_.take(*line, task.key());
      task.queue.push_first(task);
      wake(task.queue);
    }
  }
}

/// The reason of a row that is scheduled: whether its task keeps its turn until then.
void Engine::State::keep_turn(Task& task, std::string& reason) {
  if (task.key_line == nullptr || planted_.turn_lost) return;
  if (keys_.line_of(task.key()) == nullptr || keys_.turns() > kTurnsKept) return;
  task.keeps_turn = true;
  reason += kKeepsTurn;
  reason += task.key_line->place->second;
}

/// Rows went, or their order was read again: what is neither in hand nor owed any more has no turn.
void Engine::State::end_turns(Order* order, const std::vector<TaskKey>& keys) {
  if (keys_.turns() == 0) return;
  for (const auto& key : keys) {
    const auto stays = [&](const DeferredRow& row) {
      return row.task.key == key && row.state != TaskState::kParked;
    };
    const bool is_there =
        order != nullptr && (order->find(key) != nullptr ||
                             std::any_of(order->deferred.begin(), order->deferred.end(), stays));
    if (!is_there) keys_.end(key);
  }
}

/// The same once a write is durable that deleted rows.
void Engine::State::end_turns(Order& order, const Write& write) {
  if (keys_.turns() == 0 || !order.pipeline->has_lines) return;
  std::vector<TaskKey> gone;
  for (const auto& change : write.store.changes) {
    if (const auto* row = std::get_if<DeleteDeferred>(&change)) gone.push_back(row->key);
    // What it put in its place may be on its way out already, in a write that is not durable yet.
    if (const auto* row = std::get_if<InsertDeferred>(&change)) std::erase(gone, row->row.task.key);
    if (const auto* row = std::get_if<InsertTask>(&change)) std::erase(gone, row->row.key);
  }
  end_turns(&order, gone);
}

/// Why a ready task that has a free slot does not go out; empty: its value does not keep it.
std::string Engine::State::explain_turn(const OrderId& id, StepIndex step, BranchIndex branch) {
  const auto& orders = shards_.at(static_cast<ShardNumber>(id.shard())).orders;
  const auto found = orders.find(id);
  if (found == orders.end()) return {};
  const Task* task = found->second->find({id, step, branch, TaskKind::kForward});
  if (task == nullptr || task->key_line == nullptr || task->hold != Hold::kReady) return {};
  if (keys_.line_of(task->key()) != nullptr || task->key_line->turns == 0) return {};
  return "waits for its turn: of `" + task->order.pipeline->steps[step].limit_key +
         "` = " + task->key_line->place->second + " queue " + task->queue.name + " runs " +
         std::to_string(kTurnsPerValue) + " at a time";
}

}  // namespace ordo
