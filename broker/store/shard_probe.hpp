// Asks a shard's database how it is: a real write and read, as an order would cause them, and what
// vacuum and WAL look like.
//
// Use:     measure() every few seconds from a thread of its own; it keeps its session and opens a
//          new one after trouble. census() is for every half minute.
// Errors:  kUnavailable: the database cannot be reached, refused, or did not answer in time.
// Threads: one owner.
// Costs:   one row of `broker` updated, three look-ups in statistics.
// Source:  PostgreSQL 15's manual, chapter 28 (pg_stat_user_tables, pg_stat_activity, pg_stat_wal).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/store/connection.hpp"
#include "ordo/order_id.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct ShardVitals {
  Micros took{0};               ///< of the write and the read
  std::uint64_t dead_rows = 0;  ///< in the tables that work passes through
  /// For how long the oldest transaction has held back vacuum; 0 also where this role may not see.
  Millis oldest_snapshot{0};
  std::uint64_t wal_bytes = 0;  ///< written by the whole server since its statistics began
};

/// What waits in the tables and in nobody's memory, by queue.
struct QueueCensus {
  std::string queue;
  std::uint64_t scheduled = 0;
  std::uint64_t parked = 0;
  std::optional<OrderId> oldest_parked;  ///< of the orders that have a parked task
};

class ShardProbe {
 public:
  /// `broker` and `endpoint` are what the row says: who is there.
  ShardProbe(std::string dsn, ShardNumber shard, std::string broker, std::string endpoint);
  Result<ShardVitals> measure();
  /// Counts at most kCounted rows of each kind; reads two indexes and what they point to.
  Result<std::vector<QueueCensus>> census();
  static constexpr int kCounted = 100'000;

 private:
  Result<void> open();
  Tried<pqxx::result> write_and_read();

  const std::string dsn_;
  const ShardNumber shard_;
  const std::string broker_;
  const std::string endpoint_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace ordo
