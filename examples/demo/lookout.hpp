// What people see a system from: a Prometheus and an Alertmanager of its own, with this
// repository's rules, and ordo-monitor with the page.
//
// Use:     Lookout::open({.folder = …, .broker_http = …, .clients = …}); page() is a link that lets
//          its reader in.
// Errors:  kUnavailable or kNotFound with the part that does not start. A machine without
//          Prometheus gets the page without history: lacks() says what is missing.
// Threads: one owner, a thread that stays (children die with it).
#pragma once

#include <optional>
#include <string>

#include "ordo/result.hpp"
#include "tests/support/child_process.hpp"

namespace ordo::demo {

struct LookoutOptions {
  std::string folder{};          ///< for data, configuration and logs
  std::string broker_http{};     ///< "http://127.0.0.1:7780"
  std::string clients{};         ///< "tcp://127.0.0.1:7700"
  bool has_usual_ports = false;  ///< the page at 7790 where nobody has it
};

class Lookout {
 public:
  static Result<Lookout> open(const LookoutOptions& options);

  /// "http://127.0.0.1:7790/#token=…"
  [[nodiscard]] const std::string& page() const { return page_; }
  [[nodiscard]] const std::string& prometheus() const { return prometheus_; }  ///< empty: none
  /// A sentence about what is not there; empty: everything is.
  [[nodiscard]] const std::string& lacks() const { return lacks_; }

 private:
  Lookout() = default;
  Result<void> start_prometheus(const LookoutOptions& options);
  Result<void> start_monitor(const LookoutOptions& options);

  std::string page_, prometheus_, lacks_;
  std::optional<testing::ChildProcess> alertmanager_process_, prometheus_process_, monitor_;
};

}  // namespace ordo::demo
