// What keeps ready tasks back, and how they go on: breakers, limits and pauses of dependencies and
// pipelines.
#include <algorithm>

#include "broker/core/state.hpp"

namespace ordo {
namespace {

/// What an order without a deadline counts as, and what a step of priority is worth.
constexpr Micros kUsualDeadline = std::chrono::hours{1};
constexpr Micros kPriorityWorth = std::chrono::minutes{1};
/// Held tasks that are looked at for one whose shard is trusted: past that the next step looks.
constexpr int kLooks = 64;

Wall due(const Task& task) {
  const OrderRow& row = task.order.row;
  return row.deadline.value_or(row.accepted + kUsualDeadline) + kPriorityWorth * task.priority;
}

}  // namespace

bool MoreUrgent::operator()(const Task* a, const Task* b) const {
  const auto due_a = due(*a);
  const auto due_b = due(*b);
  if (due_a != due_b) return due_a < due_b;
  return std::pair(a->seq, a->key()) < std::pair(b->seq, b->key());
}

Gate& Engine::State::gate_named(Gate::Kind kind, const std::string& name) {
  auto& gate = gates_[{kind, name}];
  if (gate == nullptr) {
    gate = std::make_unique<Gate>(kind, name);
    gate->index = static_cast<std::uint32_t>(gate_list_.size());
    gate_list_.push_back(gate.get());
  }
  return *gate;
}

/// By the reason of a held row; null for one that no gate holds.
Gate* Engine::State::gate_labelled(const std::string& label) {
  const auto space = label.find(' ');
  if (space == std::string::npos) return nullptr;
  const std::string kind = label.substr(0, space);
  if (kind != "dependency" && kind != "pipeline") return nullptr;
  return &gate_named(kind == "dependency" ? Gate::Kind::kDependency : Gate::Kind::kPipeline,
                     label.substr(space + 1));
}

/// The gates of a pipeline's steps, and who uses which queue.
void Engine::State::learn_gates(KnownPipeline& pipeline) {
  pipeline.gate = &gate_named(Gate::Kind::kPipeline, pipeline.name);
  for (const auto& step : pipeline.steps) {
    Gate* uses = step.uses.empty() ? nullptr : &gate_named(Gate::Kind::kDependency, step.uses);
    pipeline.uses.push_back(uses);
    pipeline.has_gates |= uses != nullptr;
    pipeline.has_lines |= !step.limit_key.empty() || !step.fair_by.empty();
    queue_named(step.queue).users.emplace(pipeline.gate, uses);
    if (!step.compensate.empty()) queue_named(step.compensate).users.emplace(pipeline.gate, uses);
    if (!step.fallback.empty()) queue_named(step.fallback).users.emplace(pipeline.gate, nullptr);
    if (uses != nullptr && uses->breaker.state() == Breaker::State::kClosed) tell_state(*uses);
  }
}

void Engine::State::tell_state(const Gate& gate) {
  Fact state;
  state.kind = FactKind::kDependencyState;
  state.dependency = &gate.name;
  state.text = to_string(gate.breaker.state());
  fact(std::move(state));
}

void Engine::State::tend(Gate& gate) {
  if (std::exchange(gate.is_tended, true)) return;
  tended_.push_back(&gate);
}

/// Whether a task whose turn has come is kept back. It is out of its line either way.
bool Engine::State::keeps_back(Task& task) {
  Gate& pipeline = *task.order.pipeline->gate;
  if (pipeline.is_paused) {
    hold(task, pipeline);
    return true;
  }
  if (task.uses == nullptr) return false;
  // Who is held already goes first.
  if (task.uses->held_count == 0 && task.uses->admits(now.steady)) return false;
  hold(task, *task.uses);
  return true;
}

void Engine::State::hold(Task& task, Gate& gate) {
  transition(task, TaskState::kReady, Cause::kHeld);
  Queue& queue = task.queue;
  task.hold = Hold::kHeld;
  task.gate = &gate;
  gate.held[queue.index].insert(&task);
  ++gate.held_count;
  ++queue.held;
  tend(gate);
  Fact held = about(FactKind::kTaskHeld, task);
  held.text = gate.label;
  fact(std::move(held));
  if (queue.is_shared() && queue.held > settings_.window_tasks / 2) write_out(gate, queue);
}

/// Others share the queue: what is held leaves half of its window to them, the least urgent first.
void Engine::State::write_out(Gate& gate, const Queue& queue) {
  const auto& held = gate.held.at(queue.index);
  // One that has a turn stays in hand: others wait for it.
  const auto last = std::find_if(held.rbegin(), held.rend(),
                                 [](const Task* one) { return one->key_line == nullptr; });
  if (last == held.rend()) return;
  Task& task = **last;
  Shard& shard = shards_.at(task.order.shard);
  auto change = draft(shard, task.order);
  DeferredRow row{
      .task = task.row(), .state = TaskState::kHeld, .run_at = {}, .reason = gate.label};
  row.task.seq = shard.next_seq();
  remove_row(change, task);
  defer(change, std::move(row));
  commit(std::move(change));
}

/// Not held any more: ready, and in no line.
void Engine::State::unhold(Task& task) {
  task.unhold();
  transition(task, TaskState::kHeld, Cause::kAdmitted);
  task.hold = Hold::kReady;
}

/// The most urgent task of a queue that a gate holds and that may go now; null: none.
Task* Engine::State::head_of(Gate& gate, std::uint32_t queue) {
  int looks = 0;
  for (auto it = gate.held[queue].begin(); it != gate.held[queue].end() && looks < kLooks;) {
    Task& task = **it++;
    Gate& pipeline = *task.order.pipeline->gate;
    if (pipeline.is_paused && &pipeline != &gate) {
      unhold(task);
      hold(task, pipeline);
      continue;
    }
    if (is_trusted(shards_.at(task.order.shard))) return &task;
    ++looks;
  }
  return nullptr;
}

/// What a gate holds goes out, the most urgent first, as far as the gate and the workers allow.
void Engine::State::admit_held(Gate& gate) {
  while (gate.held_count > 0 && gate.admits(now.steady) && !is_draining_) {
    Task* best = nullptr;
    Worker* its_worker = nullptr;
    for (const auto& [index, held] : gate.held) {
      Queue& queue = *queue_list_[index];
      if (held.empty() || queue.is_paused) continue;
      Worker* worker = next_worker(queue);
      Task* task = worker != nullptr ? head_of(gate, index) : nullptr;
      if (task == nullptr || (best != nullptr && MoreUrgent{}(best, task))) continue;
      best = task;
      its_worker = worker;
    }
    if (best == nullptr) return;
    unhold(*best);
    grant(*best, *its_worker);
  }
}

/// What time and results have changed about the gates that hold something or are not well.
void Engine::State::tend_gates() {
  for (std::size_t i = 0; i < tended_.size();) {
    Gate& gate = *tended_[i];
    if (gate.breaker.advance(now.steady)) tell_state(gate);
    const bool is_well = gate.breaker.state() == Breaker::State::kClosed;
    if (gate.is_wide_open() && !planted_.forgotten_held) {
      for (auto& [index, held] : gate.held) {
        while (!held.empty()) {
          Task& task = **held.begin();
          unhold(task);
          task.queue.push(task);
        }
        wake(*queue_list_[index]);
      }
    } else {
      admit_held(gate);
    }
    if (gate.held_count == 0 && is_well) {
      gate.is_tended = false;
      tended_.erase(tended_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

/// When a gate may let something go although nothing happens.
std::optional<Steady> Engine::State::next_of_gates() const {
  std::optional<Steady> next;
  const auto expect = [&](Steady at) {
    if (at > now.steady && (!next || at < *next)) next = at;
  };
  for (Gate* gate : tended_) {
    if (const auto at = gate->breaker.next()) expect(*at);
    if (gate->held_count > 0 && gate->limit.is_set()) expect(gate->limit.next(now.steady));
  }
  return next;
}

/// What an attempt came to, as far as it tells of the dependency that it called.
void Engine::State::call_ended(const Task& task, bool worked) {
  if (task.uses == nullptr || task.hold != Hold::kLeased) return;
  if (!task.uses->breaker.ended(now.steady, task.since, worked)) return;
  tell_state(*task.uses);
  tend(*task.uses);
}

// ---- what is held in the tables ----------------------------------------------------------------

HeldLine* Engine::State::held_line(Shard& shard, const TaskRow& row, const std::string& reason) {
  const Gate* gate = gate_labelled(reason);
  if (gate == nullptr) return nullptr;
  return &shard.held[{gate->index, queue_named(row.queue).index}];
}

/// Oldest first, when the gate lets something go and what it let go before is nearly gone.
void Engine::State::page_held(Shard& shard) {
  for (auto& [place, held] : shard.held) {
    Gate& gate = *gate_list_[place.first];
    Queue& queue = *queue_list_[place.second];
    if (held.is_paging || !held.line.has_more() || gate.is_shut()) continue;
    if (queue.is_paused || is_draining_ || planted_.forgotten_held) continue;
    const bool has_room = queue.in_hand <= settings_.window_tasks / 2 &&
                          queue.in_hand_bytes <= settings_.window_bytes / 2;
    if (!has_room || gate.held_of(queue.index) > settings_.window_tasks / 4) continue;
    held.is_paging = true;
    held.line.asked = held.line.written;
    PageSpec spec;
    spec.what = PageSpec::What::kHeld;
    spec.queue = queue.name;
    spec.holder = gate.label;
    spec.after_seq = held.line.cursor;
    const auto room = static_cast<std::uint32_t>(settings_.window_tasks - queue.in_hand);
    spec.limit = std::clamp<std::uint32_t>(std::min(room, settings_.page_rows), 1, 10'000);
    spec.limit_bytes = settings_.window_bytes / 4;
    out->store.push_back({shard.number, LoadPage{shard.incarnation, std::move(spec)}});
  }
}

// ---- for people --------------------------------------------------------------------------------

/// Why the task that is called `name` is held.
std::string Engine::State::explain_held(const std::string& name, const std::string& reason) {
  const std::string step = name + " is held: ";
  const Gate* gate = gate_labelled(reason);
  if (gate == nullptr) return step + reason + ".";
  const auto seconds = [this](Micros span) {
    return std::to_string(std::chrono::duration_cast<Seconds>(span).count()) + " s";
  };
  const bool is_dependency = gate->kind == Gate::Kind::kDependency;
  const std::string whose = (is_dependency ? "dependency `" : "pipeline `") + gate->name + "`";
  if (gate->is_paused) {
    return step + whose + " is paused by " + gate->paused_by + ": " + gate->paused_why + ".";
  }
  const auto state = gate->breaker.state();
  if (state == Breaker::State::kClosed) {
    return step + whose + " has " + std::to_string(gate->in_flight) +
           " tasks in flight and takes no more now; " + std::to_string(gate->held_count) +
           " are held.";
  }
  std::string text = step + "the breaker of `" + gate->name + "` is " +
                     std::string(to_string(state)) + " since " +
                     seconds(now.steady - gate->breaker.since());
  if (state == Breaker::State::kOpen) {
    text += ", next probe in " +
            seconds(std::chrono::ceil<Seconds>(*gate->breaker.next() - now.steady));
  }
  return text + ".";
}

}  // namespace ordo
