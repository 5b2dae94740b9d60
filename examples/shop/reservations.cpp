#include "examples/shop/reservations.hpp"

namespace ordo::shop {

void Reservations::decide(const Call& call, const Entry* undone, Entry& entry) const {
  const std::string& operation = call.operation();
  if (operation == "reserve") return decide_reserve(call, entry);
  if (operation == "confirm") return decide_confirm(entry);
  if (operation == "open") {
    entry.item = call.text("sku", "any");
    entry.quantity = call.quantity();
    return;
  }
  decide_release(undone, entry);
}

void Reservations::decide_reserve(const Call& call, Entry& entry) const {
  entry.item = call.text("sku", "any");
  entry.quantity = call.quantity();
  if (entry.quantity == 0) return refuse(entry, "bad_quantity");
  if (reservations_.contains(entry.reference)) return refuse(entry, "reserved_already");
  if (!items_.contains(entry.item)) entry.opened = usual_quantity_;
  const std::int64_t left = available(entry.item) - entry.quantity;
  if (left < 0) return refuse(entry, "sold_out");
  entry.result = {{"reservation", entry.reference}, {"left", left}};
}

void Reservations::decide_confirm(Entry& entry) const {
  const auto found = reservations_.find(entry.reference);
  if (found == reservations_.end()) return refuse(entry, "not_reserved");
  if (found->second.state == State::kReleased) return refuse(entry, "released");
  if (found->second.state == State::kConfirmed) return refuse(entry, "confirmed_already");
  entry.item = found->second.item;
  entry.quantity = found->second.quantity;
  entry.result = {{"reservation", entry.reference}};
}

/// Both what is held and what is confirmed goes back; where nothing is left to give back, the entry
/// moves nothing.
void Reservations::decide_release(const Entry* undone, Entry& entry) const {
  if (undone == nullptr) return;
  const auto found = reservations_.find(undone->reference);
  if (found == reservations_.end() || found->second.state == State::kReleased) return;
  entry.reference = undone->reference;
  entry.item = found->second.item;
  entry.quantity = found->second.quantity;
  entry.result = {{"released", entry.quantity}};
}

bool Reservations::apply(const Entry& entry) {
  if (!entry.is_done) return true;
  if (entry.operation == "open") {
    items_[entry.item].opened += entry.quantity;
    return true;
  }
  if (entry.operation == "reserve") {
    Item& item = items_[entry.item];
    item.opened += entry.opened;
    const bool is_new =
        reservations_.emplace(entry.reference, Reservation{entry.item, entry.quantity}).second;
    item.held += entry.quantity;
    return is_new && item.available() >= 0;
  }
  if (entry.quantity == 0) return true;
  if (entry.operation != "confirm") return apply_release(entry);
  const auto found = reservations_.find(entry.reference);
  if (found == reservations_.end() || found->second.state != State::kHeld) return false;
  found->second.state = State::kConfirmed;
  Item& item = items_[found->second.item];
  item.held -= found->second.quantity;
  item.confirmed += found->second.quantity;
  return true;
}

bool Reservations::apply_release(const Entry& entry) {
  const auto found = reservations_.find(entry.reference);
  if (found == reservations_.end() || found->second.state == State::kReleased) return false;
  Item& item = items_[found->second.item];
  (found->second.state == State::kHeld ? item.held : item.confirmed) -= found->second.quantity;
  item.released += found->second.quantity;
  found->second.state = State::kReleased;
  return true;
}

void Reservations::look(const Call& call, Entry& entry) const {
  entry.item = call.text("sku", "any");
  entry.result = {{"sku", entry.item}, {"left", available(entry.item)}};
}

std::int64_t Reservations::available(const std::string& item) const {
  const auto found = items_.find(item);
  return found == items_.end() ? usual_quantity_ : found->second.available();
}

Json Reservations::sums() const {
  Item all;
  for (const auto& [name, item] : items_) {
    all.opened += item.opened;
    all.held += item.held;
    all.confirmed += item.confirmed;
    all.released += item.released;
  }
  return {{"items", items_.size()},
          {"opened", all.opened},
          {"available", all.available()},
          {"reserved", all.held + all.confirmed + all.released},
          {"held", all.held},
          {"confirmed", all.confirmed},
          {"released", all.released}};
}

}  // namespace ordo::shop
