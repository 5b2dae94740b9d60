// What one write may do to an order, seen against the picture of it.
#include <algorithm>

#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

// ---- what is undone ----------------------------------------------------------------------------

bool Checker::must_undo(const Story& order, StepIndex step) {
  if (order.pipeline->steps[step].compensate.empty()) return false;
  return order.cut.contains(step) || (order.done.contains(step) && !order.skipped.contains(step));
}

bool Checker::comes_after(const Pipeline& pipeline, StepIndex later, StepIndex earlier) {
  if (later == earlier) return true;
  const auto& after = pipeline.steps[later].after;
  return std::any_of(after.begin(), after.end(),
                     [&](StepIndex one) { return comes_after(pipeline, one, earlier); });
}

/// At the end: all that was done is undone. What was done is also what nobody recorded: every
/// execution that began and of which no handler said that it failed.
void Checker::check_undone(const OrderId& id, const Story& order) const {
  for (StepIndex step = 0; step < order.pipeline->steps.size(); ++step) {
    if (order.pipeline->steps[step].compensate.empty()) continue;
    if (order.undone.contains(step) || order.skipped.contains(step)) continue;
    if (must_undo(order, step)) fail("the end undoes", id, "leaves step " + std::to_string(step));
    for (const auto& one : ledger.executions_of({id, step, 0, TaskKind::kForward})) {
      const bool has_failed =
          one.outcome == Outcome::kTransient || one.outcome == Outcome::kPermanent;
      if (has_failed || one.outcome == Outcome::kSnooze) continue;
      fail("what may have been done is undone", id,
           "leaves step " + std::to_string(step) + ", begun under " + describe(one.fence));
    }
  }
}

/// One write of one order, as it changed the tables.
class Checker::OneWrite {
 public:
  OneWrite(Checker& checker, const StoreWrite& write, Story& story)
      : checker_(checker), write_(write), story_(story), before_(story.status) {}

  void run() {
    for (const Change& change : write_.changes) remove(change);
    for (const Change& change : write_.changes) append(change);
    for (const Change& change : write_.changes) insert(change);
    if (is_final(story_.status) && story_.is_ending) checker_.check_undone(write_.order, story_);
    check_parked_left();
    check_shape();
  }

 private:
  [[noreturn]] void broken(const char* check, const std::string& what) const {
    fail(check, write_.order, what);
  }

  void remove(const Change& change) {
    const auto* task = std::get_if<DeleteTask>(&change);
    const auto* deferred = std::get_if<DeleteDeferred>(&change);
    if (task == nullptr && deferred == nullptr) return;
    const TaskKey& key = task != nullptr ? task->key : deferred->key;
    const auto it = story_.rows.find(key);
    if (it == story_.rows.end()) broken("tables and picture agree", "deletes " + describe(key));
    removed_.emplace(key, it->second);
    story_.rows.erase(it);
  }

  void append(const Change& change) {
    const auto* appended = std::get_if<AppendEvent>(&change);
    if (appended == nullptr) return;
    const EventRow& event = appended->row;
    if (event.seq <= story_.last_seq) {
      broken("events ascend",
             "seq " + std::to_string(event.seq) + " after " + std::to_string(story_.last_seq));
    }
    story_.last_seq = event.seq;
    if (event.status) {
      if (is_final(story_.status)) {
        broken("a final status absorbs", "goes from " + std::string(to_string(story_.status)) +
                                             " to " + std::string(to_string(*event.status)));
      }
      story_.status = *event.status;
      const bool ends = *event.status == OrderStatus::kCompensating ||
                        *event.status == OrderStatus::kFailed ||
                        *event.status == OrderStatus::kCancelled;
      if (ends && !story_.is_ending && story_.is_one_way) {
        broken("what cannot be undone goes forward", "begins to end");
      }
      story_.is_ending = story_.is_ending || ends;
      story_.was_parked = story_.was_parked || *event.status == OrderStatus::kParked;
    }
    story_.is_cancelled = story_.is_cancelled || event.kind == EventKind::kCancelRequested;
    if (event.step) task_event(event, {event.order, *event.step, event.branch, event.task_kind});
  }

