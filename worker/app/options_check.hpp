// What is wrong with a worker's options, found before it starts: a typing error must not become a
// worker that dials for ever.
//
// Errors:  kMalformed; one sentence with the option, where it is set, its bound and what to do.
// Threads: pure functions.
#pragma once

#include <string>

#include "ordo/worker.hpp"

namespace ordo::worker {

/// The options as a whole; registrations are the worker's own to check.
Result<void> check_options(const WorkerOptions& options);

/// "tcp://host:port" of what people write ("host:port" means the same), or what is wrong with it.
/// A host is a name, an IPv4 address or an IPv6 one in brackets; a port is 1 to 65,535.
Result<std::string> to_endpoint(const std::string& text);

}  // namespace ordo::worker
