// One line of a log: a short fixed sentence ("shard opened") and named fields.
//
// Shapes:  text for people: `TIME LEVEL sentence key=value`; JSON for machines: one object with
//          time, level, message and the fields. Every JSON line is one valid object: bytes that are
//          no UTF-8 become U+FFFD, control characters are escaped. Nobody can forge a line.
// Bounds:  kTextBytes of each text, then `…`.
// Rule:    payloads, results, contexts and passwords are never logged.
// Errors:  none. Threads: pure functions, except now_text(), which reads the clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace ordo::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class Form : std::uint8_t { kText, kJson };

/// Enough for an error's sentence; a stack that somebody made an error is cut.
inline constexpr std::size_t kTextBytes = 1024;

struct Field {
  using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string_view>;

  template <class T>
  Field(std::string_view field_key, const T& field_value)
      : key(field_key), value(to_value(field_value)) {}

  std::string_view key;
  Value value;

 private:
  template <class T> static Value to_value(const T& given) {
    if constexpr (std::is_same_v<T, bool>) {
      return given;
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(given);
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      return static_cast<std::int64_t>(given);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<std::uint64_t>(given);
    } else {
      return std::string_view(given);
    }
  }
};
using Fields = std::initializer_list<Field>;

std::string_view to_string(Level level);
/// `word` is debug, info, warn, error or off; kInfo for anything else.
Level level_of(std::string_view word);

/// The line without its end; `time` is put in as it is.
std::string line(Form form, Level level, std::string_view time, std::string_view message,
                 std::span<const Field> fields);
inline std::string line(Form form, Level level, std::string_view time, std::string_view message,
                        Fields fields) {
  return line(form, level, time, message, std::span(fields.begin(), fields.size()));
}

/// Now as 2026-01-31T23:59:59.999Z.
std::string now_text();

}  // namespace ordo::log
