// Everything that is known of a run when it is judged: what the tables say, what the services wrote
// down, what the client was told. Plain values, read by records.hpp or made up by tests.
//
// Units:   milliseconds of wall time; cents.
// Threads: values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "examples/shop/call.hpp"
#include "schema/pipeline.hpp"

namespace ordo::shop {

struct OrderFact {
  std::string id;
  std::string pipeline;  ///< its key in World::pipelines
  std::string status;
  std::int64_t accepted_ms = 0;
  std::optional<std::int64_t> deadline_ms = {};
};

struct EventFact {
  std::string order;
  int step = -1;  ///< -1: of the whole order
  unsigned branch = 0;
  int task_kind = 0;  ///< 0 forward, 1 compensate, 2 deadline, 3 fallback
  std::string kind;
  std::string status = {};  ///< the order's new one; empty: unchanged
  std::uint32_t attempt = 0;
  std::int64_t at_ms = 0;  ///< when it was recorded
  std::int64_t ms = 0;     ///< how long the attempt had taken
};

/// A row of `task` or `deferred`: something that is still owed.
struct OwedFact {
  std::string order;
  int step = -1;
  unsigned branch = 0;
  int task_kind = 0;
  std::string state;  ///< task, backlog, scheduled, waiting, held or parked
  std::optional<std::int64_t> run_at_ms = {};
};

struct World {
  std::int64_t now_ms = 0;
  std::int64_t horizon_ms = 0;  ///< how long a payment may stay without its order
  std::map<std::string, Pipeline> pipelines{};
  std::vector<OrderFact> orders{};
  std::vector<EventFact> events{};  ///< of one order in their order
  std::vector<OwedFact> owed{};
  std::map<std::string, std::vector<Entry>> ledgers{};       ///< by service
  std::optional<std::set<std::string>> acked{};              ///< ids, where a log of acks was given
  std::optional<std::map<std::string, double>> gauges = {};  ///< of the broker, where it was asked
};

}  // namespace ordo::shop
