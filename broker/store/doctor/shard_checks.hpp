// What the catalog and the server say about one shard: owner, partitions, indexes, settings,
// vacuum.
//
// Errors:  libpqxx's exceptions: the session's owner turns them into values.
// Threads: one owner of the session.
// Costs:   a dozen look-ups in catalogs and statistics; no table of the shard is read.
// Source:  PostgreSQL 15's manual, chapters 28 (statistics) and 52 (catalogs).
#pragma once

#include <pqxx/pqxx>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "broker/store/doctor/finding.hpp"

namespace ordo::doctor {

/// Past these the server itself is worth a finding.
struct Thresholds {
  Millis overdue{300'000};  ///< since a row was due, while an owner lives
  Millis old_transaction{600'000};
  std::uint64_t dead_rows = 1'000'000;  ///< in `task` or `deferred`
};

struct Owner {
  std::int64_t epoch = 0;
  bool is_there = false;  ///< a session holds the shard's lock
};

/// The tables' version against this program's; false where the rest cannot be judged.
bool check_schema(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings);
/// Statements of their own each: what the server says is of now, not of a snapshot.
Owner check_owner(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings);
void check_tables(pqxx::transaction_base& session, ShardNumber shard,
                  std::vector<Finding>& findings);
void check_vacuum(pqxx::transaction_base& session, ShardNumber shard, const Thresholds& limits,
                  std::vector<Finding>& findings);

}  // namespace ordo::doctor
