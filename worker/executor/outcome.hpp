// What an HTTP answer or the end of a program means to the order: the tables of docs/executor.md.
//
// Rule:    what the configuration says of a status goes before its class (4xx), both before the
//          defaults. Nothing here is tried again: the broker decides that.
// Errors:  none; whatever came is an outcome.
// Threads: pure functions.
// Source:  RFC 9110 section 15 (statuses) and 10.2.3 (Retry-After), RFC 6585, sysexits.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "worker/executor/config.hpp"

namespace ordo::executor {

/// What a service answered: the parts that count.
struct Reply {
  int status = 0;
  std::string body;
  std::optional<std::string> retry_after;
  std::string context;  ///< header Ordo-Context
  std::string reason;   ///< header Ordo-Reason
};

/// How a program ended, and what it said.
struct ProgramEnd {
  enum class How : std::uint8_t { kExited, kKilled, kTimedOut, kCancelled, kFlooded, kNotStarted };
  How how = How::kExited;
  int code = 0;        ///< kExited: its exit code; kKilled: the signal; kNotStarted: errno
  std::string output;  ///< stdout
  std::string errors;  ///< the end of stderr
};

/// How long Retry-After asks to wait: seconds, or a date of HTTP. nullopt for what is neither.
std::optional<Millis> parse_retry_after(std::string_view text, Wall now);

/// What a status means by the configuration and the defaults, Retry-After aside.
Verdict verdict_of(int status, const std::map<int, Verdict>& statuses);

TaskOutcome outcome_of(Reply reply, const Step& step, const std::string& service, Wall now);
TaskOutcome outcome_of(ProgramEnd end, const Step& step);

}  // namespace ordo::executor
