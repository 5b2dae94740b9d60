#include "tests/support/shard_database.hpp"

#include "base/check.hpp"
#include "broker/store/migrate.hpp"
#include "tests/support/postgres_server.hpp"

namespace ordo::testing {

ShardDatabase::ShardDatabase(int shards) {
  const auto made = PostgresServer::shared().create_database();
  ORDO_CHECK(made, made ? "" : made.error().message);
  dsn_ = *made;
  if (shards == 0) return;
  const auto migrated =
      migrate({.dsn = dsn_, .first = 0, .shards = static_cast<ShardNumber>(shards)});
  ORDO_CHECK(migrated, migrated ? "" : migrated.error().message);
}

std::unique_ptr<ShardDatabase> ShardDatabase::copy() {
  sessions_.clear();
  const std::string name = dsn_.substr(dsn_.rfind('=') + 1);
  const auto made = PostgresServer::shared().create_database("copy", name);
  ORDO_CHECK(made, made ? "" : made.error().message);
  return std::unique_ptr<ShardDatabase>(new ShardDatabase(At{*made}));
}

PostgresSettings ShardDatabase::settings(ShardNumber shard) const {
  return {.dsn = dsn_, .shard = shard, .owner = "test"};
}

std::vector<std::vector<std::string>> ShardDatabase::run(const std::string& sql,
                                                         ShardNumber shard) {
  if (sessions_.size() <= shard) sessions_.resize(shard + std::size_t{1});
  auto& session = sessions_[shard];
  if (!session || !session->is_open()) {
    auto opened = Connection::open({.dsn = dsn_, .schema = schema_of(shard), .program = "test"});
    ORDO_CHECK(opened, opened ? "" : opened.error().message);
    session = std::move(*opened);
  }
  const auto rows =
      session->run([&](pqxx::transaction_base& transaction) { return transaction.exec(sql); });
  ORDO_CHECK(rows, rows ? "" : rows.error().message);
  std::vector<std::vector<std::string>> all;
  for (const auto& row : *rows) {
    std::vector<std::string> fields;
    for (const auto& field : row) fields.emplace_back(field.is_null() ? "" : field.c_str());
    all.push_back(std::move(fields));
  }
  return all;
}

std::string ShardDatabase::value(const std::string& sql, ShardNumber shard) {
  const auto rows = run(sql, shard);
  return rows.empty() ? "" : rows.front().front();
}

void ShardDatabase::terminate_owner(ShardNumber shard) {
  // With a time to wait, the function returns once the backend is gone.
  run("select pg_terminate_backend(backend_pid, 10000) from shard where backend_pid is not null",
      shard);
}

}  // namespace ordo::testing
