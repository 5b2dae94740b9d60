// Any text as a pipeline and as a context: it is taken or explained, and what is taken is a DAG.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "schema/context.hpp"
#include "schema/pipeline.hpp"
#include "schema/text.hpp"

namespace {

using namespace ordo;

void check_steps(const Pipeline& pipeline) {
  ORDO_CHECK(pipeline.id > 0 && !pipeline.steps.empty());
  ORDO_CHECK(pipeline.steps.size() <= limits::kPipelineSteps);
  // Steps whose predecessors are all done go off until none is left: there is no cycle.
  std::vector<std::size_t> open;
  std::vector<StepIndex> ready;
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    open.push_back(pipeline.steps[i].after.size());
    if (open.back() == 0) ready.push_back(static_cast<StepIndex>(i));
  }
  std::size_t done = 0;
  for (; !ready.empty(); ++done) {
    const StepIndex at = ready.back();
    ready.pop_back();
    for (const StepIndex next : pipeline.steps.at(at).before) {
      if (--open.at(next) == 0) ready.push_back(next);
    }
  }
  ORDO_CHECK(done == pipeline.steps.size(), done);
}

void check_pipeline(std::string_view text) {
  const auto parsed = parse_pipeline(text);
  if (parsed) {
    check_steps(*parsed);
    for (const Problem& problem : unsupported(*parsed)) ORDO_CHECK(!problem.what.empty());
    return;
  }
  ORDO_CHECK(!parsed.error().empty());
  ORDO_CHECK(is_text(to_error(parsed.error(), "f").message));
}

void check_json(std::string_view text) {
  if (!check_context(text, limits::kContextBytes, "context")) return;
  const auto merged = merge_context(text, text);
  if (merged) ORDO_CHECK(check_context(*merged, limits::kContextBytes, "context").has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_pipeline(text);
  check_json(text);
  return 0;
}
