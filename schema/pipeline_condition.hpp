// The conditions of `when`: checked when a pipeline is read, so that a wrong one never waits for an
// order, and judged when a step would open.
//
// Shapes:  condition = both { "or" both }; both = single { "and" single };
//          single = "not" single | "(" condition ")" | field op value;
//          op = == != < <= > >=; value = number, 'text' or "text", true, false, null.
//          A comparison with a field that is not there is false, whatever its operator; values of
//          two types are never equal and have no order; texts are ordered by their bytes.
// Errors:  the first fault: its offset in the text, what is wrong, what to write instead.
// Threads: pure function.
// Costs:   one pass, to check as to judge; nesting is bounded, so that brackets cannot exhaust the
//          stack.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "schema/context.hpp"

namespace ordo::pipeline {

/// Bytes of a condition: what one can still read in one line of an editor, several times over.
inline constexpr std::size_t kConditionBytes = 1024;
/// How deep brackets and nots may nest.
inline constexpr std::size_t kConditionDepth = 16;

struct ConditionFault {
  std::size_t offset = 0;
  std::string what;
  std::string instead;
};

/// What is wrong with a condition; nullopt where nothing is.
std::optional<ConditionFault> check_condition(std::string_view text);

/// What a field of the order's context holds.
using Lookup = std::function<FieldValue(std::string_view field)>;

/// Whether a condition that was checked holds for these fields; one with a fault never does.
bool holds(std::string_view condition, const Lookup& lookup);

}  // namespace ordo::pipeline
