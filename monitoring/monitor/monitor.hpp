// A whole ordo-monitor in one process: the page, the API, and what they are made of.
//
// Use:     start(), then wait for a signal, then let go of it.
// Errors:  start(): kUnavailable "listen" where the address cannot be had, and what the token file
//          says.
// Threads: one owner; inside, a thread a broker, the HTTP server's and the client's.
// Bounds:  kThreads requests at once, of which kSlow may wait for a broker's socket or Prometheus:
//          the colours are always there for somebody.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/http_server.hpp"
#include "monitoring/monitor/desk.hpp"
#include "monitoring/monitor/door.hpp"
#include "monitoring/monitor/history.hpp"
#include "monitoring/monitor/monitor_options.hpp"
#include "monitoring/monitor/parked.hpp"
#include "monitoring/monitor/poller.hpp"
#include "monitoring/monitor/tokens.hpp"
#include "ordo/client.hpp"

namespace ordo::monitor {

class Monitor {
 public:
  static constexpr std::size_t kThreads = 16;
  static constexpr int kSlow = 10;
  static constexpr std::size_t kBodyBytes = 64u << 10;

  /// `options` as complete() left them.
  static Result<std::unique_ptr<Monitor>> start(const MonitorOptions& options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// "http://127.0.0.1:7790"
  [[nodiscard]] std::string endpoint() const { return server_.endpoint(); }

 private:
  Monitor(const MonitorOptions& options, std::unique_ptr<TokenFile> tokens);

  void add_routes();
  void add_reads();
  void add_actions();
  /// A handler that waits for others: sent away at once where kSlow do so already.
  Door::Read slowly(Door::Read read);
  Door::Act slowly(Door::Act act);

  /// The system whose orders the desk shows: the first that a broker has named.
  [[nodiscard]] std::string system() const;
  HttpAnswer me(const Person& person) const;
  HttpAnswer health();
  HttpAnswer metrics() const;
  [[nodiscard]] Json health_json() const;

  const MonitorOptions options_;
  std::unique_ptr<TokenFile> tokens_;
  Door door_;
  Poller poller_;
  client::Client client_;
  Desk desk_;
  Parked parked_;
  History history_;
  std::atomic<int> slow_{0};
  std::atomic<std::uint64_t> requests_{0};

  /// What ten open pages ask for at once is made once.
  std::mutex health_mutex_;
  std::string health_text_;
  Steady health_made_{};

  HttpServer server_;
};

}  // namespace ordo::monitor
