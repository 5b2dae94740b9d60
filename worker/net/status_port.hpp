// A few pages over HTTP for whoever watches a worker: metrics, alive, ready. Written out here
// because the SDK is a library of others: an HTTP library would come with TLS and compression that
// their programs do not ask for.
//
// Rule:    GET (and HEAD) of a page, one request a connection, nothing changes by a request.
// Errors:  open(): kUnavailable "listen". Unknown path 404, other method 405, no HTTP 400.
// Threads: its own one answers; pages are made there. One owner for the object.
// Bounds:  16 connections at once (more wait in the kernel), 4 KiB of request, 2 s for all of it:
//          who is slow or silent is closed.
// Source:  RFC 9112.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.hpp"
#include "ordo/result.hpp"

namespace ordo::worker {

struct StatusPage {
  int status = 200;  ///< 200 or 503
  std::string_view type = "application/json";
  std::string body;
};

class StatusPort {
 public:
  /// By path, matched as a whole; what follows a `?` is not looked at.
  using Pages = std::map<std::string, std::function<StatusPage()>, std::less<>>;

  static Result<std::unique_ptr<StatusPort>> open(const Address& address, Pages pages);
  /// Answers nobody any more; waits for its thread.
  ~StatusPort();
  StatusPort(const StatusPort&) = delete;
  StatusPort& operator=(const StatusPort&) = delete;

  /// "http://127.0.0.1:7790", the port filled in.
  [[nodiscard]] const std::string& endpoint() const;

 private:
  class Server;
  explicit StatusPort(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace ordo::worker
