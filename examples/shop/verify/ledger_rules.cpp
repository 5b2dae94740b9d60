// I2, I5, I7, I12: what the services' ledgers can contradict. The sums are made here, not by the
// services that are judged.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "examples/shop/services.hpp"
#include "examples/shop/shop_steps.hpp"
#include "examples/shop/verify/verify.hpp"

namespace ordo::shop {
namespace {

/// The keys that a done entry of a ledger has undone.
std::set<std::string> undone_keys(const std::vector<Entry>& ledger) {
  std::set<std::string> keys;
  for (const Entry& entry : ledger) {
    if (entry.is_done && !entry.undoes.empty()) keys.insert(entry.undoes);
  }
  return keys;
}

const std::vector<Entry>& ledger_of(const Records& records, const std::string& service) {
  static const std::vector<Entry> kNone;
  const auto found = records.world.ledgers.find(service);
  return found == records.world.ledgers.end() ? kNone : found->second;
}

/// Items of one service, line by line.
class Shelf {
 public:
  explicit Shelf(std::string service) : service_(std::move(service)) {}

  void take(const Entry& entry, Finding& finding) {
    if (!entry.is_done || entry.quantity == 0) return;
    Item& item = items_[entry.item];
    if (entry.operation == "open") {
      item.opened += entry.quantity;
      return;
    }
    if (entry.operation == "reserve") {
      item.opened += entry.opened;
      item.reserved += entry.quantity;
      item.held += entry.quantity;
    } else if (entry.operation == "confirm") {
      item.held -= entry.quantity;
      item.confirmed += entry.quantity;
      confirmed_.insert(entry.reference);
    } else {
      (confirmed_.erase(entry.reference) == 1 ? item.confirmed : item.held) -= entry.quantity;
      item.released += entry.quantity;
    }
    const bool is_sound = item.held >= 0 && item.confirmed >= 0 &&
                          item.held + item.confirmed <= item.opened &&
                          item.reserved == item.held + item.confirmed + item.released;
    if (!is_sound) {
      finding.add(service_ + ": " + entry.item + " does not add up after " + entry.key + ": of " +
                  std::to_string(item.opened) + " are " + std::to_string(item.held) + " held, " +
                  std::to_string(item.confirmed) + " confirmed");
    }
  }

