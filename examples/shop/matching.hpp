// What a reconciliation looks for: orders whose money is neither posted nor paid back.
//
// Rule:    paid = posted + paid back for each order, in the end. While an order is under way it
//          need not be so: who asks knows whether the order has ended.
// Units:   cents; milliseconds of wall time.
// Threads: any.
#pragma once

#include "examples/shop/services.hpp"

namespace ordo::shop {

/// {"orders":[{"order","cents"}]}: what is too much with the shop, of payments that came before
/// `before_ms`; the oldest 1,000.
Json unmatched(Services& services, std::int64_t before_ms);

}  // namespace ordo::shop
