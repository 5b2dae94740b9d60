// Parked tasks as groups of one pipeline, step and kind of error, and one action for many of them.
//
// Rule:    a group's error is a signature (signature.hpp); an action takes those that a filter
//          names the same way. It is paced, stops where the broker cannot be asked, and one runs at
//          a time.
// Errors:  answers with 400, 409 (one runs already), 503.
// Threads: any.
// Bounds:  looks at kLooks orders, acts on kMostActions tasks, at most kActionsPerSecond of them a
//          second.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "monitoring/monitor/replies.hpp"
#include "ordo/client.hpp"

namespace ordo::monitor {

/// One parked task of one order.
struct ParkedTask {
  client::TaskOf task;
  std::string pipeline;
  std::string error;  ///< signature of what it failed with
  std::int64_t accepted_at_ms = 0;
};

/// What a bulk action names; what is empty matches all.
struct ParkedFilter {
  std::string pipeline, step, error;
  [[nodiscard]] bool matches(const ParkedTask& task) const;
};

/// The parked tasks of an order as a list of parked orders has it.
std::vector<ParkedTask> parked_tasks_of(const client::OrderView& order);
/// [{"pipeline","step","error","count","oldest_ms","first"}], most first.
Json groups_of(const std::vector<ParkedTask>& tasks, std::int64_t now_ms);

class Parked {
 public:
  static constexpr std::size_t kLooks = 10'000;
  static constexpr unsigned kMostActions = 1'000;
  static constexpr int kActionsPerSecond = 200;
  static constexpr Millis kKept{2000};  ///< ten open pages cost what one costs

  explicit Parked(client::Client& client) : client_(client) {}

  HttpAnswer groups();
  HttpAnswer bulk(const client::Operator& by, const Json& body);
  /// Ends an action that runs, after the task it is at.
  void stop() { is_stopping_ = true; }

 private:
  struct Look {
    std::vector<ParkedTask> tasks;
    std::size_t orders = 0;
    bool is_all = false;
  };
  struct Order {
    std::string verb;
    ParkedFilter filter;
    bool is_dry_run = false;
    unsigned limit = kMostActions;
  };

  /// Until `is_enough` or kLooks.
  Result<Look> look(const std::function<bool(const Look&)>& is_enough);
  static Result<Order> order_of(const Json& body);
  HttpAnswer run(const Order& order, std::vector<ParkedTask> tasks, const client::Operator& by);
  Result<void> act(const std::string& verb, const client::TaskOf& task, const client::Operator& by);

  client::Client& client_;
  std::atomic<bool> is_stopping_{false};
  std::mutex groups_mutex_;
  std::optional<HttpAnswer> groups_;
  Steady groups_made_{};
  std::mutex bulk_mutex_;
};

}  // namespace ordo::monitor
