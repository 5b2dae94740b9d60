#include "schema/pipeline_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "schema/text.hpp"

namespace ordo::pipeline {
namespace {

struct Unit {
  std::string_view word;
  std::int64_t ms;
};
constexpr std::array kUnits{Unit{"d", 86'400'000}, Unit{"h", 3'600'000}, Unit{"m", 60'000},
                            Unit{"s", 1000}, Unit{"ms", 1}};

/// The longest digits of a duration that are read: 15 digits of days stay inside 64 bits of ms.
constexpr std::size_t kDurationDigits = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string quoted(std::string_view key) { return "`" + std::string(key) + "`"; }

std::string between(DurationBounds bounds) {
  return format_duration(bounds.min) + " to " + format_duration(bounds.max);
}

std::string format_number(double value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

std::string between(NumberBounds bounds) {
  return format_number(bounds.min) + " to " + format_number(bounds.max);
}

/// What a duration without a good unit should have been.
std::string duration_advice(std::string_view digits, std::string_view rest) {
  constexpr std::string_view kForm =
      "write a whole number and ms, s, m, h or d, such as `300ms` or `15m`";
  if (digits.empty()) return std::string(kForm);
  const std::string number(digits);
  if (rest.empty()) return "give it a unit: `" + number + "s` or `" + number + "ms`";
  constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kWords{
      {{"sec", "s"},
       {"secs", "s"},
       {"second", "s"},
       {"seconds", "s"},
       {"S", "s"},
       {"min", "m"},
       {"mins", "m"},
       {"minute", "m"},
       {"minutes", "m"},
       {"hour", "h"},
       {"hours", "h"},
       {"hr", "h"},
       {"day", "d"},
       {"days", "d"},
       {"msec", "ms"},
       {"millis", "ms"}}};
  const auto trimmed = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  for (const auto& [word, unit] : kWords) {
    if (trimmed == word) return "write `" + number + std::string(unit) + "`";
  }
  return std::string(kForm);
}

/// A name made of what was written, where little has to change.
std::string name_like(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    const char lower = is_upper ? static_cast<char>(c - 'A' + 'a') : c;
    name += is_name(std::string_view(&lower, 1)) ? lower : '_';
  }
  return name.substr(0, limits::kNameBytes);
}

/// Letters to add, leave out, change or swap with a neighbour (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({row[j - 1] + 1, last[j] + 1, change});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], above[j - 2] + 1);
    }
    above.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

/// How many letters may be wrong for a slip: one in three, and one more where the start is right.
std::size_t slips(std::string_view word, std::string_view candidate) {
  constexpr std::size_t kStart = 3;
  const bool same_start = word.substr(0, kStart) == candidate.substr(0, kStart);
  return word.size() / 3 + (same_start && word.size() > kStart ? 1 : 0);
}

}  // namespace

std::string format_duration(Millis duration) {
  for (const Unit& unit : kUnits) {
    const bool is_one_day = duration == std::chrono::hours(24);  // people say 24h
    if (is_one_day && unit.word == "d") continue;
    if (duration.count() != 0 && duration.count() % unit.ms == 0) {
      return std::to_string(duration.count() / unit.ms) + std::string(unit.word);
    }
  }
  return std::to_string(duration.count()) + "ms";
}

std::optional<Millis> read_duration(const Node& node, std::string_view key, DurationBounds bounds,
                                    Problems& problems) {
  const std::string_view text = node.text;
  const auto split =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const std::string_view digits = text.substr(0, split);
  const std::string_view rest = text.substr(split);
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.word == rest; });
  if (!node.is_scalar() || digits.empty() || unit == kUnits.end()) {
    problems.add(node.at, quoted(key) + " is a duration, not " + describe(node),
                 duration_advice(digits, rest));
    return std::nullopt;
  }
  std::int64_t count = 0;
  const bool is_long = digits.size() > kDurationDigits;
  if (!is_long) std::from_chars(digits.data(), digits.data() + digits.size(), count);
  const Millis value{count * unit->ms};
  if (is_long || value < bounds.min || value > bounds.max) {
    problems.add(node.at, quoted(key) + " is " + describe(node), "it may be " + between(bounds));
    return std::nullopt;
  }
  return value;
}

std::optional<double> read_number(const Node& node, std::string_view key, NumberBounds bounds,
                                  Problems& problems) {
  double value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  if (!node.is_scalar() || error == std::errc::invalid_argument || stop != end ||
      !std::isfinite(value)) {
    problems.add(node.at, quoted(key) + " is a number, not " + describe(node),
                 "it may be " + between(bounds));
    return std::nullopt;
  }
  if (error != std::errc{} || value < bounds.min || value > bounds.max) {
    problems.add(node.at, quoted(key) + " is " + describe(node), "it may be " + between(bounds));
    return std::nullopt;
  }
  return value;
}

std::optional<std::int64_t> read_integer(const Node& node, std::string_view key,
                                         NumberBounds bounds, Problems& problems) {
  const auto value = read_number(node, key, bounds, problems);
  if (!value) return std::nullopt;
  if (!std::all_of(node.text.begin(), node.text.end(), is_digit)) {
    problems.add(node.at, quoted(key) + " is a whole number, not " + describe(node),
                 "it may be " + between(bounds));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*value);
}

std::optional<bool> read_bool(const Node& node, std::string_view key, Problems& problems) {
  if (node.is_scalar() && node.text == "true") return true;
  if (node.is_scalar() && node.text == "false") return false;
  problems.add(node.at, quoted(key) + " is true or false, not " + describe(node),
               "write `true` or `false`");
  return std::nullopt;
}

std::optional<std::string> read_name(const Node& node, std::string_view key, Problems& problems) {
  if (node.is_scalar() && is_name(node.text)) return node.text;
  std::string advice = "use a-z, 0-9, `_`, `.` and `-`, at most 64";
  if (node.is_scalar() && !node.text.empty()) advice += ": `" + name_like(node.text) + "`";
  problems.add(node.at, quoted(key) + " is a name, not " + describe(node), advice);
  return std::nullopt;
}

bool is_field(std::string_view word) {
  if (word.empty() || word.size() > limits::kNameBytes) return false;
  bool is_start = true;  // of a name between dots, where a digit may not stand
  for (const char c : word) {
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (c == '.' ? is_start : !(is_letter || (is_digit(c) && !is_start))) return false;
    is_start = c == '.';
  }
  return !is_start;
}

std::optional<std::string> read_field(const Node& node, std::string_view key, Problems& problems) {
  if (node.is_scalar() && is_field(node.text)) return node.text;
  problems.add(node.at, quoted(key) + " is a field of the context, not " + describe(node),
               "write its name, such as `parcels` or `customer.level`");
  return std::nullopt;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  std::size_t best = limits::kNameBytes;
  std::string_view found;
  for (const std::string_view candidate : known) {
    if (word.size() > limits::kNameBytes || candidate.empty()) continue;
    const std::size_t d = distance(word, candidate);
    if (d > slips(word, candidate) || d >= best) continue;
    best = d;
    found = candidate;
  }
  return found.empty() ? std::string() : "did you mean `" + std::string(found) + "`?";
}

}  // namespace ordo::pipeline
