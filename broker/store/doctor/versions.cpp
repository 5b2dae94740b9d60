#include "broker/store/doctor/versions.hpp"

namespace ordo::doctor {

std::unique_ptr<const Version> read_version(PipelineId id, const std::string& source) {
  auto parsed = parse_pipeline(source);
  if (!parsed || parsed->id != id) return nullptr;
  auto version = std::make_unique<Version>();
  version->pipeline = std::move(*parsed);
  const auto& steps = version->pipeline.steps;
  version->is_async.resize(steps.size());
  version->has_other_door.resize(steps.size());
  // A file may name its steps in any order, so what follows from `after` needs as many rounds as a
  // chain is long.
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (std::size_t step = 0; step < steps.size(); ++step) {
      bool is_async = steps[step].async;
      for (const StepIndex before : steps[step].after) {
        is_async = is_async || version->is_async[before];
      }
      has_changed = has_changed || is_async != version->is_async[step];
      version->is_async[step] = is_async;
    }
  }
  for (const Step& step : steps) {
    version->can_compensate = version->can_compensate || !step.compensate.empty();
    if (step.on_timeout != OnTimeout::kStep) continue;
    if (const auto named = version->pipeline.find(step.on_timeout_step)) {
      version->has_other_door[*named] = true;
    }
  }
  return version;
}

}  // namespace ordo::doctor
