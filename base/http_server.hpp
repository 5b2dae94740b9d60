// A small HTTP server for what machines ask a process: metrics and health. The home of httplib.
//
// Use:     get() for each path, then start(); port 0 takes a free one, endpoint() tells which.
// Rule:    GET (and HEAD) only, nothing changes by a request. Answers never come from a cache and
//          run nothing.
// Errors:  start(): kUnavailable "listen". Unknown path 404, other method 405, a body 413, a
//          handler that throws 500.
// Threads: its own: one that accepts and four that answer; handlers run there. One owner for the
//          object.
// Bounds:  no request body, header lines and URLs by httplib's limits (8 KiB), 2 s to send a
//          request, 5 requests and 1 s of waiting a connection, so that idle or slow peers cannot
//          keep the threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ordo/result.hpp"

namespace ordo {

struct HttpAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
};

class HttpServer {
 public:
  using Handler = std::function<HttpAnswer()>;

  HttpServer();
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// `path` is matched as a whole; before start() only.
  void get(const std::string& path, Handler handler);
  /// Listens and answers from now on.
  Result<void> start(const std::string& host, std::uint16_t port);
  /// Ends all answers and joins the threads. Nothing when it does not run.
  void stop();
  /// "http://127.0.0.1:7780" once started.
  [[nodiscard]] std::string endpoint() const;

 private:
  class Shell;
  std::unique_ptr<Shell> shell_;
};

}  // namespace ordo
