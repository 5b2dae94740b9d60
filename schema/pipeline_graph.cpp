#include "schema/pipeline_graph.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "schema/pipeline_values.hpp"

namespace ordo::pipeline {
namespace {

/// So many names are read at a glance.
constexpr std::size_t kListedSteps = 8;

using Names = std::unordered_map<std::string_view, StepIndex>;

Place place_of(const Step& step) { return {step.line, step.column}; }

Names index_names(const std::vector<Draft>& steps, Problems& problems) {
  Names names;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = steps[i].step;
    if (step.name.empty()) continue;  // said already
    const auto [first, is_new] = names.emplace(step.name, static_cast<StepIndex>(i));
    if (is_new) continue;
    problems.add(place_of(step), "step `" + step.name + "` is written twice",
                 "the first stands in line " + std::to_string(steps[first->second].step.line));
  }
  return names;
}

std::string suggest_step(std::string_view word, const std::vector<Draft>& steps) {
  std::vector<std::string_view> known;
  for (const Draft& draft : steps) known.push_back(draft.step.name);
  if (std::string near = did_you_mean(word, known); !near.empty()) return near;
  if (known.size() > kListedSteps) return "write the name of a step of this file";
  std::string all;
  for (const std::string_view name : known) all += (all.empty() ? "" : ", ") + std::string(name);
  return "the steps are " + all;
}

/// Names in `after` become edges both ways.
void link_after(std::vector<Draft>& steps, const Names& names, Problems& problems) {
  std::size_t edges = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    Step& step = steps[i].step;
    for (const Node& name : steps[i].after) {
      const auto found = names.find(name.text);
      if (found == names.end()) {
        problems.add(name.at, "`after` names " + describe(name) + ", which is no step",
                     suggest_step(name.text, steps));
        continue;
      }
      const StepIndex before = found->second;
      if (before == i) {
        problems.add(name.at, "step `" + step.name + "` comes after itself",
                     "name the step that it follows");
        continue;
      }
      if (std::find(step.after.begin(), step.after.end(), before) != step.after.end()) {
        problems.add(name.at, "`after` names " + describe(name) + " twice", "name it once");
        continue;
      }
      step.after.push_back(before);
      steps[before].step.before.push_back(static_cast<StepIndex>(i));
      if (++edges == limits::kPipelineEdges + 1) {
        problems.add(name.at,
                     "the steps have more than " + std::to_string(limits::kPipelineEdges) +
                         " names in `after`",
                     "let branches join in one step, and follow that step");
      }
    }
    std::sort(step.after.begin(), step.after.end());
  }
}

/// Where the timeout of a wait leads: another step, which must be there and not lie before it.
void check_on_timeout(const std::vector<Draft>& steps, const Names& names, Problems& problems) {
  for (const Draft& draft : steps) {
    const Step& step = draft.step;
    if (step.on_timeout != OnTimeout::kStep) continue;
    const Place at = draft.keys.at("on_timeout");
    if (step.on_timeout_step == step.name) {
      problems.add(at, "`on_timeout` of step `" + step.name + "` leads back to itself",
                   "write fail, skip or another step");
    } else if (!names.contains(step.on_timeout_step)) {
      problems.add(at, "`on_timeout` names `" + step.on_timeout_step + "`, which is no step",
                   "write fail, skip or a step: " + suggest_step(step.on_timeout_step, steps));
    }
  }
}

/// What an orphan signal proves is a step that waits for one.
void check_restore(const DraftPipeline& draft, const Names& names, Problems& problems) {
  const std::string& restore = draft.pipeline.restore;
  if (restore.empty()) return;
  const auto found = names.find(restore);
  if (found == names.end()) {
    problems.add(draft.restore, "`restore` names `" + restore + "`, which is no step",
                 "name a step with `wait`: " + suggest_step(restore, draft.steps));
  } else if (draft.steps[found->second].step.wait.empty()) {
    problems.add(draft.restore, "`restore` names `" + restore + "`, which waits for no signal",
                 "name a step with `wait`");
  }
}

/// A key that means nothing, or the opposite, beside another.
struct Exclusion {
  std::string_view key;
  std::string_view other;
  std::string_view why;
  std::string_view instead;
};
constexpr std::string_view kWaits = "a step that waits runs no handler";
constexpr std::string_view kOrders = "a step that submits an order runs no handler";
constexpr std::string_view kOwnStep = "give it a step of its own";
constexpr std::array kExclusions{
    Exclusion{"handler", "wait", kWaits, kOwnStep},
    Exclusion{"queue", "wait", kWaits, kOwnStep},
    Exclusion{"retry", "wait", kWaits, kOwnStep},
    Exclusion{"uses", "wait", kWaits, kOwnStep},
    Exclusion{"fallback", "wait", kWaits, kOwnStep},
    Exclusion{"delay", "wait", "a step waits for a signal or for time", kOwnStep},
    Exclusion{"order", "wait", "a step waits for a signal or for an order", kOwnStep},
    Exclusion{"handler", "order", kOrders, kOwnStep},
    Exclusion{"fallback", "order", kOrders, kOwnStep},
    Exclusion{"uses", "order", kOrders, kOwnStep},
    Exclusion{"each", "wait", "an order waits for a signal once", kOwnStep},
    Exclusion{"compensate", "irreversible", "what cannot be undone has no compensation",
              "remove one of the two"},
};

