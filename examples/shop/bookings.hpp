// What is done once and may be undone: a code issued, a serial number given out, a parcel
// dispatched, a rider sent, a message posted, a fee counted.
//
// Shapes:  any operation that undoes nothing makes a booking with a number of its own
//          ("issue-17"); an undoing one closes it. Items are counted apart: `item` is the field
//          `shop` of counters, else empty.
// Threads: as Business.
#pragma once

#include <map>
#include <string>
#include <unordered_set>

#include "examples/shop/business.hpp"

namespace ordo::shop {

class Bookings final : public Business {
 public:
  void decide(const Call& call, const Entry* undone, Entry& entry) const override;
  [[nodiscard]] bool apply(const Entry& entry) override;
  /// No service of this kind is asked anything.
  void look(const Call& call, Entry& entry) const override;
  /// By operation: how many were made; how many are open.
  [[nodiscard]] Json sums() const override;

 private:
  std::map<std::string, std::int64_t> made_;  ///< by operation
  std::map<std::string, std::int64_t> open_;  ///< by item
  std::unordered_set<std::string> closed_;    ///< keys
};

}  // namespace ordo::shop