  void task_event(const EventRow& event, const TaskKey& key) {
    const bool is_operator =
        event.kind == EventKind::kOperatorRetry || event.kind == EventKind::kOperatorSkip ||
        event.kind == EventKind::kOperatorComplete || event.kind == EventKind::kOperatorCompensate;
    if (is_operator) operated_.insert(key);
    if (event.kind == EventKind::kCut) {
      // Only of a row of its own epoch does an owner know that nobody has had it.
      const auto row = removed_.find(key);
      const auto epoch = checker_.databases_.at(key.order.shard())->epoch();
      const bool is_known =
          row != removed_.end() && (row->second.seq >> 40) == epoch && !row->second.maybe;
      if (is_known && checker_.ledger.grant(key) == nullptr) {
        broken("only what was given out is cut", "cuts " + describe(key));
      }
      story_.cut.insert(key.step);
      if (event.attempt == 0) return;  // none was running
    }
    if (event.kind == EventKind::kSucceeded) {
      checker_.ledger.check_recorded(key, event.attempt, view(event.detail));
    }
    const bool ends_step = event.kind == EventKind::kSucceeded ||
                           event.kind == EventKind::kOperatorSkip ||
                           event.kind == EventKind::kOperatorComplete;
    if (ends_step && !ends(event, key)) {
      broken("one result per task", "records " + describe(key) + " twice");
    }
    if (ends_step && !removed_.contains(key)) {
      broken("the row is the token", "records " + describe(key) + " without taking its row");
    }
    if (is_operator) return;
    story_.ended.emplace(key, event.attempt);
    if (event.kind == EventKind::kLateResult) return;
    std::uint32_t& last = story_.last_ended[key];
    if (event.attempt <= last) {
      broken("attempts grow", describe(key) + " ends attempt " + std::to_string(event.attempt) +
                                  " after " + std::to_string(last));
    }
    last = event.attempt;
  }

  /// A task ended well; false where it had before.
  bool ends(const EventRow& event, const TaskKey& key) {
    if (key.kind == TaskKind::kCompensate) return story_.undone.insert(key.step).second;
    const bool is_skipped = event.kind == EventKind::kOperatorSkip;
    if (is_skipped) story_.skipped.insert(key.step);
    if (story_.pipeline->steps[key.step].irreversible && !is_skipped && !story_.is_ending) {
      story_.is_one_way = true;
    }
    return story_.done.emplace(key.step, view(event.detail)).second;
  }

  void insert(const Change& change) {
    const auto* task = std::get_if<InsertTask>(&change);
    const auto* deferred = std::get_if<InsertDeferred>(&change);
    if (task == nullptr && deferred == nullptr) return;
    const TaskRow& row = task != nullptr ? task->row : deferred->row.task;
    const TaskKey& key = row.key;
    if (is_final(before_)) broken("an ended order stays ended", "gets a row " + describe(key));
    const TaskState state = task != nullptr ? TaskState::kReady : deferred->row.state;
    if (!story_.rows.emplace(key, Row{row.attempt, row.seq, state, row.maybe}).second) {
      broken("one row per task", "has " + describe(key) + " twice");
    }
    if (key.kind == TaskKind::kDeadline) return;
    const auto old = removed_.find(key);
    if (old == removed_.end()) {
      if (key.kind == TaskKind::kCompensate) {
        undoes(key.step);
      } else {
        opens(key.step);
      }
    } else if (row.attempt < old->second.attempt) {
      broken("attempts grow",
             describe(key) + " goes back to attempt " + std::to_string(row.attempt));
    }
    const auto* grant = checker_.ledger.grant(key);
    const std::uint32_t granted = grant != nullptr ? grant->current.attempt : 0;
    if (row.attempt > granted && row.attempt != old_attempt(key) && state != TaskState::kParked) {
      broken("attempts are grants", describe(key) + " has ended attempt " +
                                        std::to_string(row.attempt) + ", but was granted " +
                                        std::to_string(granted));
    }
  }

  [[nodiscard]] std::uint32_t old_attempt(const TaskKey& key) const {
    const auto old = removed_.find(key);
    return old == removed_.end() ? 0 : old->second.attempt;
  }

