#include "examples/shop/matching.hpp"

#include <algorithm>
#include <map>

namespace ordo::shop {
namespace {

/// What one reconciliation can look into.
constexpr std::size_t kMost = 1000;

struct Money {
  std::int64_t cents = 0;  ///< paid, less what went back and what is posted
  std::int64_t last_ms = 0;
};
using ByOrder = std::map<std::string, Money>;

void add(ByOrder& all, const Service& service, std::string_view operation, int sign) {
  for (const Entry& entry : service.entries(operation)) {
    if (!entry.is_done) continue;
    // What pays back or reverses names the order that it is for as its reference.
    const bool is_own = operation == "settle" || operation == "charge" || operation == "post";
    Money& money = all[is_own ? entry.order : entry.reference];
    money.cents += sign * entry.cents;
    if (sign > 0) money.last_ms = std::max(money.last_ms, entry.at_ms);
  }
}

}  // namespace

Json unmatched(Services& services, std::int64_t before_ms) {
  ByOrder all;
  const Service& payments = *services.find("payments");
  const Service& ledger = *services.find("ledger");
  for (const char* const paid : {"settle", "charge"}) add(all, payments, paid, 1);
  for (const char* const back : {"refund", "partial_refund"}) add(all, payments, back, -1);
  add(all, ledger, "post", -1);
  for (const char* const back : {"reverse", "reverse_order", "reverse_part"})
    add(all, ledger, back, 1);
  Json orders = Json::array();
  for (const auto& [order, money] : all) {
    if (money.cents <= 0 || money.last_ms > before_ms || orders.size() >= kMost) continue;
    orders.push_back({{"order", order}, {"cents", money.cents}});
  }
  return {{"orders", std::move(orders)}};
}

}  // namespace ordo::shop
