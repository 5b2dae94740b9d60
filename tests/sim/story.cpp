#include "tests/sim/story.hpp"

#include <algorithm>

#include "schema/context.hpp"
#include "schema/pipeline_condition.hpp"

namespace ordo::sim {

bool Story::is_done(StepIndex step) const {
  const auto fanned = branches.find(step);
  if (fanned == branches.end()) return done.contains({step, 0});
  const auto its = std::count_if(done.begin(), done.end(),
                                 [&](const auto& one) { return one.first.first == step; });
  return static_cast<std::size_t>(its) == fanned->second;
}

bool Story::is_chained(StepIndex step) const {
  const Step& definition = pipeline->steps[step];
  return !definition.each.empty() && definition.when.empty() && definition.after.size() == 1 &&
         pipeline->steps[definition.after.front()].each == definition.each;
}

bool Story::is_detour(StepIndex step) const {
  const auto& steps = pipeline->steps;
  return steps[step].after.empty() && std::any_of(steps.begin(), steps.end(), [&](const Step& one) {
           return one.on_timeout_step == steps[step].name;
         });
}

bool Story::is_detour_over(StepIndex step) const {
  if (taken.contains(step)) return false;
  for (StepIndex wait = 0; wait < pipeline->steps.size(); ++wait) {
    const bool leads = pipeline->steps[wait].on_timeout_step == pipeline->steps[step].name;
    if (leads && !is_done(wait)) return false;
  }
  return true;
}

bool Story::is_dead(StepIndex step) const {
  const auto& after = pipeline->steps[step].after;
  return !after.empty() &&
         std::all_of(after.begin(), after.end(), [&](StepIndex one) { return is_skipped(one); });
}

bool Story::is_skipped(StepIndex step) const {
  return !branches.contains(step) && skipped.contains({step, 0});
}

bool Story::is_over() const {
  if (status != OrderStatus::kSucceeded) return is_final(status);
  for (StepIndex step = 0; step < pipeline->steps.size(); ++step) {
    if (!is_done(step)) return false;
  }
  return true;
}

bool Story::may_open(const Spot& spot) const {
  if (is_detour(spot.first) && !taken.contains(spot.first)) return false;
  const auto& after = pipeline->steps[spot.first].after;
  if (is_chained(spot.first) && branches.contains(after.front())) {
    return done.contains({after.front(), spot.second});
  }
  return std::all_of(after.begin(), after.end(), [&](StepIndex step) { return is_done(step); });
}

bool Story::condition_holds(StepIndex step) const {
  const std::string& when = pipeline->steps[step].when;
  ContextFields fields(context);
  return when.empty() || pipeline::holds(when, [&](auto field) { return fields.value(field); });
}

std::optional<std::size_t> Story::list_size(StepIndex step) const {
  ContextFields fields(context);
  const auto list = fields.list(pipeline->steps[step].each);
  if (!list || list->size() > limits::kBranches) return std::nullopt;
  return list->size();
}

void Story::fan_out(StepIndex step, std::size_t count) {
  branches[step] = count;
  for (const StepIndex next : pipeline->steps[step].before) {
    if (is_chained(next)) fan_out(next, count);
  }
}

bool Story::is_complete() const {
  for (StepIndex step = 0; step < pipeline->steps.size(); ++step) {
    if (!pipeline->steps[step].async && !is_done(step)) return false;
  }
  return true;
}

std::optional<Story::Spot> Story::forgotten() const {
  for (const Spot& spot : spots()) {
    if (may_open(spot) && !opened.contains(spot) && !done.contains(spot)) return spot;
  }
  return std::nullopt;
}

// ---- the way back ------------------------------------------------------------------------------

bool Story::comes_after(StepIndex later, StepIndex earlier) const {
  if (later == earlier) return true;
  const auto& after = pipeline->steps[later].after;
  if (std::any_of(after.begin(), after.end(),
                  [&](StepIndex one) { return comes_after(one, earlier); })) {
    return true;
  }
  for (StepIndex wait = 0; wait < pipeline->steps.size(); ++wait) {
    const bool leads = pipeline->steps[wait].on_timeout_step == pipeline->steps[later].name;
    if (leads && comes_after(wait, earlier)) return true;
  }
  return false;
}

bool Story::concern(const Spot& one, const Spot& other) const {
  const auto head = [&](StepIndex step) {
    while (is_chained(step) && branches.contains(pipeline->steps[step].after.front())) {
      step = pipeline->steps[step].after.front();
    }
    return step;
  };
  const bool is_one_chain = branches.contains(one.first) && head(one.first) == head(other.first);
  return !is_one_chain || one.second == other.second;
}

std::vector<Story::Spot> Story::spots() const {
  std::vector<Spot> all;
  for (StepIndex step = 0; step < pipeline->steps.size(); ++step) {
    const auto fanned = branches.find(step);
    const std::size_t count = fanned == branches.end() ? 1 : fanned->second;
    for (std::size_t branch = 0; branch < count; ++branch) {
      all.emplace_back(step, static_cast<BranchIndex>(branch));
    }
  }
  return all;
}

bool Story::must_undo(const Spot& spot) const {
  if (pipeline->steps[spot.first].compensate.empty()) return false;
  return cut.contains(spot) || (done.contains(spot) && !skipped.contains(spot));
}

std::optional<Story::Spot> Story::undone_first(const Spot& spot) const {
  for (const Spot& other : spots()) {
    if (other.first == spot.first || !comes_after(other.first, spot.first)) continue;
    if (must_undo(other) && !undone.contains(other) && concern(spot, other)) return other;
  }
  return std::nullopt;
}

bool Story::owes_forward() const {
  return std::any_of(rows.begin(), rows.end(), [](const auto& row) {
    return row.first.kind == TaskKind::kForward || row.first.kind == TaskKind::kFallback;
  });
}

std::optional<Story::Spot> Story::left_done() const {
  if (owes_forward()) return std::nullopt;
  for (const Spot& spot : spots()) {
    if (!must_undo(spot) || undone.contains(spot) || undone_first(spot)) continue;
    const bool is_begun = std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
      return row.first.kind == TaskKind::kCompensate && row.first.step == spot.first &&
             row.first.branch == spot.second;
    });
    if (!is_begun) return spot;
  }
  return std::nullopt;
}

}  // namespace ordo::sim
