// What the tables tell of one order, and what its pipeline allows it next: the rules of `when`,
// `each`, `optional`, `fallback` and `class: async`, told from events alone.
//
// Threads: a value with one owner.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/rows.hpp"
#include "schema/pipeline.hpp"

namespace ordo::sim {

struct Story {
  using Spot = std::pair<StepIndex, BranchIndex>;
  struct Row {
    std::uint32_t attempt = 0;
    std::int64_t seq = 0;
    TaskState state = TaskState::kReady;
    bool maybe = false;
    std::uint16_t failures = 0;
  };

  const Pipeline* pipeline = nullptr;
  std::string payload;
  std::string context;  ///< as the order's steps have changed it
  OrderStatus status = OrderStatus::kRunning;
  bool is_cancelled = false;
  bool was_parked = false;
  bool is_restored = false;           ///< rebuilt from a signal …
  std::optional<std::string> merged;  ///< … and this is what its own submit brought
  std::int64_t last_seq = 0;
  std::map<TaskKey, Row> rows;
  std::set<Spot> opened;
  std::map<Spot, std::string> done;           ///< what was recorded
  std::map<StepIndex, std::size_t> branches;  ///< of each step that fanned out
  std::set<Spot> skipped;                     ///< of the done ones
  std::set<Spot> cut;                         ///< of unknown outcome at the end
  std::set<Spot> undone;                      ///< whose compensation has ended
  bool is_ending = false;
  bool is_one_way = false;    ///< an irreversible step succeeded before the end began
  std::set<StepIndex> taken;  ///< detours that a timeout led to
  std::set<Spot> fell_back;   ///< their own handler failed for good
  std::map<TaskKey, std::uint32_t> last_ended;        ///< the highest attempt that an event ends
  std::set<std::pair<TaskKey, std::uint32_t>> ended;  ///< attempts that events tell of

  [[nodiscard]] bool is_done(StepIndex step) const;
  /// As a whole: of branches each may be skipped on its own.
  [[nodiscard]] bool is_skipped(StepIndex step) const;
  /// Goes on branch by branch after the only step before it.
  [[nodiscard]] bool is_chained(StepIndex step) const;
  [[nodiscard]] bool comes_after(StepIndex later, StepIndex earlier) const;
  /// Only the timeout of a wait leads to it.
  [[nodiscard]] bool is_detour(StepIndex step) const;
  /// All waits whose timeouts lead to it are done, and none of them did.
  [[nodiscard]] bool is_detour_over(StepIndex step) const;
  /// Of branches only: whether both belong to one branch of one chain, or to no chain together.
  [[nodiscard]] bool concern(const Spot& one, const Spot& other) const;
  /// Every step, and every branch of those that fanned out.
  [[nodiscard]] std::vector<Spot> spots() const;
  /// It has its effect, or may have, and something that undoes it.
  [[nodiscard]] bool must_undo(const Spot& spot) const;
  /// A step (or branch) after this one that must be undone first.
  [[nodiscard]] std::optional<Spot> undone_first(const Spot& spot) const;
  /// Something that is no compensation is still to end.
  [[nodiscard]] bool owes_forward() const;
  /// What could be undone now, and is not on its way.
  [[nodiscard]] std::optional<Spot> left_done() const;
  /// All that it comes after was skipped.
  [[nodiscard]] bool is_dead(StepIndex step) const;
  /// It has ended, and nothing async hangs off it.
  [[nodiscard]] bool is_over() const;
  /// Whether what stands before a step (or a branch of it) is done.
  [[nodiscard]] bool may_open(const Spot& spot) const;
  [[nodiscard]] bool condition_holds(StepIndex step) const;
  /// How many elements the step's list has now; nullopt where it cannot be fanned out.
  [[nodiscard]] std::optional<std::size_t> list_size(StepIndex step) const;
  void fan_out(StepIndex step, std::size_t count);
  /// Every step that is not async is done.
  [[nodiscard]] bool is_complete() const;
  /// A step (or branch) that should be open and is not.
  [[nodiscard]] std::optional<Spot> forgotten() const;
  /// What is left does not concern the order's status: it succeeded, and the step is async.
  [[nodiscard]] bool goes_on(StepIndex step) const {
    return status == OrderStatus::kSucceeded && pipeline->steps[step].async;
  }
};

}  // namespace ordo::sim
