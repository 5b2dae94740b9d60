// A set of an order's steps, and of those with `each` of single branches.
//
// Shapes:  a bit a step; only a step that has branches takes more, a bit each of them.
// Threads: values.
#pragma once

#include <algorithm>
#include <bitset>
#include <map>
#include <vector>

#include "schema/limits.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

using StepSet = std::bitset<limits::kPipelineSteps>;

class BranchSet {
 public:
  /// `branches`: how many the step has; 0 where it is one whole.
  void set(StepIndex step, BranchIndex branch, std::size_t branches) {
    steps_.set(step);
    if (branches == 0) return;
    auto& bits = branches_[step];
    bits.resize(std::max(bits.size(), branches));
    if (branch < bits.size()) bits[branch] = true;
  }

  /// Its steps, also those with some of their branches only.
  [[nodiscard]] const StepSet& steps() const { return steps_; }
  [[nodiscard]] bool none() const { return steps_.none(); }

  void keep_steps(const StepSet& steps) {
    steps_ &= steps;
    std::erase_if(branches_, [&](const auto& one) { return !steps.test(one.first); });
  }
  void remove_step(StepIndex step) {
    steps_.reset(step);
    branches_.erase(step);
  }
  /// Takes out of one step the branches that `other` has of `its`.
  void remove_branches(StepIndex step, const BranchSet& other, StepIndex its) {
    const auto bits = branches_.find(step);
    const auto taken = other.branches_.find(its);
    if (bits == branches_.end() || taken == other.branches_.end()) return;
    const std::size_t count = std::min(bits->second.size(), taken->second.size());
    for (std::size_t i = 0; i < count; ++i) bits->second[i] = bits->second[i] && !taken->second[i];
    if (std::find(bits->second.begin(), bits->second.end(), true) == bits->second.end()) {
      remove_step(step);
    }
  }
  void remove(const BranchSet& other) {
    if (branches_.empty()) {
      steps_ &= ~other.steps_;
      return;
    }
    for (StepIndex step = 0; step < steps_.size(); ++step) {
      if (!steps_.test(step) || !other.steps_.test(step)) continue;
      if (branches_.contains(step)) {
        remove_branches(step, other, step);
      } else {
        steps_.reset(step);
      }
    }
  }

  /// Calls `visit` with each step and branch, in their order; a whole step has branch 0.
  template <class Visit> void for_each(const Visit& visit) const {
    for (StepIndex step = 0; step < steps_.size(); ++step) {
      if (!steps_.test(step)) continue;
      const auto bits = branches_.find(step);
      if (bits == branches_.end()) {
        visit(step, BranchIndex{0});
        continue;
      }
      for (std::size_t i = 0; i < bits->second.size(); ++i) {
        if (bits->second[i]) visit(step, static_cast<BranchIndex>(i));
      }
    }
  }
  [[nodiscard]] bool test(StepIndex step, BranchIndex branch) const {
    if (!steps_.test(step)) return false;
    const auto bits = branches_.find(step);
    return bits == branches_.end() || (branch < bits->second.size() && bits->second[branch]);
  }

 private:
  StepSet steps_;
  std::map<StepIndex, std::vector<bool>> branches_;  ///< of steps that have some
};

}  // namespace ordo