  /// The order of compensations, from the definition alone: nothing may still be done, the step
  /// was done (or may have been), and whatever hangs on it and was done is undone.
  void undoes(StepIndex step) {
    const std::string what = "undoes step " + std::to_string(step);
    if (!story_.is_ending) broken("only an ending order is undone", what);
    for (const auto& [key, row] : story_.rows) {
      if (key.kind == TaskKind::kForward) broken("finish first, then undo", what);
    }
    if (!must_undo(story_, step)) broken("only what was done is undone", what);
    if (story_.undone.contains(step)) broken("a step is undone once", what + " again");
    for (StepIndex other = 0; other < story_.pipeline->steps.size(); ++other) {
      if (other == step || !comes_after(*story_.pipeline, other, step)) continue;
      if (must_undo(story_, other) && !story_.undone.contains(other)) {
        broken("undone in reverse order", what + " before " + std::to_string(other));
      }
    }
  }

  void opens(StepIndex step) {
    if (story_.is_ending) broken("an ending order opens nothing", std::to_string(step));
    if (story_.done.contains(step))
      broken("a done step stays done", "opens step " + std::to_string(step));
    if (!story_.opened.insert(step).second) {
      broken("a step opens once", "opens step " + std::to_string(step) + " again");
    }
    for (const StepIndex before : story_.pipeline->steps[step].after) {
      if (!story_.done.contains(before)) {
        broken("predecessors first", "opens step " + std::to_string(step) + " before " +
                                         std::to_string(before) + " is done");
      }
    }
  }

  void check_parked_left() const {
    for (const auto& [key, row] : removed_) {
      const bool ends = story_.is_ending && key.kind == TaskKind::kForward;
      if (row.state != TaskState::kParked || ends || operated_.contains(key)) continue;
      broken("parked tasks leave by an operator", describe(key) + " left on its own");
    }
  }

  void check_shape() const {
    const bool has_parked =
        std::any_of(story_.rows.begin(), story_.rows.end(),
                    [](const auto& row) { return row.second.state == TaskState::kParked; });
    const auto rows = std::count_if(story_.rows.begin(), story_.rows.end(), [](const auto& row) {
      return row.first.kind != TaskKind::kDeadline;
    });
    if (is_final(story_.status)) {
      if (!story_.rows.empty()) broken("an ended order owes nothing", "has rows left");
      if (story_.status == OrderStatus::kSucceeded &&
          story_.done.size() != story_.pipeline->steps.size()) {
        broken("success is complete", "succeeded with steps open");
      }
      return;
    }
    if (rows == 0) broken("an open order owes something", "has no task left and has not ended");
    if (has_parked != (story_.status == OrderStatus::kParked)) {
      broken("status shows parked tasks", "is " + std::string(to_string(story_.status)) + " with " +
                                              (has_parked ? "a" : "no") + " parked task");
    }
  }

  Checker& checker_;
  const StoreWrite& write_;
  Story& story_;
  OrderStatus before_;
  std::map<TaskKey, Row> removed_;
  std::set<TaskKey> operated_;
};

void Checker::apply(const StoreWrite& write) {
  for (const Change& change : write.changes) {
    if (const auto* put = std::get_if<PutPipeline>(&change)) {
      if (pipelines_.contains(put->row.id)) continue;
      auto parsed = parse_pipeline(put->row.source);
      if (!parsed) throw Violation("pipelines are valid", put->row.source);
      pipelines_.emplace(put->row.id, std::move(*parsed));
    } else if (const auto* order = std::get_if<InsertOrder>(&change)) {
      auto [it, is_new] = stories_.try_emplace(order->row.id);
      if (!is_new) fail("one order per id", order->row.id, "is inserted twice");
      it->second.payload = view(order->row.payload);
      it->second.pipeline = pipeline(order->row.pipeline);
      if (it->second.pipeline == nullptr) fail("pipelines first", order->row.id, "has none");
    }
  }
  if (write.order.is_zero()) return;
  const auto it = stories_.find(write.order);
  if (it == stories_.end()) fail("orders first", write.order, "is written to but not there");
  OneWrite(*this, write, it->second).run();
}

}  // namespace ordo::sim
