// What the shop does itself, without a service of somebody else: divides books into parcels, asks
// for refunds, looks whether a meal has come, reconciles payments with orders.
//
// Use:     OwnSteps own({.endpoints = …, .services = …}); if (OwnSteps::has(step)) own.run(task);
// Shapes:  every step can be run again: what it makes has a name that is reckoned out of the order.
// Errors:  a broker or service that does not answer is a transient failure.
// Threads: any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ordo/client.hpp"
#include "ordo/task.hpp"

namespace ordo::shop {

struct OwnOptions {
  std::vector<std::string> endpoints{};  ///< client sockets of brokers; empty: nobody is asked
  std::string services{};                ///< "http://host:port" of ordo-shop-services
};

class OwnSteps {
 public:
  explicit OwnSteps(OwnOptions options);

  /// Whether a handler is one of these.
  static bool has(std::string_view handler);
  [[nodiscard]] TaskOutcome run(const Task& task) const;

 private:
  [[nodiscard]] TaskOutcome split_order(const Task& task) const;
  [[nodiscard]] TaskOutcome refund_start(const Task& task) const;
  [[nodiscard]] TaskOutcome raise_alarm(const Task& task) const;
  [[nodiscard]] TaskOutcome partial_refund(const Task& task) const;
  [[nodiscard]] TaskOutcome reconcile(const Task& task) const;
  /// Whether a refund of that order was asked for by this call.
  [[nodiscard]] Result<bool> pay_back(const OrderId& paid) const;

  const OwnOptions options_;
  const std::unique_ptr<client::Client> client_;
};

}  // namespace ordo::shop
