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
  version->ancestors.resize(steps.size());
  // A file may name its steps in any order, so what follows from `after` needs as many rounds as a
  // chain is long.
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (std::size_t step = 0; step < steps.size(); ++step) {
      Steps all = version->ancestors[step];
      for (const StepIndex before : steps[step].after) {
        all.set(before);
        all |= version->ancestors[before];
      }
      for (std::size_t wait = 0; wait < steps.size(); ++wait) {  // and where its timeout leads
        if (steps[wait].on_timeout_step != steps[step].name) continue;
        all.set(wait);
        all |= version->ancestors[wait];
      }
      has_changed = has_changed || all != version->ancestors[step];
      version->ancestors[step] = all;
    }
  }
  for (std::size_t step = 0; step < steps.size(); ++step) {
    auto head = static_cast<StepIndex>(step);
    const auto is_chained = [&] {
      const Step& its = steps[head];
      return !its.each.empty() && its.when.empty() && its.after.size() == 1 &&
             steps[its.after.front()].each == its.each;
    };
    while (is_chained()) head = steps[head].after.front();
    version->chain.push_back(head);
  }
  for (std::size_t step = 0; step < steps.size(); ++step) {
    version->is_async[step] = steps[step].async;  // what comes after one is one, or is refused
    version->compensated.set(step, !steps[step].compensate.empty());
  }
  for (const Step& step : steps) {
    if (step.on_timeout != OnTimeout::kStep) continue;
    if (const auto named = version->pipeline.find(step.on_timeout_step)) {
      version->has_other_door[*named] = true;
    }
  }
  return version;
}

}  // namespace ordo::doctor
