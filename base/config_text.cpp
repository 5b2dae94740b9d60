#include "base/config_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "base/config.hpp"

namespace ordo {
namespace {

struct Unit {
  std::string_view word;
  std::uint64_t size;
};
// Largest first, so that printing finds the shortest form. Parsing compares whole words.
constexpr std::array<Unit, 5> kDurations{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 3> kSizes{{{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}}};

/// The number at the front; what follows it is left in `text`.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

template <std::size_t N>
std::optional<std::uint64_t> scaled(std::uint64_t number, std::string_view word,
                                    const std::array<Unit, N>& units) {
  for (const auto& unit : units) {
    if (unit.word != word) continue;
    // Far below what 64 bits of microseconds hold: a configured value never overflows later
    // arithmetic.
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50;
    if (number > kMost / unit.size) return std::nullopt;
    return number * unit.size;
  }
  return std::nullopt;
}

template <std::size_t N>
std::string unscaled(std::uint64_t value, const std::array<Unit, N>& units) {
  for (const auto& unit : units) {
    if (value != 0 && value % unit.size == 0)
      return std::to_string(value / unit.size) + std::string(unit.word);
  }
  return std::to_string(value);
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Where the value that starts at `at` ends: at a blank, or at the closing quote of a quoted one.
std::size_t value_end(std::string_view text, std::size_t at) {
  const bool is_quoted = at < text.size() && text[at] == '\'';
  for (std::size_t i = at + (is_quoted ? 1 : 0); i < text.size(); ++i) {
    if (is_quoted && text[i] == '\'' && text[i - 1] != '\\') return i + 1;
    if (!is_quoted && (is_blank(text[i]) || text[i] == ',' || text[i] == '&')) return i;
  }
  return text.size();
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto part = trim(text.substr(0, comma));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string("?");
}

std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string environment_name(std::string_view key, std::string_view prefix) {
  std::string name(prefix);
  for (const char c : key) {
    const bool is_lower = c >= 'a' && c <= 'z';
    name += c == '-' ? '_' : (is_lower ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return name;
}

std::optional<Millis> parse_duration(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  if (*number == 0 && text.empty()) return Millis{0};
  const auto value = scaled(*number, text, kDurations);
  if (!value) return std::nullopt;
  return Millis{static_cast<std::int64_t>(*value)};
}

std::string duration_text(Millis value) {
  if (value.count() == 0) return "0ms";
  return unscaled(static_cast<std::uint64_t>(value.count()), kDurations);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  if (text.empty()) return number;
  return scaled(*number, text, kSizes);
}

std::string bytes_text(std::uint64_t value) { return unscaled(value, kSizes); }

std::string hide_passwords(std::string_view text) {
  std::string out(text);
  // Keyword form, also as a parameter of a URI: password=…
  for (std::size_t at = out.find("password"); at != out.npos; at = out.find("password", at + 1)) {
    std::size_t value = at + 8;
    while (value < out.size() && is_blank(out[value])) ++value;
    if (value >= out.size() || out[value] != '=') continue;
    ++value;
    while (value < out.size() && is_blank(out[value])) ++value;
    out.replace(value, value_end(out, value) - value, "***");
  }
  // URI form: scheme://user:password@host
  for (std::size_t at = out.find("://"); at != out.npos; at = out.find("://", at + 3)) {
    const auto host = out.find('@', at);
    const auto colon = out.find(':', at + 3);
    if (host == out.npos || colon == out.npos || colon > host) continue;
    out.replace(colon + 1, host - colon - 1, "***");
  }
  return out;
}

}  // namespace ordo
