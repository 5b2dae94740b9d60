#include "examples/demo/record_checker.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace ordo::demo {
namespace {

constexpr std::size_t kExamples = 5;

void add(Finding& finding, const std::string& sentence) {
  ++finding.count;
  if (finding.examples.size() < kExamples) finding.examples.push_back(sentence);
}

bool is_ended(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

/// Whether an event says for good what came of a step.
bool closes_step(const EventRecord& event) {
  return event.kind == "succeeded" || event.kind == "failed" || event.kind == "operator_skip" ||
         event.kind == "operator_complete";
}

/// Whether nothing more is to come of the step, so that others may open.
bool is_done(const EventRecord& event) {
  return event.kind == "skipped" || event.kind == "signalled" ||
         (closes_step(event) && event.kind != "failed");
}

/// Whether an event records what a handler answered; a wait has none.
bool is_result(const EventRecord& event) {
  return event.attempt > 0 && (event.kind == "succeeded" || event.kind == "failed");
}

std::string named(const EventRecord& event) {
  return effect_key(event) + " attempt " + std::to_string(event.attempt);
}

using Ledgered = std::unordered_map<std::string, std::vector<const shop::Effect*>>;

void check_orders(const Acks& acks, const Tables& tables, Verdict& verdict) {
  std::unordered_map<std::string, const OrderRecord*> there;
  for (const OrderRecord& order : tables.orders) {
    if (!there.emplace(order.id, &order).second) {
      add(verdict.duplicate_records, order.id + " is in the tables twice");
    }
    const bool is_own = tables.own.count(order.pipeline) != 0;
    if (!is_own && acks.tried.count(order.id) == 0)
      add(verdict.unexpected, order.id + " was never submitted");
    if (acks.refused.count(order.id) != 0) {
      add(verdict.unexpected, order.id + " was refused and is there");
    }
  }
  for (const std::string& id : acks.acked) {
    const auto found = there.find(id);
    if (found == there.end()) {
      add(verdict.lost, id + " was acknowledged and is not in the tables");
    } else if (!is_ended(found->second->status) && found->second->status != "parked" &&
               !found->second->is_owed) {
      add(verdict.lost, id + " was acknowledged and is still " + found->second->status);
    }
  }
}

void check_result(const EventRecord& event, const Ledgered& ledgered, Verdict& verdict) {
  const auto found = ledgered.find(effect_key(event));
  if (found == ledgered.end()) {
    return add(verdict.unexecuted, named(event) + " is recorded and no ledger knows it");
  }
  const std::string outcome = event.kind == "succeeded" ? "succeeded" : "permanent";
  const auto fits = [&](const shop::Effect* effect) {
    return effect->attempt == event.attempt && effect->outcome == outcome;
  };
  if (std::none_of(found->second.begin(), found->second.end(), fits)) {
    add(verdict.wrong_attempt,
        named(event) + " is recorded as " + event.kind + ", no ledger has that");
  }
}

using StepsOfOrders = std::unordered_map<std::string, std::set<std::string>>;

/// Each event on its own; returns the steps of each order that are done.
StepsOfOrders check_events(const Tables& tables, const Ledgered& ledgered, Verdict& verdict) {
  StepsOfOrders done;
  std::unordered_set<std::string> closed;
  std::unordered_set<std::string> ended;
  for (const EventRecord& event : tables.events) {
    if (closes_step(event) && !closed.insert(effect_key(event)).second) {
      add(verdict.duplicate_records, named(event) + " is recorded twice");
    }
    if (is_ended(event.status) && !ended.insert(event.order).second) {
      add(verdict.duplicate_records, event.order + " has ended twice");
    }
    const bool is_logged = tables.unlogged.count(event.step) == 0;
    if (is_result(event) && is_logged) check_result(event, ledgered, verdict);
    if (is_done(event)) done[event.order].insert(event.step);
  }
  return done;
}

void check_complete(const Tables& tables, const StepsOfOrders& done, Verdict& verdict) {
  static const std::set<std::string> kNone;
  for (const OrderRecord& order : tables.orders) {
    if (order.status != "succeeded") continue;
    const auto steps = tables.steps.find(order.pipeline);
    if (steps == tables.steps.end()) continue;
    const auto aside = tables.aside.find(order.pipeline);
    const auto& need_not = aside == tables.aside.end() ? kNone : aside->second;
    const auto found = done.find(order.id);
    const auto& has = found == done.end() ? kNone : found->second;
    for (const std::string& step : steps->second) {
      if (has.count(step) + need_not.count(step) > 0) continue;
      add(verdict.incomplete, order.id + " succeeded without " + step);
    }
  }
}

}  // namespace

std::string effect_key(const EventRecord& event) {
  return event.order + '/' + event.step + '/' + std::to_string(event.branch) + '/' +
         event.task_kind;
}

Verdict check_records(const Acks& acks, const std::vector<shop::Effect>& ledger,
                      const Tables& tables) {
  Verdict verdict;
  Ledgered ledgered;
  for (const shop::Effect& effect : ledger) ledgered[effect.key].push_back(&effect);
  for (const auto& [key, effects] : ledgered) {
    const auto succeeded = std::count_if(effects.begin(), effects.end(), [](const shop::Effect* e) {
      return e->outcome == "succeeded";
    });
    if (succeeded > 1) verdict.repeated_effects += static_cast<std::uint64_t>(succeeded - 1);
  }
  check_orders(acks, tables, verdict);
  check_complete(tables, check_events(tables, ledgered, verdict), verdict);
  return verdict;
}

}  // namespace ordo::demo
