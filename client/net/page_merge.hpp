// One page of a list from the pages of all shards.
//
// Rule:    a shard that has more stopped somewhere; behind the nearest such place nothing is shown,
//          because what lies there has not been looked at everywhere. The next page begins there.
// Threads: a value.
#pragma once

#include <optional>

#include "ordo/client_views.hpp"
#include "schema/messages.hpp"

namespace ordo::client {

class PageMerge {
 public:
  explicit PageMerge(bool is_newest_first) : is_newest_first_(is_newest_first) {}

  void add(wire::OrderPage&& part);
  /// The first `limit`; `after` is where this page began.
  OrderPage take(std::size_t limit, const OrderId& after);

 private:
  [[nodiscard]] bool is_before(const OrderId& a, const OrderId& b) const {
    return is_newest_first_ ? b < a : a < b;
  }

  const bool is_newest_first_;
  OrderPage page_;
  std::optional<OrderId> stop_;  ///< the nearest place where a shard that has more stopped
};

}  // namespace ordo::client
