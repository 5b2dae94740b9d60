// What one write may do to an order, seen against the picture of it.
#include <algorithm>

#include "schema/context.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

// ---- what is undone ----------------------------------------------------------------------------

/// At the end: all that was done is undone. What was done is also what nobody recorded: every
/// execution that began and of which no handler said that it failed.
void Checker::check_undone(const OrderId& id, const Story& order) const {
  for (const auto& spot : order.spots()) {
    const auto [step, branch] = spot;
    if (order.pipeline->steps[step].compensate.empty()) continue;
    if (order.undone.contains(spot) || order.skipped.contains(spot)) continue;
    const std::string what = "leaves step " + std::to_string(step) + "/" + std::to_string(branch);
    if (order.must_undo(spot)) fail("the end undoes", id, what);
    auto executions = ledger.executions_of({id, step, branch, TaskKind::kForward});
    for (auto& one : ledger.executions_of({id, step, branch, TaskKind::kFallback})) {
      executions.push_back(std::move(one));
    }
    for (const auto& one : executions) {
      const bool has_failed =
          one.outcome == Outcome::kTransient || one.outcome == Outcome::kPermanent;
      if (has_failed || one.outcome == Outcome::kSnooze) continue;
      fail("what may have been done is undone", id, what + ", begun under " + describe(one.fence));
    }
  }
}

