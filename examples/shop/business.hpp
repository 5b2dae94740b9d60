// What a service of the shop keeps beside its ledger: how many are left, what is reserved, who has
// paid. One class a kind of business.
//
// Rule:    decide() changes nothing and fills in what would come of a call; apply() makes an entry
//          true. So the state is what the lines of the ledger say, whatever was configured since.
// Errors:  apply() says with false that an entry cannot follow those before it: the ledger is not
//          one that this service wrote.
// Threads: one owner, the Service that holds it.
#pragma once

#include "examples/shop/call.hpp"

namespace ordo::shop {

class Business {
 public:
  Business() = default;
  virtual ~Business() = default;
  Business(const Business&) = delete;
  Business& operator=(const Business&) = delete;

  /// `undone` is the effect that the call undoes; nullptr where it undoes nothing, or what has not
  /// come. Fields that are filled already: at_ms, key, operation, order, reference, undoes.
  virtual void decide(const Call& call, const Entry* undone, Entry& entry) const = 0;
  [[nodiscard]] virtual bool apply(const Entry& entry) = 0;
  /// Answers a question; refuses like decide().
  virtual void look(const Call& call, Entry& entry) const = 0;
  /// Totals, for people and for ordo-verify.
  [[nodiscard]] virtual Json sums() const = 0;
};

}  // namespace ordo::shop
