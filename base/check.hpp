// ORDO_CHECK: what must hold, always, also in release. A false one is a bug of ours, never bytes
// from outside: it prints the condition, the place and the values, and stops the process
// (crash-only: a restart recovers from the tables, and nothing that was not committed has been
// announced).
//
// Costs: one predictable branch; values are formatted only on failure.
#pragma once

#include <sstream>
#include <string>

namespace ordo {

/// Prints "check failed: CONDITION at FILE:LINE: VALUES" on stderr and aborts.
[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& values);

template <class... Values> std::string describe_values(const Values&... values) {
  std::ostringstream out;
  ((out << ' ' << values), ...);
  return out.str();
}

}  // namespace ordo

#define ORDO_CHECK(condition, ...)                                                                \
  do {                                                                                            \
    if (!(condition)) [[unlikely]]                                                                \
      ::ordo::check_failed(#condition, __FILE__, __LINE__, ::ordo::describe_values(__VA_ARGS__)); \
  } while (false)
