#include "examples/shop/verify/verify.hpp"

#include <array>

namespace ordo::shop {
namespace {

constexpr std::size_t kExamples = 5;

struct Rule {
  const char* name;
  void (*check)(const Records&, Finding&);
  bool needs_ledgers = false;
  bool needs_acks = false;
};
constexpr std::array kRules{
    Rule{"I1", check_acks, false, true},
    Rule{"I2", check_effects, true},
    Rule{"I3", check_owed},
    Rule{"I4", check_sequence},
    Rule{"I5", check_undone, true},
    Rule{"I7", check_money, true},
    Rule{"I8", check_retries},
    Rule{"I9", check_parked},
    Rule{"I12", check_counters, true},
    Rule{"I13", check_rest},
};

constexpr std::array<const char*, 4> kKinds{"forward", "compensate", "deadline", "fallback"};

}  // namespace

void Finding::add(const std::string& sentence) {
  ++count;
  if (examples.size() < kExamples) examples.push_back(sentence);
}

bool is_ended(const std::string& status) {
  return status == "succeeded" || status == "failed" || status == "cancelled";
}

Records::Records(const World& given) : world(given) {
  for (const OrderFact& order : world.orders) orders.emplace(order.id, &order);
  for (const EventFact& event : world.events) {
    events[event.order].push_back(&event);
    of_task[{event.order, event.step, event.branch, event.task_kind}].push_back(&event);
  }
  for (const OwedFact& row : world.owed) owed[row.order].push_back(&row);
}

const Pipeline* Records::pipeline_of(const std::string& order) const {
  const auto found = orders.find(order);
  if (found == orders.end()) return nullptr;
  const auto pipeline = world.pipelines.find(found->second->pipeline);
  return pipeline == world.pipelines.end() ? nullptr : &pipeline->second;
}

const Step* Records::step_of(const std::string& order, int step) const {
  const Pipeline* const pipeline = pipeline_of(order);
  const auto index = static_cast<std::size_t>(step);
  if (pipeline == nullptr || step < 0 || index >= pipeline->steps.size()) return nullptr;
  return &pipeline->steps[index];
}

std::string Records::name_of(const TaskKey& task) const {
  const Step* const step = step_of(task.order, task.step);
  const std::string name = step == nullptr ? std::to_string(task.step) : step->name;
  const auto kind = static_cast<std::size_t>(task.task_kind);
  return task.order + '/' + name + '/' + std::to_string(task.branch) + '/' +
         (kind < kKinds.size() ? kKinds[kind] : "?");
}

std::vector<Finding> verify(const World& world) {
  const Records records(world);
  std::vector<Finding> findings;
  for (const Rule& rule : kRules) {
    Finding finding{.rule = rule.name};
    if (rule.needs_ledgers && world.ledgers.empty()) finding.missing = "ledgers";
    if (rule.needs_acks && !world.acked) finding.missing = "acks";
    if (finding.missing.empty()) rule.check(records, finding);
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace ordo::shop
