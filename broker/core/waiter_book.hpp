// Who waits for which order: for its end, a step, or its events.
//
// Shapes:  by order (what changes is told to those who wait for it) and by asker (who gives up or
//          leaves is forgotten without looking at the others).
// Costs:   logarithmic in all that wait, whatever waits for one order.
// Threads: one owner, the engine's.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "broker/core/order.hpp"

namespace ordo {

struct Waiter {
  Asker asker;
  Steady since{};
  std::string step;  ///< empty: the end or parked
  bool is_watch = false;
  std::int64_t cursor = 0;    ///< watch: seq of the last event sent
  bool is_reading = false;    ///< its order is being looked up, or its next events are
  bool is_behind = false;     ///< watch: something happened meanwhile
  bool has_answered = false;  ///< watch: the first page is always sent, also empty
};

class WaiterBook {
 public:
  using Waiters = std::map<Asker, Waiter>;

  [[nodiscard]] std::size_t size() const { return by_asker_.size(); }
  [[nodiscard]] bool has(Asker asker) const { return by_asker_.contains(asker); }

  /// A request number is used once: has() must be false.
  Waiter& add(const OrderId& id, Waiter waiter) {
    const Asker asker = waiter.asker;
    by_asker_.emplace(asker, id);
    return by_order_[id].emplace(asker, std::move(waiter)).first->second;
  }

  /// Null when it gave up.
  Waiter* find(const OrderId& id, Asker asker) {
    const auto found = by_order_.find(id);
    if (found == by_order_.end()) return nullptr;
    const auto waiter = found->second.find(asker);
    return waiter == found->second.end() ? nullptr : &waiter->second;
  }

  /// The same where only the asker is known.
  Waiter* find(Asker asker) {
    const auto found = by_asker_.find(asker);
    return found == by_asker_.end() ? nullptr : find(found->second, asker);
  }

  void forget(Asker asker) {
    const auto found = by_asker_.find(asker);
    if (found == by_asker_.end()) return;
    const auto order = by_order_.find(found->second);
    order->second.erase(asker);
    if (order->second.empty()) by_order_.erase(order);
    by_asker_.erase(found);
  }

  void forget_peer(PeerId peer) {
    for (auto it = by_asker_.lower_bound({peer, 0});
         it != by_asker_.end() && it->first.peer == peer; it = by_asker_.lower_bound({peer, 0})) {
      forget(Asker(it->first));
    }
  }

  /// Calls `visit(id, waiter)` with those of one order; true forgets it.
  template <class Visit> void sift(const OrderId& id, const Visit& visit) {
    const auto found = by_order_.find(id);
    if (found != by_order_.end()) sift(found, visit);
  }

  /// The same with all.
  template <class Visit> void sift(const Visit& visit) {
    for (auto it = by_order_.begin(); it != by_order_.end();) it = sift(it, visit);
  }

 private:
  using ByOrder = std::map<OrderId, Waiters>;

  template <class Visit> ByOrder::iterator sift(ByOrder::iterator order, const Visit& visit) {
    for (auto it = order->second.begin(); it != order->second.end();) {
      if (!visit(order->first, it->second)) {
        ++it;
        continue;
      }
      by_asker_.erase(it->first);
      it = order->second.erase(it);
    }
    return order->second.empty() ? by_order_.erase(order) : std::next(order);
  }

  ByOrder by_order_;
  std::map<Asker, OrderId> by_asker_;
};

}  // namespace ordo
