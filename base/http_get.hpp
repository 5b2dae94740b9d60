// One HTTP GET: how a command line asks a process for its health. Over plain HTTP, no redirects.
//
// Errors:  kMalformed "url"; kUnavailable "http" where nobody answers in time. Any status is an
//          answer.
// Bounds:  the body is cut at 16 MiB (a scrape is a few MiB at most).
// Threads: any; blocks the caller for `patience` at most per phase (connect, send,
//          receive), and three times that for a long answer.
#pragma once

#include <string>

#include "base/time.hpp"
#include "ordo/result.hpp"

namespace ordo {

struct HttpReply {
  int status = 0;
  std::string type;
  std::string body;
};

/// `url` as "http://host:port/path".
Result<HttpReply> http_get(const std::string& url, Millis patience = Millis{2000});

}  // namespace ordo
