// Parked tasks as groups of one pipeline, step and kind of error, and one action for many of them.
//
// Rule:    an action takes those that a filter names as the groups do. It is paced, stops where the
//          broker cannot be asked, and one runs at a time.
// Errors:  answers with 400, 409 (one runs already), 503.
// Threads: any.
// Bounds:  looks at parked::kLooks orders, acts on kMostActions tasks, at most kActionsPerSecond of
//          them a second.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "client/parked/parked_tasks.hpp"
#include "monitoring/monitor/replies.hpp"
#include "ordo/client.hpp"

namespace ordo::monitor {

/// [{"pipeline","step","error","count","oldest_ms","first"}], most first.
Json to_json(const std::vector<parked::ParkedGroup>& groups, std::int64_t now_ms);

class Parked {
 public:
  static constexpr unsigned kMostActions = 1'000;
  static constexpr int kActionsPerSecond = 200;
  static constexpr Millis kKept{2000};  ///< ten open pages cost what one costs

  explicit Parked(client::Client& client) : client_(client) {}

  HttpAnswer groups();
  HttpAnswer bulk(const client::Operator& by, const Json& body);
  /// Ends an action that runs, after the task it is at.
  void stop() { is_stopping_ = true; }

 private:
  struct Order {
    std::string verb;
    parked::ParkedFilter filter;
    bool is_dry_run = false;
    unsigned limit = kMostActions;
  };

  static Result<Order> order_of(const Json& body);
  HttpAnswer run(const Order& order, std::vector<parked::ParkedTask> tasks,
                 const client::Operator& by);
  Result<void> act(const std::string& verb, const client::TaskOf& task, const client::Operator& by);

  client::Client& client_;
  std::atomic<bool> is_stopping_{false};
  std::mutex groups_mutex_;
  std::optional<HttpAnswer> groups_;
  Steady groups_made_{};
  std::mutex bulk_mutex_;
};

}  // namespace ordo::monitor
