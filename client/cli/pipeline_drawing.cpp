#include "client/cli/pipeline_drawing.hpp"

#include <algorithm>
#include <vector>

namespace ordo::cli {
namespace {

struct Placed {
  StepIndex step = 0;
  std::size_t level = 0;
};

/// Steps by level (the longest way from a first step), within a level as in the file.
std::vector<Placed> levels_of(const Pipeline& pipeline) {
  std::vector<std::size_t> level(pipeline.steps.size(), 0);
  // A checked pipeline has no cycle: after as many rounds as steps nothing moves any more.
  for (std::size_t round = 0; round < pipeline.steps.size(); ++round) {
    for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
      for (const StepIndex before : pipeline.steps[i].after) {
        level[i] = std::max(level[i], level[before] + 1);
      }
    }
  }
  std::vector<Placed> placed;
  for (std::size_t i = 0; i < level.size(); ++i) {
    placed.push_back({static_cast<StepIndex>(i), level[i]});
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const Placed& a, const Placed& b) { return a.level < b.level; });
  return placed;
}

std::string traits_of(const Step& step) {
  std::string traits;
  const auto add = [&traits](const std::string& trait) {
    traits += (traits.empty() ? "" : ", ") + trait;
  };
  if (!step.wait.empty()) add("waits for " + step.wait);
  if (!step.each.empty()) add("each " + step.each);
  if (!step.when.empty()) add("when " + step.when);
  if (!step.compensate.empty()) add("undone by " + step.compensate);
  if (step.irreversible) add("irreversible");
  if (step.optional) add("optional");
  if (step.async) add("async");
  return traits;
}

}  // namespace

std::string draw_mermaid(const Pipeline& pipeline) {
  std::string text = "flowchart LR\n";
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    text += "  s" + std::to_string(i) + "[\"" + pipeline.steps[i].name + "\"]\n";
  }
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    for (const StepIndex before : pipeline.steps[i].after) {
      text += "  s" + std::to_string(before) + (pipeline.steps[i].async ? " -.-> s" : " --> s") +
              std::to_string(i) + "\n";
    }
  }
  return text;
}

std::string draw_dot(const Pipeline& pipeline) {
  std::string text = "digraph \"" + pipeline.name + "\" {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const Step& step : pipeline.steps) {
    text += "  \"" + step.name + "\"" + (step.async ? " [style=dashed]" : "") + ";\n";
  }
  for (const Step& step : pipeline.steps) {
    for (const StepIndex before : step.after) {
      text += "  \"" + pipeline.steps[before].name + "\" -> \"" + step.name + "\";\n";
    }
  }
  return text + "}\n";
}

std::string draw_ascii(const Pipeline& pipeline) {
  std::size_t width = 0;
  for (const Step& step : pipeline.steps) width = std::max(width, step.name.size());
  std::string text = pipeline.name + " v" + std::to_string(pipeline.version) + "\n";
  for (const auto& [index, level] : levels_of(pipeline)) {
    const Step& step = pipeline.steps[index];
    std::string line = std::string(2 + 3 * level, ' ') + (level == 0 ? "o " : "+-") + step.name;
    std::string after;
    for (const StepIndex before : step.after) {
      after += (after.empty() ? "" : " + ") + pipeline.steps[before].name;
    }
    if (!after.empty()) line += "  <- " + after;
    const std::string traits = traits_of(step);
    if (!traits.empty()) line += "  (" + traits + ")";
    text += line + "\n";
  }
  return text;
}

}  // namespace ordo::cli
