#include "schema/pipeline.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "schema/hash.hpp"
#include "schema/pipeline_graph.hpp"
#include "schema/pipeline_reader.hpp"

namespace ordo {
namespace {

/// Beyond this many a reader does not read; what is left shows in the next try.
constexpr std::size_t kShownProblems = 50;
/// What an Error's message holds of them.
constexpr std::size_t kToldProblems = 10;

/// The same text under the same name and version has the same id everywhere.
PipelineId make_id(const Pipeline& pipeline) {
  const std::uint64_t name = content_hash(pipeline.name);
  const std::uint64_t version = content_hash(std::to_string(pipeline.version), name);
  const std::uint64_t bits = content_hash(pipeline.source, version) & ~(std::uint64_t{1} << 63);
  return static_cast<PipelineId>(std::max<std::uint64_t>(bits, 1));
}

/// A key that parses and does nothing yet, with what to do meanwhile.
struct Missing {
  std::string_view key;
  bool (*is_used)(const Step&);
  std::string_view instead;
};
constexpr std::string_view kRemove = "remove it";
constexpr std::array kMissing{
    Missing{"order", [](const Step& s) { return !s.order.empty(); },
            "remove it, and submit the order from a handler"},
};

}  // namespace

std::optional<StepIndex> Pipeline::find(std::string_view step) const {
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const Step& s) { return s.name == step; });
  if (found == steps.end()) return std::nullopt;
  return static_cast<StepIndex>(found - steps.begin());
}

std::string Problem::to_string(std::string_view file) const {
  std::string text(file);
  if (line > 0) text += ":" + std::to_string(line) + ":" + std::to_string(column);
  text += ": " + what;
  if (!instead.empty()) text += ": " + instead;
  return text;
}

tl::expected<Pipeline, std::vector<Problem>> parse_pipeline(std::string_view text) {
  pipeline::Problems problems;
  pipeline::DraftPipeline draft;
  if (const auto root = pipeline::read_yaml(text, problems)) {
    draft = pipeline::read_pipeline(*root, text, problems);
    pipeline::link_steps(draft, problems);
  }
  if (!problems.empty()) {
    auto list = std::move(problems).take();
    if (list.size() > kShownProblems) list.resize(kShownProblems);
    return tl::unexpected(std::move(list));
  }
  Pipeline& pipeline = draft.pipeline;
  for (auto& step : draft.steps) pipeline.steps.push_back(std::move(step.step));
  pipeline.source = text;
  pipeline.id = make_id(pipeline);
  return std::move(pipeline);
}

std::vector<Problem> unsupported(const Pipeline& pipeline) {
  std::vector<Problem> problems;
  for (const Step& step : pipeline.steps) {
    for (const auto& [key, is_used, instead] : kMissing) {
      if (!is_used(step)) continue;
      problems.push_back(
          {step.line, step.column,
           "step `" + step.name + "`: `" + std::string(key) + "` is not supported yet",
           std::string(instead)});
    }
  }
  return problems;
}

Error to_error(const std::vector<Problem>& problems, std::string_view file) {
  std::string message = "the pipeline cannot be taken: ";
  for (std::size_t i = 0; i < problems.size() && i < kToldProblems; ++i) {
    if (i > 0) message += "; ";
    message += problems[i].to_string(file);
  }
  if (problems.size() > kToldProblems) {
    message += "; and " + std::to_string(problems.size() - kToldProblems) + " more";
  }
  return {Code::kMalformed, "invalid_pipeline", std::move(message), {}};
}

}  // namespace ordo
