// The shop's books, in double entry: what a customer has paid is posted from cash to sales, and
// reversed by the opposite posting.
//
// Shapes:  post (needs `amount`); reverse undoes a posting by its key; reverse_order reverses
//          whatever still stands of the order that a refund is for, reverse_part (needs `amount`) a
//          part of it.
// Rule:    the accounts add up to zero at any time.
// Units:   cents.
// Threads: as Business.
#pragma once

#include <string>
#include <unordered_map>

#include "examples/shop/business.hpp"

namespace ordo::shop {

class Accounts final : public Business {
 public:
  void decide(const Call& call, const Entry* undone, Entry& entry) const override;
  [[nodiscard]] bool apply(const Entry& entry) override;
  /// standing: what is posted for an order and not reversed.
  void look(const Call& call, Entry& entry) const override;
  [[nodiscard]] Json sums() const override;

 private:
  [[nodiscard]] std::int64_t standing(const std::string& order) const;

  std::unordered_map<std::string, std::int64_t> standing_;  ///< by order, never negative
  std::int64_t cash_ = 0, sales_ = 0;                       ///< balances
  std::int64_t posted_ = 0, reversed_ = 0;                  ///< totals
};

}  // namespace ordo::shop
