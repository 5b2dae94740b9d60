// What must hold about dependencies that do not work.
#include "tests/sim/checker.hpp"
#include "tests/sim/network.hpp"

namespace ordo::sim {

void Checker::noticed(int broker, const std::vector<Fact>& facts) {
  for (auto& [at, seen] : breakers_) seen.was_open = seen.is_open;
  for (const Fact& fact : facts) {
    if (fact.kind != FactKind::kDependencyState) continue;
    breakers_[{broker, *fact.dependency}].is_open = fact.text == "open";
  }
}

/// Handlers bear the names of what they call.
void Checker::check_breaker(int broker, const wire::Offer& offer) const {
  const auto seen = breakers_.find({broker, offer.handler});
  if (seen == breakers_.end() || !seen->second.was_open || !seen->second.is_open) return;
  fail("an open breaker admits nothing", offer.key.order, describe(offer.key) + " is offered");
}

}  // namespace ordo::sim
