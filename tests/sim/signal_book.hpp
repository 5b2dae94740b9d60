// What the tables hold of signals, and what must be true of them: none counts twice, none that was
// acknowledged is lost, one that is there when its step opens is taken, no ended order keeps any.
//
// Errors:  Violation, named after the promise that is broken.
// Threads: one owner.
#pragma once

#include <map>
#include <set>
#include <string>

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

  /// One write of an order, as it changed the tables.
  void check(const StoreWrite& write, const Pipeline& pipeline, bool has_ended);
  /// A signal of the order is acknowledged.
  void check_ack(const OrderId& order, const std::string& key) const;

 private:
  struct Kept {
    std::string name, key;
  };
  struct Story {
    std::map<std::int64_t, Kept> kept;  ///< rows of `signal`, by seq
    std::set<std::string> seen;         ///< that events tell of
    std::set<std::string> awaited;      ///< names that a waiting row waits for
  };
  [[noreturn]] static void fail(const char* check, const OrderId& order, const std::string& what);
  static void deletes(const StoreWrite& write, const Pipeline& pipeline, Story& story,
                      std::set<std::string>& gone);
  static void tells(const EventRow& event, Story& story, const std::set<std::string>& awaited,
                    std::set<std::string>& gone);

  std::map<OrderId, Story> stories_;
};

}  // namespace ordo::sim
