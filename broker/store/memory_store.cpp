#include "broker/store/memory_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/check.hpp"
#include "broker/store/memory_checks.hpp"
#include "schema/context.hpp"
#include "schema/limits.hpp"

namespace ordo {

namespace {

constexpr std::size_t kRecordEvents = 1000;

/// The object under "context" in an event's note, as text; empty where there is none.
std::string context_of(std::string_view note) {
  constexpr std::string_view kMember = "\"context\":";
  const std::size_t at = note.find(kMember);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = note.find('{', at + kMember.size());
  if (begin == std::string_view::npos) return {};
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = begin; i < note.size(); ++i) {
    const char c = note[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{') ++depth;
    if (c == '}' && --depth == 0) return std::string(note.substr(begin, i - begin + 1));
  }
  return {};
}

/// First key of an order in a map by TaskKey.
TaskKey first_key(const OrderId& id) { return TaskKey{id, 0, 0, TaskKind::kForward}; }

template <class Row, class F>
void for_order(const std::map<TaskKey, Row>& rows, const OrderId& id, F&& f) {
  for (auto it = rows.lower_bound(first_key(id)); it != rows.end() && it->first.order == id; ++it) {
    f(it->second);
  }
}

SeenSignal seen_signal(std::string_view note) {
  return {get_text(note, "signal").value_or(""), get_text(note, "dedup").value_or("")};
}

std::optional<std::uint64_t> merged_hash(std::string_view note) {
  return std::strtoull(get_text(note, "hash").value_or("0").c_str(), nullptr, 10);
}

std::optional<DoneStep> done_step(const EventRow& event) {
  const bool is_skipped =
      event.kind == EventKind::kOperatorSkip || event.kind == EventKind::kSkipped;
  const bool is_done = event.kind == EventKind::kSucceeded || event.kind == EventKind::kSignalled ||
                       event.kind == EventKind::kOperatorComplete || is_skipped;
  if (!is_done || !event.step) return std::nullopt;
  return DoneStep{.step = *event.step,
                  .branch = event.branch,
                  .kind = event.task_kind,
                  .is_skipped = is_skipped,
                  .attempt = event.attempt,
                  .result = event.detail,
                  .context = context_of(event.note)};
}

tl::unexpected<Error> lost() {
  return fail(Code::kUnavailable, "lost", "the session is no longer the shard's owner");
}

}  // namespace

// ---- reading -----------------------------------------------------------------------------------

const std::map<std::int64_t, EventRow>* MemoryDatabase::events(const OrderId& order) const {
  const auto it = events_.find(order);
  return it == events_.end() ? nullptr : &it->second;
}

OrderStatus MemoryDatabase::status(const OrderId& order) const {
  const auto* events = this->events(order);
  if (events == nullptr) return OrderStatus::kRunning;
  for (auto it = events->rbegin(); it != events->rend(); ++it) {
    if (it->second.status) return *it->second.status;
  }
  return OrderStatus::kRunning;
}

std::optional<OrderSnapshot> MemoryDatabase::snapshot(const OrderId& id) const {
  OrderSnapshot snapshot;
  snapshot.knows_signals = true;
  for (auto it = signals_.lower_bound({id, 0}); it != signals_.end() && it->first.first == id;
       ++it) {
    snapshot.signals.push_back(it->second);
  }
  const auto found = orders_.find(id);
  if (found == orders_.end()) {
    if (snapshot.signals.empty()) return std::nullopt;
    snapshot.order.id = id;
    snapshot.is_absent = true;
    return snapshot;
  }
  snapshot.order = found->second;
  snapshot.status = status(id);
  for_order(tasks_, id, [&](const TaskRow& row) { snapshot.tasks.push_back(row); });
  for_order(deferred_, id, [&](const DeferredRow& row) { snapshot.deferred.push_back(row); });
  const auto* events = this->events(id);
  if (events == nullptr) return snapshot;
  for (const auto& [seq, event] : *events) {
    if (event.kind == EventKind::kSignalled) snapshot.seen.push_back(seen_signal(event.note));
    if (event.kind == EventKind::kCancelRequested) snapshot.is_cancelled = true;
    if (event.status == OrderStatus::kCompensating) snapshot.is_ending = true;
    const bool is_failure =
        event.kind == EventKind::kFailed || event.kind == EventKind::kOperatorCompensate;
    if (is_failure && event.status) snapshot.failed_step = event.step;
    if (event.kind == EventKind::kRestored) snapshot.is_restored = true;
    if (event.kind == EventKind::kMerged) snapshot.merged_hash = merged_hash(event.note);
    if (event.kind == EventKind::kCut) snapshot.cut.emplace_back(*event.step, event.branch);
    if (event.kind == EventKind::kFannedOut) {
      snapshot.fanned.push_back({*event.step, event.detail});
    }
    if (auto done = done_step(event)) snapshot.done.push_back(std::move(*done));
  }
  return snapshot;
}

std::optional<OrderRecord> MemoryDatabase::record(const OrderId& id) const {
  const auto found = orders_.find(id);
  if (found == orders_.end()) return std::nullopt;
  OrderRecord record;
  record.order = found->second;
  record.status = status(id);
  for_order(tasks_, id, [&](const TaskRow& row) { record.tasks.push_back(row); });
  for_order(deferred_, id, [&](const DeferredRow& row) { record.deferred.push_back(row); });
  const auto* events = this->events(id);
  if (events == nullptr) return record;
  const std::size_t skip = events->size() > kRecordEvents ? events->size() - kRecordEvents : 0;
  for (auto it = std::next(events->begin(), static_cast<std::ptrdiff_t>(skip)); it != events->end();
       ++it) {
    record.events.push_back(it->second);
  }
  return record;
}

Takeover MemoryDatabase::take() {
  Takeover takeover;
  takeover.timeline = timeline_;
  takeover.epoch = ++epoch_;
  takeover.database_now = now_;
  OrderId last;
  for (const auto& [key, row] : tasks_) {
    if (key.order == last) continue;
    last = key.order;
    if (auto found = snapshot(key.order)) takeover.orders.push_back(std::move(*found));
  }
  for (const auto& [id, row] : pipelines_) takeover.pipelines.push_back(row);
  for (const auto& [queue, row] : queue_settings_) takeover.queue_settings.push_back(row);
  if (!due_.empty()) takeover.next_due = std::get<Wall>(*due_.begin());
  for (const BacklogPlace& place : backlog_) {
    const std::string& queue = std::get<std::string>(place);
    if (takeover.backlog_queues.empty() || takeover.backlog_queues.back() != queue) {
      takeover.backlog_queues.push_back(queue);
    }
  }
  takeover.backlog_estimate = backlog_.size();
  if (!kept_.empty()) takeover.next_signal = kept_.begin()->first;
  takeover.kept_signals = kept_.size();
  for (const auto& [holder, queue, seq, key] : held_) {
    if (takeover.held_lines.empty() || takeover.held_lines.back() != std::pair(holder, queue)) {
      takeover.held_lines.emplace_back(holder, queue);
    }
  }
  for (const auto& [run_at, seq, key] : due_) {
    const DeferredRow& row = deferred_.at(key);
    const auto value = kept_turn(row.reason);
    if (!value.empty()) takeover.turns.push_back({key, row.task.queue, std::string(value)});
  }
  return takeover;
}

// ---- writing -----------------------------------------------------------------------------------

void MemoryDatabase::insert_deferred(const DeferredRow& row) {
  const TaskRow& task = row.task;
  deferred_.emplace(task.key, row);
  if (row.state == TaskState::kBacklog) {
    backlog_.emplace(task.queue, task.priority, task.seq, task.key);
  }
  if (row.state == TaskState::kHeld) held_.emplace(row.reason, task.queue, task.seq, task.key);
  if (row.run_at) due_.emplace(*row.run_at, task.seq, task.key);
}

void MemoryDatabase::insert_signal(const SignalRow& row) {
  signals_.emplace(std::pair{row.order, row.seq}, row);
  if (row.next_at) kept_.insert({*row.next_at, {row.seq, row.order}});
}

void MemoryDatabase::erase_signal(const SignalKey& key) {
  const auto it = signals_.find(key);
  if (it->second.next_at) kept_.erase({*it->second.next_at, {key.second, key.first}});
  signals_.erase(it);
}

void MemoryDatabase::erase_deferred(const TaskKey& key) {
  const auto it = deferred_.find(key);
  const DeferredRow& row = it->second;
  if (row.state == TaskState::kBacklog) {
    backlog_.erase({row.task.queue, row.task.priority, row.task.seq, key});
  }
  if (row.state == TaskState::kHeld) {
    held_.erase({row.reason, row.task.queue, row.task.seq, key});
  }
  if (row.run_at) due_.erase({*row.run_at, row.task.seq, key});
  deferred_.erase(it);
}

/// One commit: decides what is left out, then what the keys and CHECKs say, and only then touches a
/// table.
class MemoryDatabase::Commit {
 public:
  Commit(MemoryDatabase& database, std::span<const StoreWrite* const> batch)
      : database_(database), batch_(batch), fate_(batch.size()) {}

