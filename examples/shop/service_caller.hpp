// Calls the shop's services for a worker's tasks: the effect key goes along, the answer becomes the
// outcome.
//
// Shapes:  200 succeeded with the body as result; 400, 404, 409, 422 permanent with error.reason;
//          no answer unknown: the next attempt asks with the same key, and an order that ends
//          before undoes what may have been done; all else transient.
// Threads: any.
// Bounds:  waits for as long as the attempt has left.
#pragma once

#include <string>

#include "examples/shop/shop_steps.hpp"
#include "ordo/task.hpp"

namespace ordo::shop {

class ServiceCaller {
 public:
  /// `url` of ordo-shop-services: "http://host:port".
  explicit ServiceCaller(std::string url) : url_(std::move(url)) {}

  [[nodiscard]] TaskOutcome call(const Task& task, const ShopStep& step) const;

 private:
  const std::string url_;
};

}  // namespace ordo::shop
