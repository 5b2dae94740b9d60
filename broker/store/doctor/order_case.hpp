// One order as its rows and events tell it, and whether they keep the engine's promises.
//
// Use:     start(), then owe() and see() for each row and, in the order of their seq, each event;
//          then judge(). The object is used again for the next order.
// Shapes:  what is kept does not grow with the history: a few words a step and branch.
// Errors:  none: whatever the tables hold is a finding at most.
// Threads: one owner.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/core/branch_set.hpp"
#include "broker/store/doctor/finding.hpp"
#include "broker/store/doctor/versions.hpp"

namespace ordo::doctor {

/// A row of `task` or `deferred`.
struct OwedRow {
  bool is_deferred = false;
  int step = 0, branch = 0, kind = 0;
  std::string queue;
  std::int64_t seq = 0;
  std::string state;                   ///< "" in `task`
  std::optional<std::int64_t> run_at;  ///< ms since 1970

  [[nodiscard]] const char* table() const { return is_deferred ? "deferred" : "task"; }
  [[nodiscard]] bool is_deadline() const { return kind == 2; }
};

struct SeenEvent {
  std::int64_t seq = 0;
  std::string_view kind, status;  ///< status: empty where it changes none
  std::optional<int> step;
  int branch = 0, task_kind = 0, attempt = 0;
};

/// What holds for every order of a shard.
struct Circumstances {
  ShardNumber shard = 0;
  std::int64_t epoch = 0;
  std::int64_t now = 0;      ///< ms since 1970, of the database
  std::int64_t overdue = 0;  ///< ms after its moment at which a row has been ignored
  bool is_owned = false;     ///< some broker should have taken what is due
};

class OrderCase {
 public:
  /// `version` may be null where `is_known`: its source is not readable.
  void start(std::string id, int priority, const Version* version);
  void owe(OwedRow row) { rows_.push_back(std::move(row)); }
  void see(const SeenEvent& event);
  void judge(const Circumstances& circumstances, std::vector<Finding>& findings);
  [[nodiscard]] const std::string& id() const { return id_; }

 private:
  struct Trace {
    int done = 0;     ///< events that say that it is done
    int attempt = 0;  ///< the highest that any event names
  };

  static std::uint64_t key_of(int step, int branch, int kind);
  [[nodiscard]] const Trace& trace(int step, int branch, int kind) const;
  [[nodiscard]] bool is_done(const OwedRow& row) const;
  [[nodiscard]] bool is_final() const { return !final_.empty(); }
  [[nodiscard]] bool has_step(int step) const;
  [[nodiscard]] std::string name_of(int step) const;
  [[nodiscard]] std::optional<StepIndex> missing_before(int step) const;
  void see_status(const SeenEvent& event);
  void see_step(const SeenEvent& event);
  void see_undo(const SeenEvent& event);
  void mark(BranchSet& set, int step, int branch) const;
  [[nodiscard]] BranchSet to_undo() const;
  [[nodiscard]] bool has_to_wait(StepIndex step, BranchIndex branch) const;
  [[nodiscard]] std::string name_of(StepIndex step, BranchIndex branch) const;

  void judge_history(std::vector<Finding>& findings) const;
  void judge_rows(const Circumstances& circumstances, std::vector<Finding>& findings);
  void judge_row(const OwedRow& row, const Circumstances& circumstances,
                 std::vector<Finding>& findings);
  [[nodiscard]] bool judge_done(const OwedRow& row, std::vector<Finding>& findings) const;
  void judge_turn(const OwedRow& row, std::vector<Finding>& findings) const;
  void judge_undoing(std::vector<Finding>& findings) const;
  void judge_moment(const OwedRow& row, const Circumstances& circumstances,
                    std::vector<Finding>& findings) const;
  void judge_status(std::vector<Finding>& findings) const;
  [[nodiscard]] std::vector<OwedRow> without_doubles(std::vector<Finding>& findings) const;
  [[nodiscard]] Repair repair_of_stuck() const;
  [[nodiscard]] Repair repair_of_undoing() const;
  [[nodiscard]] Repair ended(const char* status) const;
  [[nodiscard]] Finding finding(const Kind& kind, std::string sentence, Repair repair) const;

  std::string id_;
  int priority_ = 5;
  const Version* version_ = nullptr;
  ShardNumber shard_ = 0;
  std::vector<OwedRow> rows_;
  std::unordered_map<std::uint64_t, Trace> traces_;
  Steps done_, seen_, early_;
  BranchSet effective_, undone_, undoing_, undo_early_;  ///< had an effect, maybe; what undid it
  std::string status_, final_;  ///< the last and the first final one that events carry
  int finals_ = 0;
  int changes_after_final_ = 0;
  int unknown_step_ = -1;
  bool is_cancelled_ = false, is_rebuilt_ = false, is_ending_ = false;
  // While judging: what keeps the order alive.
  int owed_ = 0;
  int parked_ = 0;
  std::optional<OwedRow> alive_, parked_row_;
};

}  // namespace ordo::doctor
