// The page's files over HTTP, with an ETag each and compressed for who takes that.
//
// Threads: any.
#pragma once

#include "base/http_server.hpp"

namespace ordo::monitor {

/// A route for each file.
void serve_page(HttpServer& server);

}  // namespace ordo::monitor
