// A whole broker in one process: sockets, engine, a store and a reader thread per shard, HTTP,
// maintenance.
//
// Use:     start(), then wait for done_fd() to become readable (or call drain() and wait), then
//          finish().
// Errors:  start(): kUnavailable "listen" where an address cannot be had, kMalformed "plaintext",
//          and what the gateway says of keys.
//          finish(): kConflict where the database turned out to be one that cannot be used.
// Threads: start(), finish() and the destructor from one; drain() from any.
#pragma once

#include <memory>
#include <string>

#include "broker/app/broker_options.hpp"
#include "ordo/result.hpp"

namespace ordo {

/// Where a broker can be reached, ports filled in.
struct Endpoints {
  std::string clients;  ///< "tcp://127.0.0.1:7700"
  std::string workers;
  std::string http;  ///< "http://127.0.0.1:7780"

  /// {"clients":…,"workers":…,"http":…,"pid":…}
  [[nodiscard]] std::string to_json() const;
};

class Broker {
 public:
  /// `options` as complete() left them.
  static Result<std::unique_ptr<Broker>> start(const BrokerOptions& options);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  [[nodiscard]] const Endpoints& endpoints() const;
  /// Begins to end: no new orders, writes in flight are waited for.
  void drain();
  /// Readable once the loop has ended.
  [[nodiscard]] int done_fd() const;
  /// Ends everything; waits for the loop and the threads.
  Result<void> finish();

 private:
  class Shell;
  explicit Broker(std::unique_ptr<Shell> shell);
  std::unique_ptr<Shell> shell_;
};

}  // namespace ordo
