// An ordo-monitor as a child process on a free port, with an operator's and an observer's token,
// and what it answers to requests that are written byte by byte.
//
// Errors:  a monitor that does not start stops the test program with its log.
// Threads: one owner, best the main thread (the child dies with the one that started it).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/child_process.hpp"

namespace ordo::testing {

struct HttpSaid {
  int status = 0;    ///< 0: nothing came
  std::string head;  ///< with the status line
  std::string body;

  /// Discarded where it is none.
  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  /// error.reason of a refusal; empty where there is none.
  [[nodiscard]] std::string reason() const;
};

class MonitorProcess {
 public:
  inline static const std::string kOperator = std::string(43, 'o');
  inline static const std::string kObserver = std::string(43, 'b');

  explicit MonitorProcess(std::vector<std::string> flags);
  ~MonitorProcess();
  MonitorProcess(const MonitorProcess&) = delete;
  MonitorProcess& operator=(const MonitorProcess&) = delete;

  [[nodiscard]] std::string address() const { return address_; }  ///< "127.0.0.1:7790"
  ChildProcess& process() { return *process_; }
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::string token_file() const { return folder_ + "/tokens"; }

  /// With the operator's token unless another (or none) is given.
  [[nodiscard]] HttpSaid get(const std::string& path,
                             const std::optional<std::string>& token = kOperator) const;
  /// `body` gets a why where it has none.
  [[nodiscard]] HttpSaid post(const std::string& path,
                              nlohmann::json body = nlohmann::json::object(),
                              const std::optional<std::string>& token = kOperator) const;
  /// Bytes as they are; the whole answer.
  [[nodiscard]] HttpSaid raw(const std::string& request) const;

 private:
  std::string folder_;
  std::string address_;
  std::optional<ChildProcess> process_;
};

/// Runs the program to its end: exit code and what it said on both outputs.
std::pair<int, std::string> run_monitor(const std::vector<std::string>& arguments);

}  // namespace ordo::testing
