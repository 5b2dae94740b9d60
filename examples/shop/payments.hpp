// A payment service: customers' payments, and money that goes back.
//
// Shapes:  pay (needs `amount`) opens a payment, settle makes it paid: between the two a customer
//          thinks. charge is both at once. refund pays back `amount`, or all that is left of what
//          the order paid; partial_refund needs `amount`. Questions: query, check_refunded.
// Rule:    never more goes back than was paid. An order whose money is all back already is
//          answered with 0, so that two ways to a refund end in one.
// Units:   cents.
// Threads: as Business.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "examples/shop/business.hpp"

namespace ordo::shop {

class Payments final : public Business {
 public:
  void decide(const Call& call, const Entry* undone, Entry& entry) const override;
  [[nodiscard]] bool apply(const Entry& entry) override;
  /// of: is_paid, paid, refunded.
  void look(const Call& call, Entry& entry) const override;
  [[nodiscard]] Json sums() const override;

 private:
  struct Account {
    std::int64_t paid = 0, refunded = 0;
  };
  void decide_refund(const Call& call, Entry& entry) const;
  [[nodiscard]] Account account(const std::string& order) const;

  std::unordered_map<std::string, Account> accounts_;   ///< by order
  std::unordered_map<std::string, std::int64_t> open_;  ///< asked for by key, not settled: cents
  std::int64_t paid_ = 0, refunded_ = 0;
  std::int64_t payments_ = 0;
};

}  // namespace ordo::shop
