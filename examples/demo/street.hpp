// The street that the demo's shop stands in: ordo-shop-services as a process, customers who pay,
// what goes wrong in the services, and an executor that calls them for the queues of
// examples/shop/executor.yaml.
//
// Use:     Street::open(options); pay(orders) before they are submitted.
// Shapes:  ledgers in FOLDER/shop; callbacks go to the brokers as signals.
// Errors:  kUnavailable or kNotFound with the part that does not start or answer.
// Threads: one owner, a thread that stays (children die with it); pay() uses a few of its own while
//          it lasts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ordo/client.hpp"
#include "ordo/result.hpp"
#include "tests/support/child_process.hpp"

namespace ordo::demo {

struct StreetOptions {
  std::string folder{};
  std::vector<std::string> clients{};  ///< client sockets of brokers
  std::vector<std::string> workers{};  ///< worker sockets
  std::string executor_config{};       ///< a file; empty: no executor
  double time_scale = 0.1;             ///< of latencies
  double speed = 60;                   ///< people are so many times as quick as they are
  std::uint64_t seed = 1;
};

/// The steps that the executor does.
const std::vector<std::string>& executor_steps();

class Street {
 public:
  static Result<Street> open(const StreetOptions& options);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string ledgers() const { return options_.folder + "/shop"; }
  /// Customers decide about their orders: most pay in a while, some twice, late or never.
  void pay(const std::vector<client::Order>& orders) const;
  /// `service` is down for so long.
  Result<void> take_down(const std::string& service, std::chrono::milliseconds time) const;
  /// So many there are of an item, and no more.
  Result<void> stock_up(const std::string& service, const std::string& item,
                        std::size_t quantity) const;
  /// Callbacks that are still to come.
  [[nodiscard]] Result<std::uint64_t> callbacks_to_come() const;
  /// Ends the executor well; the services are killed, which they survive.
  void stop();

 private:
  explicit Street(StreetOptions options) : options_(std::move(options)) {}
  Result<void> start_services();
  Result<void> start_executor();
  Result<void> post(const std::string& place, const std::string& body,
                    const std::string& key = {}) const;

  StreetOptions options_;
  std::string url_;
  std::optional<testing::ChildProcess> services_, executor_;
};

}  // namespace ordo::demo
