// The services of the shop over HTTP, each with its latency, its failures and the faults that it
// was told.
//
// Use:     POST /SERVICE/OPERATION with a JSON body and the header Idempotency-Key; POST and GET
//          /fault, GET /ledger, /unmatched, /livez, /metrics. docs/shop.md describes them.
// Shapes:  200 done: the result. 400, 404, 409, 422: refused for good. 503: nothing happened, come
//          back. A reply that is cut off, or none: nobody knows.
// Rule:    an attempt takes its time first and has its effect then: who gave up meanwhile meets it
//          done later.
// Threads: those of the HTTP server; a call keeps one for as long as it takes.
// Bounds:  kPendingMost calls of one service at a time, so that a hung one leaves threads to the
//          others; the next is answered 503.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/http_server.hpp"
#include "examples/shop/callback_desk.hpp"
#include "examples/shop/faults.hpp"
#include "examples/shop/services.hpp"

namespace ordo::shop {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string folder;           ///< of the ledgers
  std::string callbacks;        ///< where open_sink() finds them taken; empty: nowhere
  double time_scale = 0.1;      ///< of latencies
  double callback_scale = 0.1;  ///< of what customers, merchants and riders take
  std::uint64_t seed = 1;
  bool has_failures = true;               ///< the usual ones; faults that are told come anyway
  std::int64_t quantity = 1'000'000'000;  ///< of what nobody has opened
  std::string hot_sku;  ///< one row in stock that takes its callers one by one …
  double hot_ms = 5;    ///< … for so long
};

class ServicesServer {
 public:
  /// Reads the ledgers and listens.
  static Result<std::unique_ptr<ServicesServer>> start(const ServerOptions& options);
  ~ServicesServer();
  ServicesServer(const ServicesServer&) = delete;
  ServicesServer& operator=(const ServicesServer&) = delete;

  [[nodiscard]] std::string endpoint() const { return http_.endpoint(); }

 private:
  /// Of one service.
  struct Counts {
    std::atomic<std::uint64_t> done = 0, refused = 0, transient = 0, lost = 0, malformed = 0;
    std::atomic<std::int64_t> pending = 0;
  };
  struct Visit;

  explicit ServicesServer(const ServerOptions& options);
  void add_routes();
  HttpAnswer serve(const HttpRequest& request);
  HttpAnswer serve_call(const Visit& visit, Counts& counts);
  HttpAnswer effect(const Visit& visit, std::string_view refusal, Counts& counts);
  void pass_hot_row(const Visit& visit);
  HttpAnswer set_fault(const HttpRequest& request);
  [[nodiscard]] HttpAnswer ledger();
  [[nodiscard]] HttpAnswer unmatched_money(const HttpRequest& request);
  [[nodiscard]] HttpAnswer metrics() const;
  /// How often that key was tried, this time included.
  std::uint32_t count_try(const std::string& key, std::uint32_t told);
  void forget_tries(const std::string& key);

  const ServerOptions options_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<CallbackDesk> desk_;
  Faults faults_;
  std::map<std::string, Counts, std::less<>> counts_;  ///< filled once, before it listens
  std::mutex tries_mutex_;
  std::unordered_map<std::string, std::uint32_t> tries_;  ///< of keys without an end
  std::mutex hot_row_;
  HttpServer http_;
};

}  // namespace ordo::shop
