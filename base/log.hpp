// The log of a program: lines (log_line.hpp) on stderr. The home of spdlog.
//
// Errors:  none; a line that cannot be written is gone.
// Threads: any thread. Costs: about 2 µs a line written, nothing below the level; not for hot
//          paths.
#pragma once

#include <span>
#include <string_view>

#include "base/log_line.hpp"

namespace ordo::log {

/// What is written from now on. Until it is called: text, from kInfo on.
void setup(Level least, Form form);
[[nodiscard]] bool is_on(Level level);

void write_all(Level level, std::string_view message, std::span<const Field> fields);
inline void write(Level level, std::string_view message, Fields fields = {}) {
  write_all(level, message, std::span(fields.begin(), fields.size()));
}
inline void debug(std::string_view message, Fields fields = {}) {
  write(Level::kDebug, message, fields);
}
inline void info(std::string_view message, Fields fields = {}) {
  write(Level::kInfo, message, fields);
}
inline void warn(std::string_view message, Fields fields = {}) {
  write(Level::kWarn, message, fields);
}
inline void error(std::string_view message, Fields fields = {}) {
  write(Level::kError, message, fields);
}

}  // namespace ordo::log
