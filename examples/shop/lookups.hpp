// Services that only answer: prices, profiles, addresses, menus, the risk check. They change
// nothing, so they keep nothing.
//
// Rule:    accept_small, the risk check's stand-in, lets amounts below 50 pass and refuses others.
// Threads: as Business.
#pragma once

#include "examples/shop/business.hpp"

namespace ordo::shop {

class Lookups final : public Business {
 public:
  void decide(const Call&, const Entry*, Entry& entry) const override;
  [[nodiscard]] bool apply(const Entry&) override { return true; }
  void look(const Call& call, Entry& entry) const override;
  [[nodiscard]] Json sums() const override { return Json::object(); }
};

}  // namespace ordo::shop
