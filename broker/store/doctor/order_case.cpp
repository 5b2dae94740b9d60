#include "broker/store/doctor/order_case.hpp"

#include <algorithm>
#include <utility>

#include "broker/store/doctor/order_repairs.hpp"

namespace ordo::doctor {
namespace {

bool is_final_word(std::string_view word) {
  const auto status = from_word<OrderStatus, kOrderStatuses>(word);
  return status && ordo::is_final(*status);
}

/// Kinds that a step's end is recorded with, once. A skip of the engine ends one too.
bool is_record(std::string_view kind) {
  return kind == to_string(EventKind::kSucceeded) || kind == to_string(EventKind::kSignalled) ||
         kind == to_string(EventKind::kOperatorComplete) ||
         kind == to_string(EventKind::kOperatorSkip);
}
bool is_end(std::string_view kind) {
  return is_record(kind) || kind == to_string(EventKind::kSkipped);
}

/// Forward tasks and their fallbacks carry the order on; the others undo it or end it.
bool is_forward(int task_kind) { return task_kind == 0 || task_kind == 3; }

}  // namespace

std::uint64_t OrderCase::key_of(int step, int branch, int kind) {
  return (static_cast<std::uint64_t>(step) << 24) | (static_cast<std::uint64_t>(branch) << 8) |
         static_cast<std::uint64_t>(kind);
}

const OrderCase::Trace& OrderCase::trace(int step, int branch, int kind) const {
  static const Trace kNothing;
  const auto found = traces_.find(key_of(step, branch, kind));
  return found == traces_.end() ? kNothing : found->second;
}

void OrderCase::start(std::string id, int priority, const Version* version) {
  id_ = std::move(id);
  priority_ = priority;
  version_ = version;
  rows_.clear();
  traces_.clear();
  done_.reset();
  seen_.reset();
  early_.reset();
  effective_ = undone_ = undoing_ = undo_early_ = BranchSet{};
  status_ = "running";
  final_.clear();
  finals_ = changes_after_final_ = owed_ = parked_ = 0;
  unknown_step_ = -1;
  is_cancelled_ = is_rebuilt_ = is_ending_ = false;
  alive_.reset();
  parked_row_.reset();
}

bool OrderCase::has_step(int step) const {
  return step >= 0 && static_cast<std::size_t>(step) < version_->steps();
}

std::string OrderCase::name_of(int step) const {
  return "`" + version_->pipeline.steps[static_cast<std::size_t>(step)].name + "`";
}

/// A step before this one that nothing says is done.
std::optional<StepIndex> OrderCase::missing_before(int step) const {
  const auto place = static_cast<std::size_t>(step);
  if (is_rebuilt_ || version_->has_other_door[place]) return std::nullopt;
  for (const StepIndex before : version_->pipeline.steps[place].after) {
    // A fan-out over an empty list is done without a word.
    if (!done_.test(before) && version_->pipeline.steps[before].each.empty()) return before;
  }
  return std::nullopt;
}

void OrderCase::see(const SeenEvent& event) {
  is_cancelled_ = is_cancelled_ || event.kind == to_string(EventKind::kCancelRequested);
  is_rebuilt_ = is_rebuilt_ || event.kind == "restored";
  if (!event.status.empty()) see_status(event);
  if (event.step && version_ != nullptr) see_step(event);
}

void OrderCase::see_status(const SeenEvent& event) {
  if (is_final_word(event.status)) {
    ++finals_;
    if (final_.empty()) final_ = event.status;
  } else if (is_final()) {
    ++changes_after_final_;
  }
  is_ending_ = is_ending_ || event.status == to_string(OrderStatus::kCompensating);
  status_ = event.status;
}

void OrderCase::see_step(const SeenEvent& event) {
  const int step = *event.step;
  if (!has_step(step)) {
    unknown_step_ = step;
    return;
  }
  Trace& known = traces_[key_of(step, event.branch, event.task_kind)];
  known.attempt = std::max(known.attempt, event.attempt);
  if (is_record(event.kind)) ++known.done;
  // A late result is evidence of somebody else's attempt, a retry may be one of ours: neither says
  // that the step has run.
  if (event.kind == to_string(EventKind::kLateResult) || event.kind == kRepairEvent) return;
  if (event.task_kind == 1) return see_undo(event);
  const auto place = static_cast<std::size_t>(step);
  if (!is_forward(event.task_kind)) return;
  if (!seen_.test(place)) {
    seen_.set(place);
    if (missing_before(step)) early_.set(place);
  }
  if (is_end(event.kind)) done_.set(place);
  const bool is_skip = event.kind == to_string(EventKind::kOperatorSkip);
  if (event.kind == to_string(EventKind::kCut) || (is_record(event.kind) && !is_skip))
    mark(effective_, step, event.branch);
}

void OrderCase::see_undo(const SeenEvent& event) {
  const auto step = static_cast<StepIndex>(*event.step);
  const auto branch = static_cast<BranchIndex>(event.branch);
  if (!undoing_.test(step, branch) && has_to_wait(step, branch)) mark(undo_early_, step, branch);
  mark(undoing_, step, branch);
  if (is_record(event.kind)) mark(undone_, step, branch);
}

/// How many branches a step has is not looked up: as many as something was said of.
void OrderCase::mark(BranchSet& set, int step, int branch) const {
  const auto place = static_cast<StepIndex>(step);
  const bool has_branches = !version_->pipeline.steps[place].each.empty();
  set.set(place, static_cast<BranchIndex>(branch),
          has_branches ? static_cast<std::size_t>(branch) + 1 : 0);
}

std::string OrderCase::name_of(StepIndex step, BranchIndex branch) const {
  const bool has_branches = !version_->pipeline.steps[step].each.empty();
  return name_of(step) + (has_branches ? " branch " + std::to_string(branch) : "");
}

/// What had its effect (or may have) and is not undone.
BranchSet OrderCase::to_undo() const {
  BranchSet left = effective_;
  left.keep_steps(version_->compensated);
  left.remove(undone_);
  return left;
}

/// Whether a step after this one has to be undone first: of its own chain only the same branch.
bool OrderCase::has_to_wait(StepIndex step, BranchIndex branch) const {
  bool waits = false;
  to_undo().for_each([&](StepIndex other, BranchIndex its) {
    const bool is_after = version_->ancestors[other].test(step);
    waits = waits || (is_after && (!version_->is_one_chain(step, other) || its == branch));
  });
  return waits;
}

Finding OrderCase::finding(const Kind& kind, std::string sentence, Repair repair) const {
  return {.kind = kind,
          .shard = shard_,
          .order = id_,
          .sentence = std::move(sentence),
          .repair = std::move(repair)};
}

void OrderCase::judge(const Circumstances& circumstances, std::vector<Finding>& findings) {
  if (version_ == nullptr) return;  // told once, of the pipeline
  shard_ = circumstances.shard;
  judge_history(findings);
  judge_rows(circumstances, findings);
  judge_status(findings);
}

void OrderCase::judge_history(std::vector<Finding>& findings) const {
  const auto by_hand = [](std::string text) { return Repair{.by_hand = std::move(text)}; };
  if (unknown_step_ >= 0) {
    findings.push_back(finding(
        kStepUnknown,
        "an event names step " + std::to_string(unknown_step_) + "; its pipeline has " +
            std::to_string(version_->steps()) + " steps",
        by_hand("history is not rewritten; look who wrote into `event` beside the broker")));
  }
  if (finals_ > 1) {
    findings.push_back(finding(
        kFinalTwice, "it ended " + std::to_string(finals_) + " times; the first as " + final_,
        by_hand("history is not rewritten; compare with what the client was told")));
  }
  if (changes_after_final_ > 0) {
    findings.push_back(
        finding(kFinalChanged, "it ended as " + final_ + ", and a later event says " + status_,
                by_hand("history is not rewritten; submit what is still wanted as a new order")));
  }
  for (std::size_t step = 0; step < version_->steps(); ++step) {
    if (!early_.test(step)) continue;
    findings.push_back(finding(
        kStepEarly,
        "step " + name_of(static_cast<int>(step)) + " ran before what it comes after was done",
        by_hand("it has run: see whether its effect stands without what comes before it")));
  }
  judge_undoing(findings);
  std::vector<std::uint64_t> twice;
  for (const auto& [key, known] : traces_) {
    if (known.done > 1) twice.push_back(key);
  }
  std::sort(twice.begin(), twice.end());
  for (const std::uint64_t key : twice) {
    findings.push_back(finding(
        kStepTwice,
        "step " + name_of(static_cast<int>(key >> 24)) + " is recorded " +
            std::to_string(traces_.at(key).done) + " times",
        by_hand("compare its effects with the order (the effect key is the same for both) and "
                "take one back")));
  }
}

void OrderCase::judge_undoing(std::vector<Finding>& findings) const {
  undo_early_.for_each([&](StepIndex step, BranchIndex branch) {
    findings.push_back(finding(
        kStepEarly, "step " + name_of(step, branch) + " was undone before what comes after it was",
        {.by_hand = "see whether the effects of the steps after it were undone all the same"}));
  });
  if (!is_final() || final_ == to_string(OrderStatus::kSucceeded)) return;
  to_undo().for_each([&](StepIndex step, BranchIndex branch) {
    findings.push_back(finding(
        kNotUndone,
        "it has ended as " + final_ + ", and step " + name_of(step, branch) + " was not undone",
        {.by_hand = "undo its effect by hand (`" + version_->pipeline.steps[step].compensate +
                    "`): an order that has ended does not go on"}));
  });
}

/// The rows without those that are in both tables: of two the later one is what is owed.
std::vector<OwedRow> OrderCase::without_doubles(std::vector<Finding>& findings) const {
  std::vector<OwedRow> kept;
  for (const OwedRow& row : rows_) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const OwedRow& one) {
      return one.step == row.step && one.branch == row.branch && one.kind == row.kind;
    });
    if (same == kept.end()) {
      kept.push_back(row);
      continue;
    }
    OwedRow old = *same;
    if (old.seq > row.seq) {
      old = row;
    } else {
      *same = row;
    }
    findings.push_back(
        finding(kRowTwice,
                "the task of step " + std::to_string(row.step) +
                    " has a row in `task` and one in `deferred`; the one in `" + same->table() +
                    "` is the later",
                {.statements = {delete_row({old.table(), id_, old.step, old.branch, old.kind}),
                                append_event({.order = id_,
                                              .kind = kRepairEvent,
                                              .step = old.step,
                                              .branch = old.branch,
                                              .task_kind = old.kind,
                                              .word = kRowTwice.word})}}));
  }
  return kept;
}

