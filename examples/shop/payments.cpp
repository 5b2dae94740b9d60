#include "examples/shop/payments.hpp"

namespace ordo::shop {

void Payments::decide(const Call& call, const Entry*, Entry& entry) const {
  if (entry.operation == "refund" || entry.operation == "partial_refund") {
    return decide_refund(call, entry);
  }
  if (entry.operation == "settle") {
    entry.reference = call.text("payment");
    const auto found = open_.find(entry.reference);
    if (found == open_.end()) return refuse(entry, "no_such_payment");
    entry.cents = found->second;
    return;
  }
  const auto cents = call.cents();
  if (!cents) return refuse(entry, "no_amount");
  entry.cents = *cents;
  entry.result = {{"payment", "pay-" + std::to_string(payments_ + 1)}};
  entry.result["pipeline"] = call.text("pipeline");
  // What its callback brings back: enough to make the order again where it was lost.
  const auto attach = call.body().find("attach");
  if (attach != call.body().end() && attach->is_object()) entry.result["attach"] = *attach;
}

void Payments::decide_refund(const Call& call, Entry& entry) const {
  entry.reference = call.original();
  const Account of = account(entry.reference);
  if (of.paid == 0) return refuse(entry, "not_paid");
  const std::int64_t left = of.paid - of.refunded;
  const bool is_part = entry.operation == "partial_refund";
  if (is_part && !call.cents()) return refuse(entry, "no_amount");
  // A whole refund pays what is left: the order's amount may be in its body, too.
  const std::int64_t wanted = is_part ? *call.cents() : left;
  if (wanted > left) return refuse(entry, "more_than_paid");
  entry.cents = wanted;
  entry.result = {{"refunded", wanted}, {"left", left - wanted}};
}

bool Payments::apply(const Entry& entry) {
  if (!entry.is_done) return true;
  if (entry.operation == "pay") {
    ++payments_;
    return open_.emplace(entry.key, entry.cents).second;
  }
  if (entry.operation == "charge" || entry.operation == "settle") {
    const bool is_settle = entry.operation == "settle";
    if (is_settle && open_.erase(entry.reference) == 0) return false;
    if (!is_settle) ++payments_;
    accounts_[entry.order].paid += entry.cents;
    paid_ += entry.cents;
    return true;
  }
  Account& of = accounts_[entry.reference];
  of.refunded += entry.cents;
  refunded_ += entry.cents;
  return of.refunded <= of.paid;
}

void Payments::look(const Call& call, Entry& entry) const {
  const Account of = account(call.original());
  entry.result = {{"is_paid", of.paid > 0},
                  {"paid", of.paid},
                  {"refunded", of.refunded},
                  {"is_refunded", of.paid > 0 && of.refunded == of.paid}};
}

Payments::Account Payments::account(const std::string& order) const {
  const auto found = accounts_.find(order);
  return found == accounts_.end() ? Account{} : found->second;
}

Json Payments::sums() const {
  return {{"payments", payments_},
          {"open", open_.size()},
          {"paid", paid_},
          {"refunded", refunded_},
          {"net", paid_ - refunded_}};
}

}  // namespace ordo::shop
