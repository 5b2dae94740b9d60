// Calls one HTTP service: the home of libcurl.
//
// Rule:    one call is one request. No redirect is followed, no proxy of the environment used, no
//          cookie kept, nothing tried again: also not where a kept connection turns out to be
//          dead, because the service may have read the request before it closed.
// Shapes:  http and https alone, HTTP/1.1; certificates are checked. Connections are kept between
//          calls, one a handle; the handle used last is used next, so that few stay warm.
// Errors:  call() answers what became of it; nothing throws.
// Threads: any; each call has a handle of its own while it lasts.
// Costs:   about 12 µs of CPU a call on a kept connection.
// Bounds:  an answer's body as the call says, its headers 64 KiB.
// Source:  curl's multi interface, https://curl.se/libcurl/c/.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "worker/executor/outcome.hpp"

namespace ordo::executor {

struct HttpCall {
  std::string method;
  std::string url;
  std::vector<Named> headers;
  std::string_view body;
  Millis connect_timeout{2s};
  std::optional<Millis> timeout;  ///< of all of it; none: until it is cancelled
  std::size_t answer_bytes = limits::kResultBytes;
};

struct HttpEnd {
  std::optional<Reply> reply;
  std::string error;      ///< without a reply: what went wrong
  bool was_sent = false;  ///< the service may have acted
  bool was_cancelled = false;
};

class HttpCaller {
 public:
  explicit HttpCaller(Service service);
  ~HttpCaller();
  HttpCaller(const HttpCaller&) = delete;
  HttpCaller& operator=(const HttpCaller&) = delete;

  /// Blocks until it is answered, has failed, or `token` is cancelled.
  HttpEnd call(const HttpCall& call, const CancellationToken& token);

 private:
  class Handle;
  std::unique_ptr<Handle> take();
  void give_back(std::unique_ptr<Handle> handle);

  const Service service_;
  std::mutex mutex_;  ///< of the stack below: slots meet here twice a call
  std::vector<std::unique_ptr<Handle>> idle_;
};

}  // namespace ordo::executor
