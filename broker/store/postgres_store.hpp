// A shard in PostgreSQL: the owner's session (PostgresStore) and the one for people's questions
// (PostgresReader).
//
// Use:     the port's (store.hpp). Ownership is the session: it holds the shard's advisory lock,
//          its backend is recorded in `shard`, and commit_batch writes for that backend only. The
//          session ends with the object, and with it the ownership.
// Errors:  the port's. Whatever may have been committed is kLost, never kRejected.
// Costs:   one round trip a commit, about 8 µs of a core an order and commit in the server.
// Threads: one owner each; a store thread of the broker.
#pragma once

#include <memory>
#include <string>

#include "broker/store/store.hpp"

namespace ordo {

struct PostgresSettings {
  std::string dsn;        ///< libpq's key=value or URI form
  ShardNumber shard = 0;  ///< its tables are in schema `ordo_<shard>`
  std::string owner;      ///< who we are, for people who look into `shard`
};

class PostgresStore final : public ShardStore {
 public:
  explicit PostgresStore(PostgresSettings settings);
  ~PostgresStore() override;

  Result<Takeover> open() override;
  CommitResult commit(std::span<const StoreWrite* const> batch) override;
  Result<std::vector<OrderSnapshot>> load(std::span<const OrderId> ids) override;
  Result<Page> page(const PageSpec& spec) override;
  Result<void> probe() override;

 private:
  class Session;
  PostgresSettings settings_;
  std::unique_ptr<Session> session_;  ///< null before open() and after the session is lost
};

class PostgresReader final : public ShardReader {
 public:
  explicit PostgresReader(PostgresSettings settings);
  ~PostgresReader() override;

  /// Connects when it is not connected.
  Result<std::vector<OrderRecord>> query(const QuerySpec& spec) override;

 private:
  class Session;
  PostgresSettings settings_;
  std::unique_ptr<Session> session_;
};

/// First half of the owner's advisory lock ("ordo" in ASCII); the second is the shard's number.
inline constexpr int kOwnerLockSpace = 0x6f72646f;
/// The schema of a shard's tables.
std::string schema_of(ShardNumber shard);

}  // namespace ordo
