// Things of which there are so many, reserved for an order and then confirmed or given back: stock,
// codes, dishes, coupons, quotas.
//
// Shapes:  operations open (more of an item), reserve, confirm; release and restock undo a
//          reservation or its confirmation. A reservation is named by its reference; once released
//          it stays released, and a late confirmation is refused.
// Rule:    opened = available + held + confirmed for each item, available never negative; reserved
//          ever = held + confirmed + released.
// Threads: as Business.
#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "examples/shop/business.hpp"

namespace ordo::shop {

class Reservations final : public Business {
 public:
  /// So many there are of an item that nobody has opened.
  explicit Reservations(std::int64_t usual_quantity) : usual_quantity_(usual_quantity) {}

  void decide(const Call& call, const Entry* undone, Entry& entry) const override;
  [[nodiscard]] bool apply(const Entry& entry) override;
  /// left: how many are available.
  void look(const Call& call, Entry& entry) const override;
  [[nodiscard]] Json sums() const override;

  [[nodiscard]] std::int64_t available(const std::string& item) const;

 private:
  enum class State : std::uint8_t { kHeld, kConfirmed, kReleased };
  struct Item {
    std::int64_t opened = 0, held = 0, confirmed = 0, released = 0;
    [[nodiscard]] std::int64_t available() const { return opened - held - confirmed; }
  };
  struct Reservation {
    std::string item;
    std::int64_t quantity = 0;
    State state = State::kHeld;
  };

  void decide_reserve(const Call& call, Entry& entry) const;
  void decide_confirm(Entry& entry) const;
  void decide_release(const Entry* undone, Entry& entry) const;
  bool apply_release(const Entry& entry);

  const std::int64_t usual_quantity_;
  std::map<std::string, Item> items_;
  std::unordered_map<std::string, Reservation> reservations_;  ///< by reference
};

}  // namespace ordo::shop
