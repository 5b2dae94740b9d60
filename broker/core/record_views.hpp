// What several answers say of an order's record: spans, errors, where an answer ends.
//
// Threads: pure functions and values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "broker/core/rows.hpp"
#include "broker/store/store.hpp"
#include "schema/bodies.hpp"
#include "schema/limits.hpp"
#include "schema/pipeline.hpp"

namespace ordo {

/// Where an answer ends so that it fits into a frame; the first part always goes in.
class Cut {
 public:
  bool takes(std::size_t bytes, std::size_t values) {
    const bool fits =
        bytes_ + bytes <= limits::kAnswerCutBytes && values_ + values <= limits::kAnswerCutValues;
    if (!fits && has_any_) return false;
    bytes_ += bytes;
    values_ += values;
    has_any_ = true;
    return true;
  }

 private:
  std::size_t bytes_ = 0;
  std::size_t values_ = 0;
  bool has_any_ = false;
};

inline std::int64_t ms_between(Steady from, Steady to) {
  return std::chrono::duration_cast<Millis>(to - from).count();
}
/// The span of the attempt that an event is about; empty where it is about none or the order has no
/// trace.
std::string span_of(const EventRow& event, const Pipeline& pipeline, const OrderRow& order);
/// What the newest failure of a task said; empty where there was none. `kind`: kForward stands for
/// the step's fallback, too.
std::string last_error(const OrderRecord& record, const wire::TaskView& task, StepIndex step);
/// Of an order that has ended: how, when, what began its end, and how much was undone.
std::string told_end(const OrderRecord& record, const Pipeline& pipeline);
/// The branches of a step that an answer lists: those with a row, then others that events tell of,
/// at most limits::kListedBranches. 0 alone for a step that has not fanned out; none where nothing
/// undoes it. `kind`: what the step does, or what undoes it.
std::vector<BranchIndex> listed_branches(const OrderRecord& record, StepIndex step,
                                         TaskKind kind = TaskKind::kForward);
/// Whether a task of that kind is what a view of `wanted` tells of.
inline bool is_told_as(TaskKind kind, TaskKind wanted) {
  return kind == wanted || (wanted == TaskKind::kForward && kind == TaskKind::kFallback);
}

}  // namespace ordo
