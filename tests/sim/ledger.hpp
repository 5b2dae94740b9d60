// What really happened outside: every time a worker began a task, and how it ended. The tables are
// compared with it: a recorded result must be that of an execution that took place, under the grant
// that was alive.
//
// Shapes:  an execution is named by its number; its result carries the number ("x17"), so any
//          record leads back here.
// Threads: one owner.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "schema/messages.hpp"
#include "tests/sim/context.hpp"

namespace ordo::sim {

class Ledger {
 public:
  struct Execution {
    TaskKey key;
    Fence fence;  ///< of the offer that it was begun under
    std::optional<Outcome> outcome;
  };
  /// The newest grant of a task: the fence it has, and the fences of offers that go on under it.
  /// These are two when a worker is told to go on with what it runs while the same attempt is on
  /// its way to it anew.
  struct Grant {
    Fence current;
    std::set<Fence> offers;
  };

  /// A worker begins. No attempt is ever begun twice.
  std::uint64_t begin(const TaskKey& key, const Fence& fence);
  void end(std::uint64_t execution, Outcome outcome) { executions_[execution].outcome = outcome; }
  static std::string result_of(std::uint64_t execution) { return "x" + std::to_string(execution); }
  /// The trace that an order is submitted with; every other one has none.
  static std::string traceparent_of(std::string_view payload);
  /// The broker hands an attempt out: with the trace of its order, whatever owner, page or retry.
  static void check_trace(const wire::Offer& offer);
  /// The execution that a result names; nullptr when it names none.
  [[nodiscard]] const Execution* find(std::string_view result) const;

  /// Every execution of a task so far, oldest first.
  [[nodiscard]] std::vector<Execution> executions_of(const TaskKey& key) const;

  /// The broker of that epoch hands a task out. Fences only grow.
  void granted(const TaskKey& key, const Fence& fence);
  void regranted(const wire::Regrant& regrant);
  [[nodiscard]] const Grant* grant(const TaskKey& key) const;

  /// A result is being recorded as the success of an attempt: it must have been earned.
  void check_recorded(const TaskKey& key, std::uint32_t attempt, std::string_view result) const;

 private:
  std::vector<Execution> executions_;
  std::map<TaskKey, std::vector<std::size_t>> by_task_;
  std::set<std::pair<TaskKey, Fence>> begun_;
  std::map<TaskKey, Grant> grants_;
  std::map<std::pair<TaskKey, Fence>, Fence> origins_;  ///< what a regranted fence was offered as
};

}  // namespace ordo::sim
