// Which trace a command's orders belong to: flags, else TRACEPARENT and TRACESTATE as programs
// around this one set them, else none.
//
// Errors:  a flag that is malformed ends the command; a variable that is malformed is said and
//          passed over, because whoever set it may have meant another program.
// Threads: one.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "ordo/client.hpp"

namespace ordo::cli {

struct TraceOptions {
  std::string traceparent, tracestate;
  bool must_draw = false;
};

void add_trace_options(CLI::App& command, TraceOptions& options);

/// Gives the order its trace; false after a complaint.
bool take_trace(const TraceOptions& options, client::Order& order);

}  // namespace ordo::cli