void OrderCase::judge_rows(const Circumstances& circumstances, std::vector<Finding>& findings) {
  for (const OwedRow& row : without_doubles(findings)) judge_row(row, circumstances, findings);
}

bool OrderCase::is_done(const OwedRow& row) const {
  return !row.is_deadline() && trace(row.step, row.branch, row.kind).done > 0;
}

/// Whether the row must go, because it is of nothing that is still to be done.
bool OrderCase::judge_done(const OwedRow& row, std::vector<Finding>& findings) const {
  const RowName name{row.table(), id_, row.step, row.branch, row.kind};
  const auto gone = [&](const Kind& kind) {
    return Repair{.statements = {delete_row(name), append_event({.order = id_,
                                                                 .kind = kRepairEvent,
                                                                 .step = row.step,
                                                                 .branch = row.branch,
                                                                 .task_kind = row.kind,
                                                                 .word = kind.word})}};
  };
  const std::string where = std::string(" has a row in `") + row.table() + "`";
  if (!row.is_deadline() && !has_step(row.step)) {
    findings.push_back(finding(kStepUnknown,
                               "step " + std::to_string(row.step) + where + "; its pipeline has " +
                                   std::to_string(version_->steps()) + " steps",
                               {.statements = {delete_row(name)}}));
    return true;
  }
  if (is_done(row)) {
    findings.push_back(finding(kTaskRecorded,
                               "step " + name_of(row.step) + " is recorded, and its task" + where,
                               gone(kTaskRecorded)));
    return true;
  }
  const bool is_async =
      !row.is_deadline() && version_->is_async[static_cast<std::size_t>(row.step)];
  if (is_final() && !is_async) {
    const std::string what = row.is_deadline() ? "its deadline" : "step " + name_of(row.step);
    findings.push_back(finding(kFinalOwed, "it has ended as " + final_ + ", and " + what + where,
                               gone(kFinalOwed)));
    return true;
  }
  return false;
}

