// What one write of an order opens. It is gathered before any row comes: a list that does not fit
// ends the order, and a row cannot come and go in one write.
//
// Shapes:  lives for one write; `done` grows while it is gone through.
// Threads: the engine's owner.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/core/state.hpp"
#include "schema/context.hpp"

namespace ordo {

struct Engine::State::Opening {
  explicit Opening(const Order& order) { fields.emplace(order.row.context); }

  std::optional<ContextFields> fields;  ///< of the order's context as it is now
  std::vector<std::pair<StepIndex, BranchIndex>> tasks;
  std::vector<StepIndex> done;      ///< their successors are to be looked at
  std::vector<StepIndex> parked;    ///< misfits of what may not end the order
  std::optional<StepIndex> misfit;  ///< its `each` names no list that can be fanned out
  std::string error;                ///< why not
};

}  // namespace ordo
