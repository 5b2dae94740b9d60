// What ordo-doctor prints: findings, the plan of a repair, what became of it; for people and as
// JSON.
//
// Threads: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "broker/store/doctor/doctor.hpp"

namespace ordo::doctor {

/// What is printed beside the findings.
struct Told {
  const Report& report;
  bool has_plan = false;                           ///< with the statements of every repair
  const std::vector<Outcome>* outcomes = nullptr;  ///< null: nothing was repaired
};

std::string to_text(const Told& told);
nlohmann::ordered_json to_json(const Told& told);

/// How many findings there are of a severity, kept or not.
std::uint64_t count_of(const Report& report, Severity severity);
/// How many kept findings have a repair that is safe.
std::size_t repairable(const Report& report);

}  // namespace ordo::doctor
