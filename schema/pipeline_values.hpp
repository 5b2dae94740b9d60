// The values that stand in a pipeline's text: durations, numbers, names; and the nearest word to a
// mistyped one.
//
// Units:   durations are a whole number and one of ms, s, m, h, d.
// Errors:  each reader adds one problem that says what to write instead, and answers nullopt.
// Threads: pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "schema/pipeline_yaml.hpp"

namespace ordo::pipeline {

/// "300ms", "5s", "15m", "2h", "30d": the largest unit that leaves a whole number.
std::string format_duration(Millis duration);

struct DurationBounds {
  Millis min;
  Millis max;
};
struct NumberBounds {
  double min;
  double max;
};

/// `key` names the value in problems.
std::optional<Millis> read_duration(const Node& node, std::string_view key, DurationBounds bounds,
                                    Problems& problems);
std::optional<std::int64_t> read_integer(const Node& node, std::string_view key,
                                         NumberBounds bounds, Problems& problems);
std::optional<double> read_number(const Node& node, std::string_view key, NumberBounds bounds,
                                  Problems& problems);
std::optional<bool> read_bool(const Node& node, std::string_view key, Problems& problems);
/// A name of [a-z0-9_.-]{1,64}.
std::optional<std::string> read_name(const Node& node, std::string_view key, Problems& problems);
/// A field of the context: names of letters, digits and _, joined by dots.
std::optional<std::string> read_field(const Node& node, std::string_view key, Problems& problems);

/// The word of `known` that is nearest to `word`, as "did you mean `x`?"; empty where none is near.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

/// Whether `word` is a field of the context: the rule of read_field.
bool is_field(std::string_view word);

}  // namespace ordo::pipeline