 private:
  struct Item {
    std::int64_t opened = 0, reserved = 0, held = 0, confirmed = 0, released = 0;
  };
  const std::string service_;
  std::map<std::string, Item> items_;
  std::set<std::string> confirmed_;  ///< references
};

/// Whether an operator decided that the step's effect stays.
bool is_left_by_an_operator(const Records& records, const std::string& order, int step) {
  const auto events = records.events.find(order);
  if (events == records.events.end()) return false;
  return std::any_of(events->second.begin(), events->second.end(), [&](const EventFact* event) {
    return event->step == step && event->task_kind == 1 && event->kind.starts_with("operator_");
  });
}

/// The step that must be undone by the service that did it; nullopt where nothing need be.
std::optional<int> owes_undoing(const Records& records, const std::string& service,
                                const Entry& entry) {
  const auto name = split_key(entry.key);
  if (!entry.is_done || !entry.undoes.empty() || !name || name->kind != "forward") return {};
  const auto order = records.orders.find(name->order);
  const Pipeline* const pipeline = records.pipeline_of(name->order);
  if (pipeline == nullptr || order->second->status == "succeeded") return {};
  if (!is_ended(order->second->status)) return {};
  const auto step = pipeline->find(name->step);
  if (!step) return {};
  const ShopStep* const undo = find_step(pipeline->name, pipeline->steps[*step].compensate);
  if (undo == nullptr || undo->service != service) return {};
  // Money goes back by an act of its own, which check_money() sees.
  const Operation* const operation = find_operation_of(undo->service, undo->operation);
  if (operation == nullptr || operation->role != Role::kUndoes) return {};
  return static_cast<int>(*step);
}

struct Money {
  std::int64_t paid = 0, refunded = 0, posted = 0;
  std::int64_t last_ms = 0;
};

std::map<std::string, Money> money_by_order(const Records& records) {
  std::map<std::string, Money> money;
  for (const Entry& entry : ledger_of(records, "payments")) {
    if (!entry.is_done) continue;
    if (entry.operation == "charge" || entry.operation == "settle") {
      money[entry.order].paid += entry.cents;
      money[entry.order].last_ms = std::max(money[entry.order].last_ms, entry.at_ms);
    } else if (entry.operation != "pay") {
      money[entry.reference].refunded += entry.cents;
    }
  }
  for (const Entry& entry : ledger_of(records, "ledger")) {
    if (!entry.is_done) continue;
    const bool is_post = entry.operation == "post";
    if (!is_post && entry.cents == 0) continue;
    money[is_post ? entry.order : entry.reference].posted += is_post ? entry.cents : -entry.cents;
  }
  return money;
}

std::string cents_text(const Money& of) {
  return "paid " + std::to_string(of.paid) + ", posted " + std::to_string(of.posted) +
         ", paid back " + std::to_string(of.refunded) + " cents";
}

}  // namespace

void check_effects(const Records& records, Finding& finding) {
  for (const auto& [service, ledger] : records.world.ledgers) {
    std::set<std::string> done;
    std::set<std::string> undone;
    for (const Entry& entry : ledger) {
      if (!entry.is_done) continue;
      if (!done.insert(entry.key).second)
        finding.add(service + ": " + entry.key + " is done twice");
      if (undone.contains(entry.key)) {
        finding.add(service + ": " + entry.key + " is done after it was undone");
      }
      if (!entry.undoes.empty()) undone.insert(entry.undoes);
    }
  }
}

void check_undone(const Records& records, Finding& finding) {
  for (const char* const service : {"stock", "coupons", "redpackets", "quota"}) {
    Shelf shelf(service);
    for (const Entry& entry : ledger_of(records, service)) shelf.take(entry, finding);
  }
  for (const auto& [service, ledger] : records.world.ledgers) {
    const std::set<std::string> undone = undone_keys(ledger);
    for (const Entry& entry : ledger) {
      const auto step = owes_undoing(records, service, entry);
      if (!step || undone.contains(entry.key)) continue;
      if (is_left_by_an_operator(records, entry.order, *step)) continue;
      finding.add(service + ": " + entry.key + " stays, though its order has " +
                  records.orders.at(entry.order)->status);
    }
  }
}

void check_money(const Records& records, Finding& finding) {
  const World& world = records.world;
  const bool is_refunding =
      std::any_of(world.orders.begin(), world.orders.end(), [&](const OrderFact& order) {
        const Pipeline* const pipeline = records.pipeline_of(order.id);
        return pipeline != nullptr && pipeline->name == "refund" && !is_ended(order.status);
      });
  for (const auto& [id, of] : money_by_order(records)) {
    if (of.refunded > of.paid) finding.add(id + ": more went back than came: " + cents_text(of));
    if (of.last_ms > world.now_ms - world.horizon_ms || is_refunding) continue;
    const auto order = records.orders.find(id);
    if (order == records.orders.end()) {
      if (of.paid != of.refunded) finding.add(id + " has paid and is no order: " + cents_text(of));
    } else if (is_ended(order->second->status) && of.paid != of.posted + of.refunded) {
      finding.add(id + " does not add up: " + cents_text(of));
    }
  }
}

void check_counters(const Records& records, Finding& finding) {
  std::map<std::string, std::int64_t> counted;
  for (const Entry& entry : ledger_of(records, "counters")) {
    if (entry.is_done) counted[entry.order] += entry.quantity;
  }
  for (const OrderFact& order : records.world.orders) {
    const Pipeline* const pipeline = records.pipeline_of(order.id);
    const auto step = pipeline == nullptr ? std::nullopt : pipeline->find("fee_counter");
    if (!step) continue;
    std::int64_t recorded = 0;
    bool is_decided = is_ended(order.status);
    const auto events = records.events.find(order.id);
    if (events != records.events.end()) {
      for (const EventFact* event : events->second) {
        if (event->step != static_cast<int>(*step)) continue;
        if (event->kind == "succeeded") recorded += event->task_kind == 1 ? -1 : 1;
        // Nobody knows what an attempt without an answer has done, or an operator by hand.
        if (event->kind == "cut" || event->kind.starts_with("operator_")) is_decided = false;
      }
    }
    const auto owed = records.owed.find(order.id);
    if (owed != records.owed.end()) {
      is_decided = is_decided &&
                   std::none_of(owed->second.begin(), owed->second.end(), [&](const OwedFact* row) {
                     return row->step == static_cast<int>(*step);
                   });
    }
    const auto found = counted.find(order.id);
    const std::int64_t fees = found == counted.end() ? 0 : found->second;
    if (is_decided && fees != recorded) {
      finding.add(order.id + " was counted " + std::to_string(fees) + " times, recorded " +
                  std::to_string(recorded) + " times");
    }
  }
}

}  // namespace ordo::shop
