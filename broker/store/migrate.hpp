// Brings the tables of shards to what this program needs: numbered migrations, each once, in order.
//
// Use:     migrate() from `ordo-migrate` and tests. Safe to run twice and by two at once: an
//          advisory lock a schema, and a table of what was applied.
// Errors:  kUnavailable: the database cannot be reached; kConflict: a migration differs from the
//          one applied, or the schema is newer than this program; kInternal: a statement failed
//          (message says which).
// Threads: one owner; a session of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ordo/result.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct Migration {
  int number = 0;
  std::string name;  ///< file name
  std::string sql;
};

/// All, ascending by number, as they were when the program was built.
const std::vector<Migration>& embedded_migrations();

struct MigrateSpec {
  std::string dsn{};
  ShardNumber first = 0;
  ShardNumber shards = 2;   ///< schemas ordo_<first> to ordo_<first + shards - 1>
  bool is_dry_run = false;  ///< only says what it would do
};

struct MigrateReport {
  struct Step {
    ShardNumber shard = 0;
    std::string name;
  };
  std::vector<Step> applied;  ///< or to be applied, in a dry run
};

Result<MigrateReport> migrate(const MigrateSpec& spec);

}  // namespace ordo
