#include "broker/store/shard_probe.hpp"

#include <utility>

#include "base/clock.hpp"
#include "broker/store/postgres_store.hpp"

namespace ordo {
namespace {

/// Longer than this is as good as no answer: a node must be red within 9 s.
constexpr Millis kPatience{2000};

constexpr const char* kWrite = "probe_write";
constexpr const char* kRead = "probe_read";
constexpr const char* kVitals = "probe_vitals";

constexpr const char* kWriteSql =
    "insert into broker (name, endpoint, started_at, seen_at) values ($1, $2, now(), now()) "
    "on conflict (name) do update set endpoint = excluded.endpoint, seen_at = excluded.seen_at";
constexpr const char* kReadSql = "select seen_at from broker where name = $1";
/// Vacuum's own snapshots hold nobody back.
constexpr const char* kVitalsSql =
    "select (select coalesce(sum(n_dead_tup), 0)::bigint from pg_stat_user_tables "
    "where schemaname = current_schema() and relname in ('task', 'deferred')), "
    "(select coalesce(max(extract(epoch from clock_timestamp() - xact_start)) * 1000, 0)::bigint "
    "from pg_stat_activity where backend_xmin is not null and pid <> pg_backend_pid() "
    "and backend_type <> 'autovacuum worker'), "
    "(select wal_bytes::bigint from pg_stat_wal)";

constexpr const char* kCensus = "probe_census";
constexpr const char* kCensusSql =
    "select queue, count(*) filter (where is_parked), count(*) filter (where not is_parked), "
    "min(order_id::text) filter (where is_parked) from ("
    "(select queue, order_id, true as is_parked from deferred where state = 'parked' "
    "order by queue, order_id limit $1) union all "
    "(select queue, order_id, false from deferred where run_at is not null "
    "and state = 'scheduled' and kind <> 2 order by run_at, seq limit $1)) waiting group by queue";

}  // namespace

ShardProbe::ShardProbe(std::string dsn, ShardNumber shard, std::string broker, std::string endpoint)
    : dsn_(std::move(dsn)),
      shard_(shard),
      broker_(std::move(broker)),
      endpoint_(std::move(endpoint)) {}

Result<void> ShardProbe::open() {
  auto opened = Connection::open({.dsn = dsn_,
                                  .schema = schema_of(shard_),
                                  .program = "ordo-probe",
                                  .statement_timeout = kPatience});
  if (!opened) return tl::unexpected(opened.error());
  connection_ = *std::move(opened);
  connection_->prepare(kWrite, kWriteSql);
  connection_->prepare(kRead, kReadSql);
  connection_->prepare(kVitals, kVitalsSql);
  connection_->prepare(kCensus, kCensusSql);
  return {};
}

Tried<pqxx::result> ShardProbe::write_and_read() {
  const auto written = connection_->run([this](pqxx::transaction_base& session) {
    return session.exec_prepared(kWrite, broker_, endpoint_);
  });
  if (!written) return written;
  return connection_->run(
      [this](pqxx::transaction_base& session) { return session.exec_prepared(kRead, broker_); });
}

Result<ShardVitals> ShardProbe::measure() {
  if (!connection_) {
    if (auto opened = open(); !opened) return tl::unexpected(opened.error());
  }
  ShardVitals vitals;
  const Steady began = steady_now();
  auto answered = write_and_read();
  vitals.took = steady_now() - began;
  if (answered) {
    answered = connection_->run(
        [](pqxx::transaction_base& session) { return session.exec_prepared(kVitals); });
  }
  if (!answered) {
    connection_.reset();
    return tl::unexpected(to_error(answered.error()));
  }
  const auto& row = answered->front();
  vitals.dead_rows = row[0].as<std::uint64_t>();
  vitals.oldest_snapshot = Millis{row[1].as<std::int64_t>()};
  vitals.wal_bytes = row[2].as<std::uint64_t>();
  return vitals;
}

Result<std::vector<QueueCensus>> ShardProbe::census() {
  if (!connection_) {
    if (auto opened = open(); !opened) return tl::unexpected(opened.error());
  }
  const auto rows = connection_->run(
      [](pqxx::transaction_base& session) { return session.exec_prepared(kCensus, kCounted); });
  if (!rows) {
    if (rows.error().kind == Failure::Kind::kLost) connection_.reset();
    return tl::unexpected(to_error(rows.error()));
  }
  std::vector<QueueCensus> found;
  for (const auto& row : *rows) {
    QueueCensus one;
    one.queue = row[0].as<std::string>();
    one.parked = row[1].as<std::uint64_t>();
    one.scheduled = row[2].as<std::uint64_t>();
    if (!row[3].is_null()) one.oldest_parked = OrderId::parse(row[3].as<std::string>());
    found.push_back(std::move(one));
  }
  return found;
}

}  // namespace ordo
