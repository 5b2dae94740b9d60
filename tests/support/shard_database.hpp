// Fresh shards on the quick PostgreSQL of this program: what every test with tables starts from.
//
// Use:     ShardDatabase database(2); then stores of database.settings(0) and (1), SQL by run().
// Threads: one owner.
// Costs:   about 0.15 s for the database and 0.05 s a shard.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/store/connection.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo::testing {

class ShardDatabase {
 public:
  /// A database of its own with shards 0 to shards - 1; none: not migrated.
  explicit ShardDatabase(int shards = 1);

  /// Another database with all that is in this one; sessions with this one must have ended.
  [[nodiscard]] std::unique_ptr<ShardDatabase> copy();

  [[nodiscard]] const std::string& dsn() const { return dsn_; }
  [[nodiscard]] PostgresSettings settings(ShardNumber shard = 0) const;

  /// Rows of texts ("" for null) of a statement run with the schema of `shard` as search_path.
  /// Stops the test program when the statement fails: then the test is wrong.
  std::vector<std::vector<std::string>> run(const std::string& sql, ShardNumber shard = 0);
  /// The first field of the first row; "" without rows.
  std::string value(const std::string& sql, ShardNumber shard = 0);
  /// Ends the backend of the recorded owner, and waits until it is gone.
  void terminate_owner(ShardNumber shard = 0);

 private:
  struct At {
    std::string dsn;
  };
  explicit ShardDatabase(At at) : dsn_(std::move(at.dsn)) {}

  std::string dsn_;
  std::vector<std::unique_ptr<Connection>> sessions_;
};

}  // namespace ordo::testing
