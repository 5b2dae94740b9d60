// Reads the tables of all shards the way a person would: with PostgreSQL's own psql. Not through
// the broker, the store or the SDK: what the checker holds against the other records must not come
// from the code that it judges.
//
// Errors:  kUnavailable with psql's words.
// Threads: one owner; each call runs a psql and blocks until it has ended.
// Costs:   10 ms a call and about 1 µs a row.
#pragma once

#include <map>
#include <string>

#include "examples/demo/record_checker.hpp"
#include "ordo/result.hpp"
#include "schema/pipeline.hpp"

namespace ordo::demo {

/// How far the orders of all shards are.
struct Standing {
  std::uint64_t orders = 0;   ///< in the tables
  std::uint64_t moving = 0;   ///< of them: with a task that is neither done, nor parked, nor a wait
  std::uint64_t waiting = 0;  ///< of them: with a wait for a signal and nothing else
};

class TableReader {
 public:
  /// `psql` is the program's path, `shards` how many schemas ordo_0 … there are.
  TableReader(std::string psql, std::string dsn, int shards);

  [[nodiscard]] Result<Standing> standing() const;
  [[nodiscard]] Result<Tables> read() const;
  /// Every stored version, by its id.
  [[nodiscard]] Result<std::map<std::string, Pipeline>> pipelines() const;
  /// Rows of columns of a statement in which every "{shard}" is the name of a schema; all shards'
  /// rows.
  [[nodiscard]] Result<std::vector<std::vector<std::string>>> rows(const std::string& sql) const;

 private:
  [[nodiscard]] Result<void> read_pipelines(Tables& tables) const;
  [[nodiscard]] Result<void> read_orders(Tables& tables) const;
  [[nodiscard]] Result<void> read_events(Tables& tables) const;

  std::string psql_;
  std::string dsn_;
  int shards_;
};

}  // namespace ordo::demo