void OrderCase::judge_row(const OwedRow& row, const Circumstances& circumstances,
                          std::vector<Finding>& findings) {
  if (judge_done(row, findings)) return;
  judge_moment(row, circumstances, findings);
  if (row.is_deadline()) return;
  judge_turn(row, findings);
  const bool is_async = version_->is_async[static_cast<std::size_t>(row.step)];
  // The end of an order does not wait for what is async, unless it is being undone.
  owed_ += is_async && !is_ending_ ? 0 : 1;
  if (row.state != "parked") {
    alive_ = row;
  } else {
    ++parked_;
    parked_row_ = row;
  }
}

/// A row of a step whose turn it is not: of the DAG, or of the way back.
void OrderCase::judge_turn(const OwedRow& row, std::vector<Finding>& findings) const {
  const auto place = static_cast<std::size_t>(row.step);
  const bool is_undo = row.kind == 1;
  const auto before = is_forward(row.kind) ? missing_before(row.step) : std::nullopt;
  const auto step = static_cast<StepIndex>(row.step);
  const auto branch = static_cast<BranchIndex>(row.branch);
  const bool is_told = is_undo ? undo_early_.test(step, branch) : early_.test(place);
  if (is_told || !(is_undo ? has_to_wait(step, branch) : before.has_value())) return;
  const bool has_run = is_undo ? undoing_.test(step, branch) : seen_.test(place);
  Repair repair{.by_hand = "it has run: see whether its effect stands"};
  if (!has_run) {
    repair = {.statements = {delete_row({row.table(), id_, row.step, row.branch, row.kind}),
                             append_event({.order = id_,
                                           .kind = kRepairEvent,
                                           .step = row.step,
                                           .branch = row.branch,
                                           .task_kind = row.kind,
                                           .word = kStepEarly.word})}};
  }
  const std::string why = before ? name_of(*before) + " before it is not done"
                                 : std::string("what comes after it is not undone yet");
  findings.push_back(finding(
      kStepEarly,
      (is_undo ? "the undoing of step " : "step ") + name_of(row.step) + " is open, and " + why,
      std::move(repair)));
}

