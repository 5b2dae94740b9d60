// A small HTTP server: metrics and health of a process, the page and the API of ordo-monitor. The
// home of httplib.
//
// Use:     get() or route() for each path, then start(); port 0 takes a free one, endpoint() tells
//          which.
// Rule:    a request reaches a handler only where method and path are registered, after the gate
//          has let it pass; a body is read only then. Answers never come from a cache unless they
//          say otherwise, ranges are not served, nothing is compressed that comes compressed.
// Errors:  start(): kUnavailable "listen". Unknown path 404, other method 405, a body that is too
//          large 413, a handler that throws 500.
// Threads: its own: one that accepts and Options::threads that answer; handlers run there. One
//          owner for the object.
// Bounds:  Options; header lines and URLs by httplib's limits (8 KiB), 2 s of silence while a
//          request is read, 1 s of waiting for the next one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/http_route.hpp"
#include "ordo/result.hpp"

namespace ordo {

struct HttpAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};  ///< beside those that all have
  /// The connection ends behind the head: who asked never learns what the body, which must not be
  /// empty, would say. For programs that play a network that fails.
  bool is_cut = false;
};

struct HttpRequest {
  std::string method;  ///< HEAD comes as GET
  std::string path;    ///< decoded, without the query
  HttpRoute::Parameters parameters;
  std::map<std::string, std::string> query;  ///< decoded; the first of each name
  std::string body;                          ///< of POST, in a handler
  /// By name, whatever its case; empty where it is not there.
  std::function<std::string(const std::string& name)> header;
};

class HttpServer {
 public:
  struct Options {
    std::size_t threads = 4;  ///< for a few scrapers, while one of them is slow
    /// So that idle peers cannot keep the threads. With bodies: 1, because the rest of a refused
    /// body would be read as the next request.
    std::size_t requests_per_connection = 5;
    std::size_t body_bytes = 0;
  };
  using Handler = std::function<HttpAnswer()>;
  using RequestHandler = std::function<HttpAnswer(const HttpRequest&)>;
  /// Asked before the handler and before the body is read; what it answers is sent instead.
  using Gate = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;
  /// What is said with a status that no handler has given.
  using Refusal = std::function<HttpAnswer(int status)>;

  HttpServer();
  explicit HttpServer(Options options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Before start() only.
  /// `path` is matched as a whole.
  void get(const std::string& path, Handler handler);
  /// `method` is GET or POST, `pattern` as HttpRoute has it.
  void route(const std::string& method, const std::string& pattern, RequestHandler handler);
  void set_gate(Gate gate);
  void set_refusal(Refusal refusal);

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
