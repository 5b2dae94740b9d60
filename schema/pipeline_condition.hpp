// The conditions of `when`: checked when a pipeline is read, so that a wrong one never waits for an
// order.
//
// Shapes:  condition = both { "or" both }; both = single { "and" single };
//          single = "not" single | "(" condition ")" | field op value;
//          op = == != < <= > >=; value = number, 'text' or "text", true, false, null.
// Errors:  the first fault: its offset in the text, what is wrong, what to write instead.
// Threads: pure function.
// Costs:   one pass; nesting is bounded, so that brackets cannot exhaust the stack.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

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

}  // namespace ordo::pipeline