void OrderCase::judge_moment(const OwedRow& row, const Circumstances& circumstances,
                             std::vector<Finding>& findings) const {
  if (row.state == "waiting" && !row.run_at) {
    findings.push_back(finding(
        kWaitingForever, "step " + std::to_string(row.step) + " waits for a signal without an end",
        {.by_hand = "send the signal, or `ordo cancel` the order"}));
  }
  if (!row.run_at || !circumstances.is_owned) return;
  const std::int64_t late = circumstances.now - *row.run_at;
  if (late <= circumstances.overdue) return;
  findings.push_back(finding(
      kDueIgnored,
      (row.is_deadline() ? std::string("its deadline") : "step " + std::to_string(row.step)) +
          " was due " + std::to_string(late / 1000) + " s ago" +
          (row.is_deadline() ? "" : " (queue " + row.queue + ")"),
      {.by_hand = row.is_deadline()
                      ? "restart the broker of the shard: it reads what is due when it starts"
                      : "`ordo queue ls`: is the queue paused, has it workers? Else restart the "
                        "broker of the shard"}));
}

void OrderCase::judge_status(std::vector<Finding>& findings) const {
  if (is_final()) return;
  if (owed_ == 0) {
    findings.push_back(
        finding(kOrderStuck, "it is " + status_ + ", and nothing of it is owed: it will never move",
                repair_of_stuck()));
    return;
  }
  if (status_ == "parked" && parked_ == 0) {
    findings.push_back(
        finding(kParkedNothing, "it is parked, and none of its tasks is",
                {.statements = {append_event({.order = id_,
                                              .kind = kRepairEvent,
                                              .status = is_ending_ ? "compensating" : "running",
                                              .step = alive_ ? alive_->step : 0,
                                              .branch = alive_ ? alive_->branch : 0,
                                              .word = kParkedNothing.word})}}));
  }
  if (status_ == "running" && parked_ > 0) {
    findings.push_back(
        finding(kParkedUnsaid,
                "step " + name_of(parked_row_->step) + " is parked, and the order is running",
                {.statements = {append_event({.order = id_,
                                              .kind = "parked",
                                              .status = "parked",
                                              .step = parked_row_->step,
                                              .branch = parked_row_->branch,
                                              .task_kind = parked_row_->kind,
                                              .word = kParkedUnsaid.word})}}));
  }
}

