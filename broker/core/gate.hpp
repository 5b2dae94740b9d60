// What may keep ready tasks back: a dependency (by its breaker, its limits or a pause) and a
// pipeline (by a pause). A task that is kept back is `held`: out of its queue's line, so that
// others go on, without a slot and without burning an attempt.
//
// Shapes:  held tasks by queue, the most urgent first; beyond memory `held` rows in `deferred`
//          whose reason is the gate's label.
// Threads: the engine's owner.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "broker/core/limits.hpp"

namespace ordo {

struct Task;

/// Whose turn it is among held tasks: the oldest deadline, where an order without one counts as due
/// an hour after it was accepted, and a step of priority as a minute. So nothing starves.
struct MoreUrgent {
  bool operator()(const Task* a, const Task* b) const;
};

struct Gate {
  enum class Kind : std::uint8_t { kDependency, kPipeline };
  using Held = std::set<Task*, MoreUrgent>;

  Gate(Kind its_kind, std::string its_name)
      : kind(its_kind),
        name(std::move(its_name)),
        label((kind == Kind::kDependency ? "dependency " : "pipeline ") + name) {}

  const Kind kind;
  const std::string name;
  const std::string label;  ///< reason of the rows that it holds
  std::uint32_t index = 0;  ///< in order of first mention
  bool is_paused = false;
  std::string paused_by, paused_why;
  Breaker breaker;  ///< dependencies
  Limit limit;      ///< dependencies
  std::size_t in_flight = 0;
  std::map<std::uint32_t, Held> held;  ///< by queue index
  std::size_t held_count = 0;
  bool is_tended = false;  ///< looked at when a step ends

  /// Whether nothing at all goes out until something changes.
  [[nodiscard]] bool is_shut() const {
    return is_paused || breaker.state() == Breaker::State::kOpen;
  }
  /// Whether nothing is counted: what is ready just goes.
  [[nodiscard]] bool is_wide_open() const {
    return !is_paused && breaker.state() == Breaker::State::kClosed && !limit.is_set();
  }
  [[nodiscard]] bool admits(Steady now) {
    return !is_paused && breaker.admits() && limit.admits(now, in_flight);
  }
  [[nodiscard]] std::size_t held_of(std::uint32_t queue) const {
    const auto found = held.find(queue);
    return found == held.end() ? 0 : found->second.size();
  }
};

}  // namespace ordo
