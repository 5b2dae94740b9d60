// The pipeline versions of a shard as the doctor's rules need them.
//
// Errors:  a source that cannot be read is null: its orders are judged no further.
// Threads: plain values.
#pragma once

#include <bitset>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "broker/core/branch_set.hpp"
#include "schema/limits.hpp"
#include "schema/pipeline.hpp"

namespace ordo::doctor {

using Steps = std::bitset<limits::kPipelineSteps>;

struct Version {
  Pipeline pipeline;
  /// By step: goes on after the order's end (`class: async`, or after such a step).
  std::vector<bool> is_async;
  /// By step: what opens it is not (only) the end of the steps before it.
  std::vector<bool> has_other_door;
  /// By step: all that it comes after, direct and transitive.
  std::vector<Steps> ancestors;
  Steps compensated;  ///< those that can be undone

  /// By step: the first of its chain of branches; itself where it is in none.
  std::vector<StepIndex> chain;

  /// Whether each branch of one step has to do with its own of the other alone.
  [[nodiscard]] bool is_one_chain(StepIndex one, StepIndex other) const {
    return one != other && chain[one] == chain[other];
  }
  [[nodiscard]] std::size_t steps() const { return pipeline.steps.size(); }
};

/// By pipeline id. Null: it is in the table, and its source is not what the id says.
using Versions = std::map<PipelineId, std::unique_ptr<const Version>>;

/// Null where the text is no pipeline, or one with another id.
std::unique_ptr<const Version> read_version(PipelineId id, const std::string& source);

}  // namespace ordo::doctor
