#include "examples/shop/accounts.hpp"

#include <algorithm>

namespace ordo::shop {

void Accounts::decide(const Call& call, const Entry* undone, Entry& entry) const {
  if (entry.operation == "post") {
    const auto cents = call.cents();
    if (!cents) return refuse(entry, "no_amount");
    entry.cents = *cents;
    entry.result = {{"posted", *cents}, {"debit", "cash"}, {"credit", "sales"}};
    return;
  }
  if (entry.operation == "reverse_order" || entry.operation == "reverse_part") {
    entry.reference = call.original();
    entry.cents = standing(entry.reference);
    if (entry.operation == "reverse_part") {
      const auto cents = call.cents();
      if (!cents) return refuse(entry, "no_amount");
      entry.cents = std::min(entry.cents, *cents);
    }
  } else if (undone != nullptr) {
    entry.reference = undone->order;
    entry.cents = std::min(undone->cents, standing(undone->order));
  }
  entry.result = {{"reversed", entry.cents}};
}

bool Accounts::apply(const Entry& entry) {
  if (!entry.is_done) return true;
  const bool is_post = entry.operation == "post";
  const std::int64_t moved = is_post ? entry.cents : -entry.cents;
  cash_ += moved;
  sales_ -= moved;
  (is_post ? posted_ : reversed_) += entry.cents;
  if (moved == 0) return true;
  return (standing_[is_post ? entry.order : entry.reference] += moved) >= 0;
}

void Accounts::look(const Call& call, Entry& entry) const {
  entry.result = {{"standing", standing(call.original())}};
}

std::int64_t Accounts::standing(const std::string& order) const {
  const auto found = standing_.find(order);
  return found == standing_.end() ? 0 : found->second;
}

Json Accounts::sums() const {
  return {{"posted", posted_},
          {"reversed", reversed_},
          {"cash", cash_},
          {"sales", sales_},
          {"balance", cash_ + sales_}};
}

}  // namespace ordo::shop
