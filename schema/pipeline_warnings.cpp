// What a pipeline that is right leaves undone when one of its steps fails.
#include <algorithm>
#include <string>
#include <vector>

#include "schema/pipeline.hpp"

namespace ordo {
namespace {

/// Names that a warning shows; how many there are more is said behind them.
constexpr std::size_t kShownSteps = 3;

using Marks = std::vector<bool>;

/// The steps behind a step, direct or not.
Marks steps_behind(const Pipeline& pipeline, StepIndex step) {
  Marks behind(pipeline.steps.size(), false);
  std::vector<StepIndex> open{step};
  while (!open.empty()) {
    const StepIndex one = open.back();
    open.pop_back();
    for (const StepIndex next : pipeline.steps[one].before) {
      if (behind[next]) continue;
      behind[next] = true;
      open.push_back(next);
    }
  }
  return behind;
}

bool may_end_the_order(const Step& step) {
  const bool waits_at_most = !step.wait.empty() && step.on_timeout != OnTimeout::kFail;
  return !step.optional && !step.async && !waits_at_most;
}

bool leaves_something(const Step& step) {
  return step.compensate.empty() && !step.irreversible && !step.optional && !step.async &&
         step.wait.empty();
}

std::string names_of(const std::vector<std::string>& steps) {
  std::string text;
  for (std::size_t i = 0; i < steps.size() && i < kShownSteps; ++i) {
    text += (i == 0 ? "`" : ", `") + steps[i] + "`";
  }
  if (steps.size() > kShownSteps) {
    text += " and " + std::to_string(steps.size() - kShownSteps) + " more";
  }
  return text;
}

}  // namespace

std::vector<Problem> warnings(const Pipeline& pipeline) {
  std::vector<Problem> found;
  const auto& steps = pipeline.steps;
  const bool undoes = std::any_of(steps.begin(), steps.end(),
                                  [](const Step& step) { return !step.compensate.empty(); });
  if (!undoes) return found;
  Marks is_safe(steps.size(), false);  // behind what is irreversible: it parks, and ends nothing
  for (StepIndex step = 0; step < steps.size(); ++step) {
    if (!steps[step].irreversible) continue;
    const Marks behind = steps_behind(pipeline, step);
    for (std::size_t i = 0; i < steps.size(); ++i) is_safe[i] = is_safe[i] || behind[i];
  }
  for (StepIndex step = 0; step < steps.size(); ++step) {
    if (!leaves_something(steps[step])) continue;
    const Marks behind = steps_behind(pipeline, step);
    std::vector<std::string> failing;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (behind[i] && !is_safe[i] && may_end_the_order(steps[i])) failing.push_back(steps[i].name);
    }
    if (failing.empty()) continue;
    found.push_back({steps[step].line, steps[step].column,
                     "step `" + steps[step].name + "` is not undone where " + names_of(failing) +
                         (failing.size() == 1 ? " fails" : " fail") + " for good",
                     "give it a `compensate`, or leave it so where it changes nothing"});
  }
  return found;
}

}  // namespace ordo