  CommitResult run() {
    CommitResult result;
    find_missing();
    find_known_orders();
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (!fate_[i]) check(*batch_[i]);
    }
    if (!problem_.empty()) {
      result.kind = CommitResult::Kind::kRejected;
      result.message = problem_;
      return result;
    }
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (fate_[i]) result.refused.push_back({.write = i, .why = *fate_[i]});
    }
    apply();
    return result;
  }

 private:
  using Why = CommitResult::Refused::Why;

  /// Deletes come first: what one order misses takes all of its writes with it.
  void find_missing() {
    std::set<OrderId> missing;
    const auto expect = [&](const auto& rows, std::set<TaskKey>& deleted, const TaskKey& key) {
      if (!rows.contains(key)) {
        missing.insert(key.order);
      } else if (!deleted.insert(key).second) {
        problem_ = "a row is deleted twice in one batch";
      }
    };
    for (const StoreWrite* write : batch_) {
      for (const Change& change : write->changes) {
        if (const auto* task = std::get_if<DeleteTask>(&change)) {
          expect(database_.tasks_, deleted_tasks_, task->key);
        } else if (const auto* row = std::get_if<DeleteDeferred>(&change)) {
          expect(database_.deferred_, deleted_deferred_, row->key);
        } else if (const auto* signal = std::get_if<DeleteSignal>(&change)) {
          if (!database_.signals_.contains({signal->order, signal->seq})) {
            missing.insert(signal->order);
          } else if (!deleted_signals_.insert({signal->order, signal->seq}).second) {
            problem_ = "a row is deleted twice in one batch";
          }
        }
      }
    }
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (missing.contains(batch_[i]->order)) fate_[i] = Why::kMissing;
    }
    std::erase_if(deleted_tasks_, [&](const TaskKey& key) { return missing.contains(key.order); });
    std::erase_if(deleted_deferred_,
                  [&](const TaskKey& key) { return missing.contains(key.order); });
    std::erase_if(deleted_signals_, [&](const auto& key) { return missing.contains(key.first); });
  }

  void find_known_orders() {
    std::map<OrderId, std::uint64_t> inserted;
    std::map<std::pair<std::string, std::uint32_t>, PipelineId> versions;
    for (const auto& [id, row] : database_.pipelines_) versions[{row.name, row.version}] = id;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      for (const Change& change : batch_[i]->changes) {
        if (fate_[i]) break;
        if (const auto* order = std::get_if<InsertOrder>(&change)) {
          const auto known = database_.orders_.find(order->row.id);
          const auto [it, is_new] = inserted.emplace(
              order->row.id, known == database_.orders_.end() ? order->row.submit_hash
                                                              : known->second.submit_hash);
          if (is_new && known == database_.orders_.end()) continue;
          fate_[i] = it->second == order->row.submit_hash ? Why::kDuplicate : Why::kConflict;
        } else if (const auto* put = std::get_if<PutPipeline>(&change)) {
          const auto [it, is_new] =
              versions.emplace(std::pair{put->row.name, put->row.version}, put->row.id);
          if (it->second != put->row.id) fate_[i] = Why::kConflict;
        }
      }
    }
  }

  void check(const StoreWrite& write) {
    for (const Change& change : write.changes) {
      if (const auto* task = std::get_if<InsertTask>(&change)) {
        const TaskKey& key = task->row.key;
        if (task->row.queue.empty()) problem_ = "a task has a queue";
        const bool is_there = database_.tasks_.contains(key) && !deleted_tasks_.contains(key);
        if (is_there || !inserted_tasks_.insert(key).second) problem_ = "duplicate key in task";
      } else if (const auto* row = std::get_if<InsertDeferred>(&change)) {
        const TaskKey& key = row->row.task.key;
        const bool is_there = database_.deferred_.contains(key) && !deleted_deferred_.contains(key);
        if (is_there || !inserted_deferred_.insert(key).second) {
          problem_ = "duplicate key in deferred";
        }
        if (const auto words = problem_of(row->row); !words.empty()) problem_ = words;
      } else if (const auto* event = std::get_if<AppendEvent>(&change)) {
        const auto* known = database_.events(event->row.order);
        const bool is_there = known != nullptr && known->contains(event->row.seq);
        if (is_there || !events_.emplace(event->row.order, event->row.seq).second) {
          problem_ = "duplicate key in event";
        }
        if (const auto words = problem_of(event->row); !words.empty()) problem_ = words;
      } else if (const auto* signal = std::get_if<InsertSignal>(&change)) {
        check(signal->row);
      }
    }
  }

  void check(const SignalRow& row) {
    if (row.name.empty() || row.dedup.empty()) problem_ = "a signal has a name and a dedup";
    if (!signals_.insert({row.order, row.name, row.dedup}).second) {
      problem_ = "duplicate key in signal";
    }
    for (const auto& [key, known] : database_.signals_) {
      const bool is_same =
          known.order == row.order && known.name == row.name && known.dedup == row.dedup;
      if (is_same && !deleted_signals_.contains(key)) problem_ = "duplicate key in signal";
    }
  }

  void apply() {
    for (const auto& key : deleted_signals_) database_.erase_signal(key);
    for (const TaskKey& key : deleted_tasks_) database_.tasks_.erase(key);
    for (const TaskKey& key : deleted_deferred_) database_.erase_deferred(key);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (fate_[i]) continue;
      for (const Change& change : batch_[i]->changes) apply(change);
    }
  }

  void apply(const Change& change) {
    if (const auto* order = std::get_if<InsertOrder>(&change)) {
      database_.orders_.emplace(order->row.id, order->row);
    } else if (const auto* task = std::get_if<InsertTask>(&change)) {
      database_.tasks_.emplace(task->row.key, task->row);
    } else if (const auto* row = std::get_if<InsertDeferred>(&change)) {
      database_.insert_deferred(row->row);
    } else if (const auto* event = std::get_if<AppendEvent>(&change)) {
      database_.events_[event->row.order].emplace(event->row.seq, event->row);
    } else if (const auto* pipeline = std::get_if<PutPipeline>(&change)) {
      database_.pipelines_.emplace(pipeline->row.id, pipeline->row);
    } else if (const auto* setting = std::get_if<PutQueueSetting>(&change)) {
      database_.queue_settings_.insert_or_assign(setting->row.queue, setting->row);
    } else if (const auto* signal = std::get_if<InsertSignal>(&change)) {
      database_.insert_signal(signal->row);
    }
  }

  MemoryDatabase& database_;
  std::span<const StoreWrite* const> batch_;
  std::vector<std::optional<Why>> fate_;  ///< of each write; unset: done
  std::set<TaskKey> deleted_tasks_, deleted_deferred_, inserted_tasks_, inserted_deferred_;
  std::set<std::pair<OrderId, std::int64_t>> events_, deleted_signals_;
  std::set<std::tuple<OrderId, std::string, std::string>> signals_;
  std::string problem_;
};

