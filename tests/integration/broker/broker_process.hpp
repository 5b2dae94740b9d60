// A broker as a child process, on free ports: started, asked over HTTP, killed, started again.
//
// Use:     BrokerProcess broker(dsn); broker.wait_until_ready(); … broker.endpoints().clients.
// Errors:  a broker that does not start stops the test program with its log.
// Threads: one owner, best the main thread (the child dies with the one that started it).
#pragma once

#include <string>
#include <vector>

#include "tests/support/child_process.hpp"

namespace ordo::testing {

struct BrokerEndpoints {
  std::string clients, workers, http;
};

class BrokerProcess {
 public:
  /// `flags` after those for database and ports. In plain text unless they hold --keys.
  explicit BrokerProcess(const std::string& dsn, std::vector<std::string> flags = {});
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  [[nodiscard]] const BrokerEndpoints& endpoints() const { return endpoints_; }
  ChildProcess& process() { return *process_; }

  /// Whether /readyz turns to 200 in time.
  bool wait_until_ready();
  /// Body of a GET; empty where nobody answers. `status` is set where it is given.
  [[nodiscard]] std::string get(const std::string& path, int* status = nullptr) const;
  /// The value of a metric's series, written as in /metrics (`name{label="x"}`); -1 where it is not
  /// there.
  [[nodiscard]] double metric(const std::string& series) const;
  [[nodiscard]] std::string log() const;

  /// kill -9, and a new process on the same ports.
  void kill9_and_restart();

 private:
  void start();

  std::vector<std::string> flags_;
  std::string folder_;
  BrokerEndpoints endpoints_;
  std::optional<ChildProcess> process_;
};

/// Runs a broker that is expected to end by itself: exit code and what it printed.
struct EndedBroker {
  int code = 0;
  std::string output;
};
EndedBroker run_broker(const std::vector<std::string>& flags,
                       const std::vector<std::pair<std::string, std::string>>& environment = {});

}  // namespace ordo::testing