/// One write of one order, as it changed the tables.
class Checker::OneWrite {
  using Spot = Story::Spot;

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
    if (event.kind == EventKind::kRestored) story_.is_restored = is_restoring_ = true;
    if (event.kind == EventKind::kMerged) merges(event);
    story_.is_cancelled = story_.is_cancelled || event.kind == EventKind::kCancelRequested;
    if (event.step) task_event(event, {event.order, *event.step, event.branch, event.task_kind});
  }

  void task_event(const EventRow& event, const TaskKey& key) {
    if (event.kind == EventKind::kFannedOut) return fans_out(event);
    if (event.attempt == 0 && event.kind == EventKind::kSkipped) return skips_unopened(event);
    if (event.attempt == 0 && event.kind == EventKind::kFailed) return fails_unopened(event);
    if (event.attempt == 0 && event.kind == EventKind::kParked) return parks_unopened(event);
    check_defeat(event);
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
      story_.cut.insert({key.step, key.branch});
      if (event.attempt == 0) return;  // none was running
    }
    if (event.kind == EventKind::kSucceeded) {
      checker_.ledger.check_recorded(key, event.attempt, view(event.detail));
      if (const auto brought = get_context(event.note, "context")) {
        story_.context = merge_context(story_.context, *brought).value_or(story_.context);
      }
    }
    if (event.kind == EventKind::kFellBack) story_.fell_back.insert({key.step, key.branch});
    const bool is_taken = event.kind == EventKind::kSignalled;
    if (is_taken) takes_signal(event, key);
    const bool ends_step =
        event.kind == EventKind::kSucceeded || is_taken || event.kind == EventKind::kSkipped ||
        event.kind == EventKind::kOperatorSkip || event.kind == EventKind::kOperatorComplete;
    if (ends_step && !ends(event, key)) {
      broken("one result per task", "records " + describe(key) + " twice");
    }
    const bool is_early = is_taken && SignalBook::deletes_any(write_);
    if (ends_step && !removed_.contains(key) && !is_early) {
      broken("the row is the token", "records " + describe(key) + " without taking its row");
    }
    if (is_operator || event.attempt == 0) return;  // of no attempt
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
    if (key.kind == TaskKind::kCompensate)
      return story_.undone.insert({key.step, key.branch}).second;
    const bool is_skipped =
        event.kind == EventKind::kOperatorSkip || event.kind == EventKind::kSkipped;
    if (is_skipped) story_.skipped.insert({key.step, key.branch});
    if (story_.pipeline->steps[key.step].irreversible && !is_skipped && !story_.is_ending) {
      story_.is_one_way = true;
    }
    return story_.done.emplace(Spot(key.step, key.branch), view(event.detail)).second;
  }

  /// Of a row that waits or is parked, or in the moment in which the step opens.
  void takes_signal(const EventRow& event, const TaskKey& key) {
    if (story_.pipeline->steps[key.step].wait != get_text(event.note, "signal")) {
      broken("a signal is for who waits for it", describe(key) + " " + event.note);
    }
    operated_.insert(key);
    if (is_restoring_) {
      story_.opened.insert({key.step, key.branch});
    } else if (!removed_.contains(key)) {
      opens({key.step, key.branch});
    }
    if (const auto brought = get_context(event.note, "context")) {
      story_.context = merge_context(story_.context, *brought).value_or(story_.context);
    }
  }

  /// What the submit of a restored order brought, once.
  void merges(const EventRow& event) {
    if (!story_.is_restored || story_.merged) {
      broken("a late original is merged once", event.note);
    }
    story_.merged = view(event.detail);
  }

  /// Before the step that the order was restored with.
  [[nodiscard]] bool is_restored_before(StepIndex step) const {
    const auto proven = story_.pipeline->find(story_.pipeline->restore);
    return is_restoring_ && proven && step != *proven && story_.comes_after(*proven, step);
  }

  void fans_out(const EventRow& event) {
    const StepIndex step = *event.step;
    const std::size_t count = list_elements(view(event.detail)).size();
    if (story_.branches.contains(step)) broken("a step fans out once", describe_step(step));
    if (!story_.may_open({step, 0}) || !story_.condition_holds(step)) {
      broken("predecessors first", "fans out " + describe_step(step));
    }
    if (count != story_.list_size(step)) {
      broken("a branch an element", describe_step(step) + " has " + std::to_string(count));
    }
    story_.fan_out(step, count);
  }

  void skips_unopened(const EventRow& event) {
    const StepIndex step = *event.step;
    const Step& definition = story_.pipeline->steps[step];
    const auto reason = get_text(event.note, "reason");
    const bool may_open = story_.may_open({step, 0}) && !story_.opened.contains({step, 0});
    bool may = false;
    if (reason == "timeout") {
      may = waited(step) && (definition.optional || definition.on_timeout != OnTimeout::kFail);
      if (const auto target = story_.pipeline->find(definition.on_timeout_step)) {
        story_.taken.insert(*target);
        jumped_ = step;
      }
    } else if (reason == "bypassed") {
      may = jumped_ && step != *story_.pipeline->find(to_of(*jumped_)) && comes_after_wait(step);
    } else if (reason == "not_taken") {
      may = story_.is_detour(step) ? story_.is_detour_over(step) : story_.is_dead(step);
    } else if (reason == "restored") {
      may = is_restored_before(step);
    } else if (reason == "when") {
      may = may_open && !story_.condition_holds(step);
    } else {
      may = may_open && definition.optional && !story_.list_size(step);
    }
    const bool is_open = reason != "timeout" && story_.opened.contains({step, 0});
    if (!may || is_open || story_.done.contains({step, 0})) {
      broken("a step is skipped for a reason", describe_step(step) + " " + event.note);
    }
    story_.done.emplace(Spot(step, 0), "");
    story_.skipped.insert({step, 0});
  }

  /// A step of the order waited for a signal until this write.
  [[nodiscard]] bool waited(StepIndex step) const {
    const auto row = removed_.find({write_.order, step, 0, TaskKind::kForward});
    return row != removed_.end() && row->second.state == TaskState::kWaiting;
  }

  [[nodiscard]] const std::string& to_of(StepIndex wait) const {
    return story_.pipeline->steps[wait].on_timeout_step;
  }

  [[nodiscard]] bool comes_after_wait(StepIndex step) const {
    const StepIndex target = *story_.pipeline->find(to_of(*jumped_));
    return story_.comes_after(step, *jumped_) && !story_.comes_after(step, target);
  }

  void fails_unopened(const EventRow& event) const {
    const StepIndex step = *event.step;
    const Step& definition = story_.pipeline->steps[step];
    const bool may_end = !definition.optional && !definition.async && !story_.is_one_way;
    if (waited(step) && definition.on_timeout == OnTimeout::kFail && may_end) return;
    if (story_.pipeline->steps[step].each.empty() || story_.list_size(step)) {
      broken("a step fails for a reason", describe_step(step) + " " + event.note);
    }
  }

  void parks_unopened(const EventRow& event) {
    const StepIndex step = *event.step;
    const Step& definition = story_.pipeline->steps[step];
    const bool may = (definition.async || story_.is_one_way) && !definition.optional;
    if (may && waited(step) && definition.on_timeout == OnTimeout::kFail) return;
    if (!may || definition.each.empty() || story_.list_size(step)) {
      broken("a step parks for a reason", describe_step(step) + " " + event.note);
    }
    unopened_.insert(step);
  }

  /// What a task that is not tried again comes to is what its pipeline says.
  void check_defeat(const EventRow& event) const {
    if (event.task_kind == TaskKind::kCompensate || story_.is_ending) return;
    const Step& step = story_.pipeline->steps[*event.step];
    const bool may_fall_back = !step.fallback.empty() && event.task_kind == TaskKind::kForward &&
                               get_text(event.note, "reason") != "poisoned";
    const bool is_given_up = event.kind == EventKind::kFailed || event.kind == EventKind::kParked;
    if ((is_given_up && (step.optional || may_fall_back)) ||
        (event.kind == EventKind::kFailed && step.async) ||
        (event.kind == EventKind::kSkipped && !step.optional) ||
        (event.kind == EventKind::kFellBack && !may_fall_back)) {
      broken(
          "a step fails as its pipeline says",
          describe_step(*event.step) + " " + std::string(to_string(event.kind)) + " " + event.note);
    }
  }

  static std::string describe_step(StepIndex step) { return "step " + std::to_string(step); }

  /// Only a grant of an earlier epoch, which nobody knows the end of, may be counted with it.
  void check_held(const TaskRow& row, const Story::Row& old) const {
    const bool is_later = row.seq >> 40 != old.seq >> 40;
    if (row.failures == old.failures && (row.attempt == old.attempt || is_later)) return;
    broken("what is held burns nothing", describe(row.key) + " is held after an attempt");
  }

  void insert(const Change& change) {
    const auto* task = std::get_if<InsertTask>(&change);
    const auto* deferred = std::get_if<InsertDeferred>(&change);
    if (task == nullptr && deferred == nullptr) return;
    const TaskRow& row = task != nullptr ? task->row : deferred->row.task;
    const TaskKey& key = row.key;
    if (is_final(before_) && !story_.goes_on(key.step)) {
      broken("an ended order stays ended", "gets a row " + describe(key));
    }
    const TaskState state = task != nullptr ? TaskState::kReady : deferred->row.state;
    if (!story_.rows.emplace(key, Story::Row{row.attempt, row.seq, state, row.maybe, row.failures})
             .second) {
      broken("one row per task", "has " + describe(key) + " twice");
    }
    if (key.kind == TaskKind::kDeadline) return;
    const auto old = removed_.find(key);
    if (state == TaskState::kHeld && old != removed_.end()) check_held(row, old->second);
    if (old == removed_.end()) {
      if (key.kind == TaskKind::kCompensate) {
        undoes({key.step, key.branch});
      } else if (key.kind == TaskKind::kForward) {
        opens({key.step, key.branch});
      } else if (!story_.fell_back.contains({key.step, key.branch})) {
        broken("a fallback comes after a failure", "gets a row " + describe(key));
      }
    } else if (row.attempt < old->second.attempt) {
      broken("attempts grow",
             describe(key) + " goes back to attempt " + std::to_string(row.attempt));
    }
    const auto* grant = checker_.ledger.grant(key);
    const std::uint32_t granted = grant != nullptr ? grant->current.attempt : 0;
    const bool is_written_out = state == TaskState::kHeld && row.maybe;  // looked at above
    if (row.attempt > granted && row.attempt != old_attempt(key) && state != TaskState::kParked &&
        !is_written_out) {
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
  void undoes(const Spot& spot) {
    const auto name = [](const Spot& one) {
      return std::to_string(one.first) + "/" + std::to_string(one.second);
    };
    const std::string what = "undoes step " + name(spot);
    if (!story_.is_ending) broken("only an ending order is undone", what);
    if (story_.owes_forward()) broken("finish first, then undo", what);
    if (!story_.must_undo(spot)) broken("only what was done is undone", what);
    if (story_.undone.contains(spot)) broken("a step is undone once", what + " again");
    if (const auto first = story_.undone_first(spot)) {
      broken("undone in reverse order", what + " before " + name(*first));
    }
  }

  void opens(const Spot& spot) {
    const std::string name = describe_step(spot.first) + "/" + std::to_string(spot.second);
    if (story_.is_ending) broken("an ending order opens nothing", name);
    if (story_.done.contains(spot)) broken("a done step stays done", "opens " + name);
    if (!story_.opened.insert(spot).second) broken("a step opens once", "opens " + name + " again");
    if (!story_.may_open(spot)) {
      broken("predecessors first", "opens " + name + " before what it comes after is done");
    }
    if (!story_.is_chained(spot.first) && !story_.condition_holds(spot.first)) {
      broken("conditions hold", "opens " + name);
    }
    const auto fanned = story_.branches.find(spot.first);
    const std::size_t count = fanned == story_.branches.end() ? 1 : fanned->second;
    const bool fans_out =
        !story_.pipeline->steps[spot.first].each.empty() && !unopened_.contains(spot.first);
    if (spot.second >= count || (fans_out && fanned == story_.branches.end())) {
      broken("a branch an element", "opens " + name);
    }
  }

  void check_parked_left() const {
    for (const auto& [key, row] : removed_) {
      const bool ends = story_.is_ending && key.kind != TaskKind::kCompensate;
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
    const auto spot = story_.forgotten();
    if (spot && !story_.is_ending && (!is_final(story_.status) || story_.goes_on(spot->first))) {
      broken("what may open opens",
             describe_step(spot->first) + "/" + std::to_string(spot->second));
    }
    if (is_final(story_.status)) {
      for (const auto& [key, row] : story_.rows) {
        if (key.kind != TaskKind::kDeadline && story_.goes_on(key.step)) continue;
        broken("an ended order owes nothing", "has " + describe(key));
      }
      if (story_.status == OrderStatus::kSucceeded && !story_.is_complete()) {
        broken("success is complete", "succeeded with steps open");
      }
      return;
    }
    if (const auto left = story_.left_done(); left && story_.is_ending) {
      broken("what may be undone is undone",
             describe_step(left->first) + "/" + std::to_string(left->second));
    }
    if (!story_.is_ending && story_.is_complete()) {
      broken("the end waits for nothing async", "is " + std::string(to_string(story_.status)));
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
  std::map<TaskKey, Story::Row> removed_;
  std::set<TaskKey> operated_;
  bool is_restoring_ = false;        ///< the order is rebuilt by this write
  std::optional<StepIndex> jumped_;  ///< a wait whose timeout leads to another step
  std::set<StepIndex> unopened_;     ///< parked because their list cannot be fanned out
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
      it->second.context = order->row.context;
      if (it->second.pipeline == nullptr) fail("pipelines first", order->row.id, "has none");
      signals.check_started(order->row);
    }
  }
  if (write.order.is_zero()) return;
  const auto it = stories_.find(write.order);
  if (it == stories_.end()) {
    const bool is_kept =
        std::all_of(write.changes.begin(), write.changes.end(), [](const Change& change) {
          return std::holds_alternative<InsertSignal>(change) ||
                 std::holds_alternative<DeleteSignal>(change);
        });
    if (!is_kept) fail("orders first", write.order, "is written to but not there");
    return signals.check(write, nullptr, false);
  }
  OneWrite(*this, write, it->second).run();
  signals.check(write, it->second.pipeline, it->second.is_over());
}

}  // namespace ordo::sim
