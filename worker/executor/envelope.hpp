// What goes to a service or program about a task, and what comes back, as one JSON object each.
//
// Shapes:  docs/executor.md. Payload and results that are JSON stand in it as they are, byte for
//          byte; others under a name with `_base64`. An answer's result is compact JSON.
// Errors:  open_envelope(): kMalformed "envelope".
// Threads: pure functions.
// Source:  RFC 8259 (JSON), RFC 4648 (base64).
#pragma once

#include <string>
#include <string_view>

#include "ordo/result.hpp"
#include "ordo/task.hpp"

namespace ordo::executor {

std::string make_envelope(const Task& task);

struct OpenedEnvelope {
  std::string result;
  std::string context;  ///< JSON object; empty: none
};
/// `{"result": …, "context": {…}}`; either may be left out.
Result<OpenedEnvelope> open_envelope(std::string_view text);

}  // namespace ordo::executor
