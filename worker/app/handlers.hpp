// What a worker can do: handlers by name and the hooks around them.
//
// Errors:  execute() never throws: whatever a handler or hook throws is a transient ending with its
//          message, and so is an outcome past its bounds.
// Threads: filled by one thread, then read by every slot.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ordo/task.hpp"
#include "worker/core/events.hpp"

namespace ordo::worker {

struct Handlers {
  std::map<std::string, Handler, std::less<>> by_name;
  std::vector<std::function<void(Task&)>> before;
  std::vector<std::function<void(Task&, const TaskOutcome&)>> after;

  /// Calls hooks and handler of a begun run.
  [[nodiscard]] Ending execute(const std::shared_ptr<Run>& run) const;

 private:
  [[nodiscard]] TaskOutcome call(Task& task) const;
};

/// An outcome in the core's words. What breaks a bound (result, context) becomes transient and says
/// so.
Ending to_ending(TaskOutcome outcome);

}  // namespace ordo::worker
