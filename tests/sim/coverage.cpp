#include "tests/sim/coverage.hpp"

namespace ordo::sim {
namespace {

std::string name_of(const Transition& t) {
  return std::string(to_string(t.from)) + " -> " + std::string(to_string(t.to)) + " (" +
         std::string(to_string(t.cause)) + ")";
}

/// What must have happened, beside all transitions.
constexpr std::array kMustHappen{FactKind::kLateStarted, FactKind::kOrderRestored,
                                 FactKind::kOrderMerged, FactKind::kSignalStuck};

std::string line_of(std::uint64_t count, std::string_view name) {
  std::string number = std::to_string(count);
  number.insert(0, number.size() < 10 ? 10 - number.size() : 0, ' ');
  return number + "  " + std::string(name) + "\n";
}

template <class Counts, class Other> void add_up(Counts& counts, const Other& others) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += others[i];
}

}  // namespace

void Coverage::count(const Fact& fact) {
  ++facts_[static_cast<std::size_t>(fact.kind)];
  if (fact.kind != FactKind::kTransition) return;
  for (std::size_t i = 0; i < kTransitions.size(); ++i) {
    const Transition& t = kTransitions[i];
    if (t.from == fact.from && t.cause == fact.cause && t.to == fact.to) ++transitions_[i];
  }
}

void Coverage::add(const Coverage& other) {
  add_up(faults_, other.faults_);
  add_up(transitions_, other.transitions_);
  add_up(facts_, other.facts_);
}

std::vector<std::string> Coverage::missing() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    if (faults_[i] == 0) names.emplace_back(kFaultWords[i]);
  }
  for (std::size_t i = 0; i < transitions_.size(); ++i) {
    if (transitions_[i] == 0) names.push_back(name_of(kTransitions[i]));
  }
  for (const FactKind kind : kMustHappen) {
    if (facts_[static_cast<std::size_t>(kind)] == 0) names.emplace_back(to_string(kind));
  }
  return names;
}

std::string Coverage::table() const {
  std::string text = "faults\n";
  for (std::size_t i = 0; i < faults_.size(); ++i) text += line_of(faults_[i], kFaultWords[i]);
  text += "transitions\n";
  for (std::size_t i = 0; i < transitions_.size(); ++i) {
    text += line_of(transitions_[i], name_of(kTransitions[i]));
  }
  text += "facts\n";
  for (std::size_t i = 0; i < facts_.size(); ++i) text += line_of(facts_[i], kFactWords[i]);
  return text;
}

}  // namespace ordo::sim
