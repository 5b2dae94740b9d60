#include "broker/store/migrate.hpp"

#include <map>

#include "broker/store/connection.hpp"
#include "broker/store/postgres_store.hpp"
#include "schema/hash.hpp"

namespace ordo {
namespace {

/// Where the views over all shards of a database are.
constexpr const char* kUnionSchema = "ordo";
/// One lock for schemas and union views of a database: migrators take turns.
constexpr const char* kLock = "select pg_advisory_xact_lock(hashtext('ordo migrate'), 0)";

std::string fingerprint(const Migration& migration) {
  return std::to_string(content_hash(migration.sql));
}

Error failed(const Failure& failure, const std::string& what) {
  const bool is_lost = failure.kind == Failure::Kind::kLost;
  return Error{is_lost ? Code::kUnavailable : Code::kInternal,
               "migration",
               what + ": " + failure.message,
               {}};
}

/// What is applied in a schema: number → fingerprint. Empty where nothing is there.
Tried<std::map<int, std::string>> applied_in(Connection& connection, const std::string& schema) {
  std::map<int, std::string> applied;
  const auto rows = connection.run([&](pqxx::transaction_base& session) {
    const auto there = session.exec("select to_regclass(" +
                                    session.quote(schema + ".ordo_migration") + ") is not null");
    if (!there[0][0].as<bool>()) return pqxx::result{};
    return session.exec("select number, fingerprint from " + session.quote_name(schema) +
                        ".ordo_migration order by number");
  });
  if (!rows) return tl::unexpected(rows.error());
  for (const auto& row : *rows) applied[row[0].as<int>()] = row[1].as<std::string>();
  return applied;
}

Result<std::vector<const Migration*>> missing_in(Connection& connection,
                                                 const std::string& schema) {
  const auto applied = applied_in(connection, schema);
  if (!applied) return tl::unexpected(failed(applied.error(), "reading " + schema));
  const auto& all = embedded_migrations();
  if (!applied->empty() && applied->rbegin()->first > all.back().number) {
    return fail(Code::kConflict, "schema_new",
                schema + " is newer than this program: it is at migration " +
                    std::to_string(applied->rbegin()->first));
  }
  std::vector<const Migration*> missing;
  for (const Migration& migration : all) {
    const auto known = applied->find(migration.number);
    if (known == applied->end()) {
      missing.push_back(&migration);
    } else if (known->second != fingerprint(migration)) {
      return fail(Code::kConflict, "schema_differs",
                  schema + ": migration " + migration.name +
                      " was applied with another content; a migration never changes once applied");
    }
  }
  return missing;
}

/// Applies what is missing in one transaction: a schema is at one migration or the next, never
/// between.
Result<void> apply(Connection& connection, ShardNumber shard, MigrateReport& report) {
  const std::string schema = schema_of(shard);
  std::vector<std::string> names;
  Result<void> refused;
  const auto done = connection.transact([&](pqxx::transaction_base& session) {
    session.exec(kLock);
    const std::string quoted = session.quote_name(schema);
    session.exec("create schema if not exists " + quoted + "; set local search_path = " + quoted +
                 "; create table if not exists ordo_migration (number int not null primary key, "
                 "name text not null, fingerprint text not null, "
                 "applied_at timestamptz not null default clock_timestamp())");
    std::map<int, std::string> applied;
    for (const auto& row : session.exec("select number, fingerprint from ordo_migration")) {
      applied[row[0].as<int>()] = row[1].as<std::string>();
    }
    for (const Migration& migration : embedded_migrations()) {
      if (applied.contains(migration.number)) continue;
      session.exec(migration.sql);
      session.exec("insert into ordo_migration (number, name, fingerprint) values (" +
                   std::to_string(migration.number) + ", " + session.quote(migration.name) + ", " +
                   session.quote(fingerprint(migration)) + ")");
      names.push_back(migration.name);
    }
    session.exec("insert into shard (number) values (" + std::to_string(shard) +
                 ") on conflict do nothing");
    return session.exec(
        "select make_partitions((now() at time zone 'UTC')::date - 1, "
        "(now() at time zone 'UTC')::date + 7)");
  });
  if (!done) return tl::unexpected(failed(done.error(), "migrating " + schema));
  for (auto& name : names) report.applied.push_back({shard, std::move(name)});
  return refused;
}

/// Makes the views over all shards of the database anew.
Result<void> unite(Connection& connection) {
  const auto done = connection.transact([&](pqxx::transaction_base& session) {
    session.exec(kLock);
    const auto shards = session.exec(
        "select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid "
        "where n.nspname ~ '^ordo_[0-9]+$' and c.relname = 'ordo_migration' "
        "order by substr(n.nspname, 6)::int");
    session.exec("create schema if not exists " + std::string(kUnionSchema));
    for (const char* view : {"order_view", "task_view"}) {
      std::string parts;
      for (const auto& row : shards) {
        const auto schema = row[0].as<std::string>();
        parts += std::string(parts.empty() ? "" : " union all ") + "select " + schema.substr(5) +
                 " as shard, v.* from " + session.quote_name(schema) + "." + view + " v";
      }
      const std::string name = std::string(kUnionSchema) + "." + view;
      session.exec("drop view if exists " + name + "; create view " + name + " as " + parts);
    }
    return pqxx::result{};
  });
  if (!done) return tl::unexpected(failed(done.error(), "making the views of all shards"));
  return {};
}

}  // namespace

Result<MigrateReport> migrate(const MigrateSpec& spec) {
  auto connection = Connection::open(
      {.dsn = spec.dsn, .schema = "", .program = "ordo migrate", .statement_timeout = Millis{0}});
  if (!connection) return tl::unexpected(connection.error());
  MigrateReport report;
  for (int shard = spec.first; shard < spec.first + spec.shards; ++shard) {
    const auto number = static_cast<ShardNumber>(shard);
    const auto missing = missing_in(**connection, schema_of(number));
    if (!missing) return tl::unexpected(missing.error());
    if (!spec.is_dry_run) {
      if (auto done = apply(**connection, number, report); !done) {
        return tl::unexpected(done.error());
      }
      continue;
    }
    for (const Migration* migration : *missing) report.applied.push_back({number, migration->name});
  }
  if (spec.is_dry_run) return report;
  if (auto done = unite(**connection); !done) return tl::unexpected(done.error());
  return report;
}

}  // namespace ordo
