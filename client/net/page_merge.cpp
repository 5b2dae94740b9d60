#include "client/net/page_merge.hpp"

#include <algorithm>
#include <utility>

#include "client/net/views.hpp"

namespace ordo::client {

void PageMerge::add(wire::OrderPage&& part) {
  page_.is_last = page_.is_last && part.is_last;
  // Brokers that do not say how far they looked looked at what they show.
  OrderId end = part.after;
  if (end.is_zero() && !part.orders.empty()) end = part.orders.back().id;
  if (!part.is_last && !end.is_zero() && (!stop_ || is_before(end, *stop_))) stop_ = end;
  for (auto& order : part.orders) page_.orders.push_back(to_view(std::move(order)));
}

OrderPage PageMerge::take(std::size_t limit, const OrderId& after) {
  auto& orders = page_.orders;
  if (stop_) {
    std::erase_if(orders, [this](const OrderView& one) { return is_before(*stop_, one.id); });
  }
  std::sort(orders.begin(), orders.end(),
            [this](const OrderView& a, const OrderView& b) { return is_before(a.id, b.id); });
  if (orders.size() > limit) {
    orders.resize(limit);
    page_.is_last = false;
    stop_.reset();
  }
  page_.after = stop_ ? *stop_ : orders.empty() ? after : orders.back().id;
  return std::move(page_);
}

}  // namespace ordo::client
