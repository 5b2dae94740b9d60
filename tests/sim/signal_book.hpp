// What the tables hold of signals, and what must be true of them: none counts twice, none that was
// acknowledged is lost, one that is there when its step opens is taken, no ended order keeps any
// but those that it owes an order for, and each of these is one order.
//
// Errors:  Violation, named after the promise that is broken.
// Threads: one owner.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "broker/core/rows.hpp"
#include "broker/store/store.hpp"
#include "schema/messages.hpp"
#include "schema/pipeline.hpp"

namespace ordo::sim {

class SignalBook {
 public:
  /// Name and dedup of a signal: the workload always gives both.
  static std::string key_of(const wire::Signal& signal);
  static bool is_late(const EventRow& event);
  static bool deletes_any(const StoreWrite& write);

  /// One write of an order, as it changed the tables; without a pipeline: the order is not there.
  void check(const StoreWrite& write, const Pipeline* pipeline, bool has_ended);
  /// An order came in: one that was started for a late signal is the only one for it.
  void check_started(const OrderRow& row);
  /// Whether an order has signals that nothing will come of unless somebody looks at them.
  [[nodiscard]] bool has_kept(const OrderId& order) const;
  /// A signal of the order is acknowledged.
  void check_ack(const OrderId& order, const std::string& key) const;

 private:
  struct Kept {
    std::string name, key;
    bool is_looked_at = false;  ///< by the sweep: its order need not know of it
  };
  struct Story {
    std::map<std::int64_t, Kept> kept;  ///< rows of `signal`, by seq
    std::set<std::string> seen;         ///< that events tell of
    std::set<std::string> awaited;      ///< names that a waiting row waits for
  };
  [[noreturn]] static void fail(const char* check, const OrderId& order, const std::string& what);
  static void deletes(const StoreWrite& write, const Pipeline* pipeline, Story& story,
                      std::set<std::string>& gone);
  void tells(const EventRow& event, const Pipeline& pipeline, bool is_ending,
             std::set<std::string>& gone);
  void check_late(const EventRow& event, const Pipeline& pipeline, const std::string& name) const;

  std::map<OrderId, Story> stories_;
  /// by the order and the payload of the signal that started them
  std::map<std::pair<std::string, std::string>, OrderId> started_;
};

}  // namespace ordo::sim
