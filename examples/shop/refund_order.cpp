#include "examples/shop/refund_order.hpp"

#include <string>

#include "schema/hash.hpp"

namespace ordo::shop {

OrderId refund_id(const OrderId& paid, int round) {
  const std::string name = paid.to_string() + "/refund/" + std::to_string(round);
  return OrderId::make(paid.unix_ms(), paid.shard(), content_hash(name));
}

client::Order refund_order(const OrderId& paid, int round) {
  client::Order order;
  order.pipeline = "refund";
  order.id = refund_id(paid, round);
  order.payload = R"({"order":")" + paid.to_string() + "\"}";
  order.context = order.payload;
  return order;
}

}  // namespace ordo::shop
