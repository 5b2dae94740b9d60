#include "worker/app/handlers.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "schema/context.hpp"
#include "schema/limits.hpp"
#include "schema/text.hpp"
#include "worker/net/run.hpp"

namespace ordo::worker {
namespace {

Outcome outcome_of(TaskOutcome::Kind kind) {
  switch (kind) {
    case TaskOutcome::Kind::kSucceeded: return Outcome::kSucceeded;
    case TaskOutcome::Kind::kTransient: return Outcome::kTransient;
    case TaskOutcome::Kind::kPermanent: return Outcome::kPermanent;
    case TaskOutcome::Kind::kSnooze: return Outcome::kSnooze;
    case TaskOutcome::Kind::kUnknown: return Outcome::kUnknown;
  }
  return Outcome::kTransient;
}

Ending broken(std::string error) {
  Ending ending;
  ending.outcome = Outcome::kTransient;
  ending.error = std::move(error);
  return ending;
}

}  // namespace

Ending to_ending(TaskOutcome outcome) {
  if (outcome.result.size() > limits::kResultBytes) {
    return broken("the handler's result has " + std::to_string(outcome.result.size()) +
                  " bytes, the bound is " + std::to_string(limits::kResultBytes));
  }
  if (!outcome.context.empty()) {
    const auto checked = check_context(outcome.context, limits::kStepContextBytes, "context");
    if (!checked) return broken("the handler's " + checked.error().message);
  }
  const bool is_snooze = outcome.kind == TaskOutcome::Kind::kSnooze;
  const Millis longest = is_snooze ? Millis{limits::kDelayMax} : Millis{limits::kRetryCap};
  Ending ending;
  ending.outcome = outcome_of(outcome.kind);
  ending.result = std::move(outcome.result);
  ending.context = std::move(outcome.context);
  ending.error = clean_text(outcome.error, limits::kTextBytes);
  ending.reason = clean_text(outcome.reason, limits::kTextBytes);
  ending.delay = std::clamp(Millis{outcome.delay}, Millis{0}, longest);
  return ending;
}

TaskOutcome Handlers::call(Task& task) const {
  try {
    const auto found = by_name.find(task.handler());
    if (found == by_name.end()) {
      return transient("this worker has no handler `" + task.handler() + "`");
    }
    for (const auto& hook : before) hook(task);
    return found->second(task);
  } catch (const std::exception& error) {
    return transient(error.what());
  } catch (...) {
    return transient("the handler threw something that is no std::exception");
  }
}

Ending Handlers::execute(const std::shared_ptr<Run>& run) const {
  Task task(run);
  TaskOutcome outcome = call(task);
  try {
    for (const auto& hook : after) hook(task, outcome);
  } catch (const std::exception& error) {
    outcome = transient(error.what());
  } catch (...) {
    outcome = transient("a hook threw something that is no std::exception");
  }
  return to_ending(std::move(outcome));
}

}  // namespace ordo::worker
