// One HTTP request: how a command line asks a process for its health, and how the example shop's
// services tell somebody what happened. Over plain HTTP, no redirects.
//
// Errors:  kMalformed "url"; kUnavailable "http" where nobody answers in time. Any status is an
//          answer.
// Bounds:  the body is cut at 16 MiB (a scrape is a few MiB at most).
// Threads: any; blocks the caller for `patience` at most per phase (connect, send,
//          receive), and three times that for a long answer.
#pragma once

#include <string>
#include <utility>
#include <vector>

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

struct HttpBody {
  std::string body;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers{};
};
/// The same with a body. Whether the other side has acted on a request without an answer is not
/// known.
Result<HttpReply> http_post(const std::string& url, const HttpBody& post,
                            Millis patience = Millis{2000});

}  // namespace ordo