/// What an order without anything owed needs follows from its pipeline and its events: the steps
/// whose turn it is, or its end.
Repair OrderCase::repair_of_stuck() const {
  Repair repair;
  const auto by_hand = [](const std::string& text) { return Repair{.by_hand = text}; };
  if (is_rebuilt_) return by_hand("it was rebuilt from a signal: `ordo cancel` it, submit it anew");
  if (is_ending_) return repair_of_undoing();
  const auto& steps = version_->pipeline.steps;
  std::string status = status_ == "parked" ? "running" : "";
  bool is_over = true;
  for (std::size_t place = 0; place < steps.size(); ++place) {
    const Step& step = steps[place];
    if (done_.test(place) || version_->is_async[place]) continue;
    is_over = false;
    if (missing_before(static_cast<int>(place))) continue;
    if (!step.wait.empty() || !step.each.empty() || !step.when.empty() || !step.order.empty() ||
        version_->has_other_door[place]) {
      return by_hand("step " + name_of(static_cast<int>(place)) +
                     " opens by more than the end of another: `ordo cancel` it, submit it anew");
    }
    const int number = static_cast<int>(place);
    const int attempt = trace(number, 0, 0).attempt;
    repair.statements.push_back(reopen({.row = {"deferred", id_, number, 0, 0},
                                        .queue = step.queue,
                                        .priority = priority_,
                                        .attempt = attempt}));
    repair.statements.push_back(append_event({.order = id_,
                                              .kind = "operator_retry",
                                              .status = std::exchange(status, ""),
                                              .step = number,
                                              .attempt = attempt,
                                              .word = kOrderStuck.word}));
  }
  return is_over ? ended("succeeded") : repair;
}

/// What an ending order goes on with: the undoing of those steps and branches after which nothing
/// is left to undo, or its end.
Repair OrderCase::repair_of_undoing() const {
  const BranchSet left = to_undo();
  if (left.none()) return ended(is_cancelled_ ? "cancelled" : "failed");
  Repair repair;
  std::string status = status_ == "parked" ? "compensating" : "";
  left.for_each([&](StepIndex step, BranchIndex branch) {
    if (has_to_wait(step, branch)) return;
    const int attempt = trace(step, branch, 1).attempt;
    repair.statements.push_back(reopen({.row = {"deferred", id_, step, branch, 1},
                                        .queue = version_->pipeline.steps[step].compensate,
                                        .priority = priority_,
                                        .attempt = attempt}));
    repair.statements.push_back(append_event({.order = id_,
                                              .kind = "operator_retry",
                                              .status = std::exchange(status, ""),
                                              .step = step,
                                              .branch = branch,
                                              .task_kind = 1,
                                              .attempt = attempt,
                                              .word = kOrderStuck.word}));
  });
  return repair;
}

/// The final status; a deadline that still runs goes with it.
Repair OrderCase::ended(const char* status) const {
  Repair repair;
  for (const OwedRow& row : rows_) {
    if (row.is_deadline()) {
      repair.statements.push_back(delete_row({row.table(), id_, row.step, row.branch, row.kind}));
    }
  }
  repair.statements.push_back(
      append_event({.order = id_, .kind = "ended", .status = status, .word = kOrderStuck.word}));
  return repair;
}

}  // namespace ordo::doctor
