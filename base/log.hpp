// The log: one line an event on stderr, as text for people or JSON for machines. The home of
// spdlog.
//
// Shapes:  an event is a short fixed sentence ("shard opened") and named fields. Text: `TIME LEVEL
//          sentence key=value`; JSON: {"time","level","event",fields…}. Control characters of any
//          value are escaped: nobody can forge a line.
// Rule:    payloads, results, contexts and passwords are never logged.
// Errors:  none; a line that cannot be written is gone.
// Threads: any thread. Costs: about 2 µs a line written, nothing below the level; not for hot
//          paths.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace ordo::log {

enum class Level : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class Form : std::uint8_t { kText, kJson };

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

/// What is written from now on. Until it is called: text, from kInfo on.
void setup(Level least, Form form);
/// `word` is debug, info, warn, error or off; kInfo for anything else.
Level level_of(std::string_view word);
[[nodiscard]] bool is_on(Level level);

void write(Level level, std::string_view event, Fields fields = {});
inline void debug(std::string_view event, Fields fields = {}) {
  write(Level::kDebug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) { write(Level::kInfo, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::kWarn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::kError, event, fields);
}

/// The line without its end, as write() prints it; `time` is put in as it is.
std::string line(Form form, Level level, std::string_view time, std::string_view event,
                 Fields fields);

}  // namespace ordo::log