// ---- sessions ----------------------------------------------------------------------------------

MemoryStore::~MemoryStore() {
  if (is_owner()) database_.owner_ = 0;
}

Result<Takeover> MemoryStore::open() {
  if (database_.owner_ != 0) {
    return fail(Code::kBusy, "owned", "another session holds the shard's lock");
  }
  id_ = ++database_.sessions_;
  database_.owner_ = id_;
  return database_.take();
}

CommitResult MemoryStore::commit(std::span<const StoreWrite* const> batch) {
  if (!is_owner()) {
    return {.kind = CommitResult::Kind::kLost, .refused = {}, .message = "not the owner"};
  }
  return MemoryDatabase::Commit(database_, batch).run();
}

Result<std::vector<OrderSnapshot>> MemoryStore::load(std::span<const OrderId> ids) {
  if (!is_owner()) return lost();
  std::vector<OrderSnapshot> found;
  for (const OrderId& id : ids) {
    if (auto snapshot = database_.snapshot(id)) found.push_back(std::move(*snapshot));
  }
  return found;
}

Result<Page> MemoryStore::page(const PageSpec& spec) {
  if (!is_owner()) return lost();
  if (spec.what == PageSpec::What::kBacklog) return database_.backlog_page(spec);
  if (spec.what == PageSpec::What::kSignals) return database_.signals_page(spec);
  return spec.what == PageSpec::What::kHeld ? database_.held_page(spec) : database_.due_page(spec);
}

Result<void> MemoryStore::probe() {
  if (!is_owner()) return lost();
  return {};
}

}  // namespace ordo