/// Keys that need another one to mean anything.
struct Need {
  std::string_view key;
  std::string_view needed;
};
constexpr std::array kNeeds{Need{"on_timeout", "wait"}, Need{"late", "wait"}};

void check_keys(const Draft& draft, Problems& problems) {
  const auto& keys = draft.keys;
  for (const auto& [key, other, why, instead] : kExclusions) {
    const auto found = keys.find(std::string(key));
    if (found == keys.end() || !keys.contains(std::string(other))) continue;
    if (other == "irreversible" && !draft.step.irreversible) continue;
    problems.add(found->second,
                 "`" + std::string(key) + "` cannot stand beside `" + std::string(other) +
                     "`: " + std::string(why),
                 std::string(instead));
  }
  for (const auto& [key, needed] : kNeeds) {
    const auto found = keys.find(std::string(key));
    if (found == keys.end() || keys.contains(std::string(needed))) continue;
    problems.add(found->second,
                 "`" + std::string(key) + "` means nothing without `" + std::string(needed) + "`",
                 "add `" + std::string(needed) + ": SIGNAL`, or remove it");
  }
  const Step& step = draft.step;
  if (!step.fallback.empty() && step.fallback == step.handler) {
    problems.add(keys.at("fallback"), "`fallback` is the handler that failed",
                 "name another handler");
  }
}

/// What the end of an order does not wait for must not hold up what it waits for.
void check_async(const std::vector<Draft>& steps, Problems& problems) {
  for (const Draft& draft : steps) {
    const Step& step = draft.step;
    if (step.async) continue;
    for (const StepIndex before : step.after) {
      if (!steps[before].step.async) continue;
      problems.add(place_of(step),
                   "step `" + step.name + "` comes after `" + steps[before].step.name +
                       "`, which is async, and is not itself",
                   "add `class: async`, or let it follow another step");
      break;
    }
  }
  const bool is_all =
      std::all_of(steps.begin(), steps.end(), [](const Draft& draft) { return draft.step.async; });
  if (is_all && !steps.empty()) {
    problems.add(place_of(steps.front().step), "every step is async: the order would end at once",
                 "remove `class: async` from a step that its end waits for");
  }
}

/// Finds cycles through `after` and through where timeouts lead.
class CycleSearch {
 public:
  CycleSearch(const std::vector<Draft>& steps, const Names& names, Problems& problems)
      : steps_(steps), problems_(problems), colours_(steps.size()) {
    for (const Draft& draft : steps) {
      std::vector<StepIndex> next = draft.step.before;
      const auto timeout = names.find(draft.step.on_timeout_step);
      if (timeout != names.end()) next.push_back(timeout->second);
      successors_.push_back(std::move(next));
    }
  }

  void run() {
    for (std::size_t i = 0; i < steps_.size(); ++i) visit(static_cast<StepIndex>(i));
  }

 private:
  enum class Colour : std::uint8_t { kNew, kOpen, kDone };
  static constexpr std::size_t kShownSteps = 12;   ///< of one cycle
  static constexpr std::size_t kShownCycles = 10;  ///< of one file: often one edge closes them all

  /// Recursion is bounded by the number of steps.
  void visit(StepIndex at) {
    if (colours_[at] == Colour::kDone) return;
    if (colours_[at] == Colour::kOpen) return report(at);
    colours_[at] = Colour::kOpen;
    path_.push_back(at);
    for (const StepIndex next : successors_[at]) {
      if (next != at) visit(next);  // a step after itself is said already
    }
    path_.pop_back();
    colours_[at] = Colour::kDone;
  }

  void report(StepIndex again) {
    if (++reported_ > kShownCycles) return;
    const auto start = std::find(path_.begin(), path_.end(), again);
    const auto length = static_cast<std::size_t>(path_.end() - start);
    std::string chain;
    for (std::size_t i = 0; i < std::min(length, kShownSteps); ++i) {
      chain += steps_[*(start + static_cast<std::ptrdiff_t>(i))].step.name + " → ";
    }
    if (length > kShownSteps) chain += "… → ";
    problems_.add(place_of(steps_[again].step),
                  "steps wait for each other: " + chain + steps_[again].step.name,
                  "remove one of these from an `after`");
  }

  const std::vector<Draft>& steps_;
  Problems& problems_;
  std::vector<Colour> colours_;
  std::vector<std::vector<StepIndex>> successors_;
  std::vector<StepIndex> path_;
  std::size_t reported_ = 0;
};

}  // namespace

void link_steps(DraftPipeline& draft, Problems& problems) {
  const Names names = index_names(draft.steps, problems);
  link_after(draft.steps, names, problems);
  check_on_timeout(draft.steps, names, problems);
  check_restore(draft, names, problems);
  for (const Draft& step : draft.steps) check_keys(step, problems);
  check_async(draft.steps, problems);
  CycleSearch(draft.steps, names, problems).run();
}

}  // namespace ordo::pipeline
