// What must hold about dependencies that do not work.
#include "broker/core/turns.hpp"
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

/// One task of a value at a time, in the queue of one shard and as far as one owner knows; and one
/// that waits for its next attempt keeps its turn, whoever the owner is.
void Checker::check_turn(const wire::Offer& offer) {
  const Story* order = story(offer.key.order);
  if (order == nullptr || offer.key.kind != TaskKind::kForward) return;
  const auto& field = order->pipeline->steps[offer.key.step].limit_key;
  const std::string value = field.empty() ? std::string{} : turn_value(order->context, field);
  const auto shard = static_cast<ShardNumber>(offer.key.order.shard());
  if (value.empty() || offer.fence.epoch != databases_.at(shard)->epoch()) return;
  auto& others = at_work_[{shard, offer.queue, value}];
  std::erase_if(others, [&](const auto& other) {
    const auto& [key, fence] = other;
    const auto& rows = story(key.order)->rows;
    const auto row = rows.find(key);
    return fence.epoch != offer.fence.epoch || row == rows.end() ||
           row->second.attempt >= fence.attempt || row->second.state == TaskState::kParked;
  });
  others[offer.key] = offer.fence;
  if (others.size() > 1) {
    const auto& other =
        others.begin()->first == offer.key ? *std::next(others.begin()) : *others.begin();
    fail("one at a time", offer.key.order,
         describe(offer.key) + " is offered beside " + describe(other.first) + " of order " +
             other.first.order.to_string() + " for " + value);
  }
  for (const auto& [id, its] : stories_) {
    if (id.shard() != offer.key.order.shard()) continue;
    for (const auto& [key, row] : its.rows) {
      if (row.state != TaskState::kScheduled || row.attempt == 0 || key == offer.key) continue;
      if (key.kind != TaskKind::kForward) continue;
      const Step& step = its.pipeline->steps[key.step];
      if (step.queue != offer.queue || step.limit_key.empty()) continue;
      if (turn_value(its.context, step.limit_key) == value) {
        fail("a retry keeps its turn", offer.key.order,
             describe(offer.key) + " is offered before " + describe(key) + " of order " +
                 id.to_string() + " for " + value);
      }
    }
  }
}

}  // namespace ordo::sim
