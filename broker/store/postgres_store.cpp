#include "broker/store/postgres_store.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/check.hpp"
#include "base/clock.hpp"
#include "broker/store/batch_columns.hpp"
#include "broker/store/binary_array.hpp"
#include "broker/store/connection.hpp"
#include "broker/store/migrate.hpp"
#include "broker/store/row_reader.hpp"
#include "broker/store/snapshots.hpp"
#include "broker/store/statements.hpp"

namespace ordo {
namespace {

/// How long taking the lock is tried, and how often.
constexpr Millis kLockPatience{1000};
constexpr Millis kLockPoll{10};
/// Raised by commit_batch: not the owner, and a row deleted twice in one batch.
constexpr std::string_view kNotOwner = "ORD01";
constexpr std::string_view kDeletedTwice = "ORD02";
constexpr std::string_view kUniqueViolation = "23505";
/// Orders loaded by one statement at takeover: keeps a result in the tens of megabytes.
constexpr std::size_t kLoadChunk = 1000;

constexpr const char* kCommit = "commit_batch";
constexpr const char* kProbe = "probe";

using Refused = CommitResult::Refused;
using Fates = std::vector<std::optional<Refused::Why>>;

tl::unexpected<Error> no_session() {
  return fail(Code::kUnavailable, "lost",
              "the session with PostgreSQL is gone: take the shard again");
}

tl::unexpected<Error> refuse(std::string_view reason, std::string message) {
  return fail(Code::kConflict, reason, std::move(message));
}

/// Two versions of one pipeline in a batch that differ: the first counts.
void mark_pipelines(std::span<const StoreWrite* const> batch, Fates& fates) {
  std::map<std::pair<std::string_view, std::uint32_t>, PipelineId> seen;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (const Change& change : batch[i]->changes) {
      const auto* put = std::get_if<PutPipeline>(&change);
      if (!put) continue;
      const auto [place, is_new] =
          seen.emplace(std::pair{put->row.name, put->row.version}, put->row.id);
      if (!is_new && place->second != put->row.id) fates[i] = Refused::Why::kConflict;
    }
  }
}

/// Marks what a batch has twice, which the server refuses as a whole: an order (the first counts),
/// and a row to delete (its order is left out). Returns whether anything is new.
bool mark_doubles(std::span<const StoreWrite* const> batch, Fates& fates) {
  std::map<OrderId, std::uint64_t> hashes;
  std::set<TaskKey> tasks;
  std::set<TaskKey> deferred;
  std::set<OrderId> missing;
  bool is_new = false;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (fates[i]) continue;
    for (const Change& change : batch[i]->changes) {
      if (const auto* order = std::get_if<InsertOrder>(&change)) {
        const auto [place, is_first] = hashes.emplace(order->row.id, order->row.submit_hash);
        if (is_first) continue;
        fates[i] = place->second == order->row.submit_hash ? Refused::Why::kDuplicate
                                                           : Refused::Why::kConflict;
        is_new = true;
      } else if (const auto* task = std::get_if<DeleteTask>(&change)) {
        if (!tasks.insert(task->key).second) missing.insert(task->key.order);
      } else if (const auto* row = std::get_if<DeleteDeferred>(&change)) {
        if (!deferred.insert(row->key).second) missing.insert(row->key.order);
      }
    }
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (fates[i] || !missing.contains(batch[i]->order)) continue;
    fates[i] = Refused::Why::kMissing;
    is_new = true;
  }
  return is_new;
}

}  // namespace

std::string schema_of(ShardNumber shard) { return "ordo_" + std::to_string(shard); }

/// One connection that owns the shard, and what it needs to write.
class PostgresStore::Session {
 public:
  explicit Session(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)), snapshots_(*connection_) {
    connection_->prepare(kCommit, statements::commit_batch());
    connection_->prepare(kProbe,
                         "select from shard where epoch = $1::bigint and "
                         "backend_pid = pg_backend_pid()");
  }

  Result<Takeover> take(const PostgresSettings& settings);
  CommitResult commit(std::span<const StoreWrite* const> batch);
  Tried<void> probe();
  Snapshots& snapshots() { return snapshots_; }

 private:
  Result<std::uint32_t> check_server(ShardNumber shard);
  Result<void> check_schema(ShardNumber shard);
  Result<void> lock(ShardNumber shard);
  Result<void> bump(const PostgresSettings& settings, Takeover& takeover);
  Tried<void> load_settings(Takeover& takeover);
  Tried<void> load_backlog(Takeover& takeover);
  Tried<void> load_orders(Takeover& takeover);
  Tried<pqxx::result> call(std::span<const StoreWrite* const> batch, const Fates& fates);
  void mark_refused(const pqxx::result& rows, std::span<const StoreWrite* const> batch,
                    Fates& fates) const;
  Tried<pqxx::result> query(const std::string& sql) {
    return connection_->run([&](pqxx::transaction_base& session) { return session.exec(sql); });
  }

  std::unique_ptr<Connection> connection_;
  Snapshots snapshots_;
  BatchColumns columns_;
  std::uint32_t epoch_ = 0;
};

// ---- taking ownership --------------------------------------------------------------------------

/// The server must be a primary; its timeline is in the name of the WAL file it writes (the control
/// file lags after a promotion).
Result<std::uint32_t> PostgresStore::Session::check_server(ShardNumber shard) {
  const auto recovery = query("select pg_is_in_recovery()");
  if (!recovery) return tl::unexpected(to_error(recovery.error()));
  if ((*recovery)[0][0].as<bool>()) {
    return refuse("standby", "the server of shard " + std::to_string(shard) +
                                 " is a standby: give the address of the primary");
  }
  const auto file = query("select substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)");
  if (!file) return tl::unexpected(to_error(file.error()));
  return static_cast<std::uint32_t>(std::stoul((*file)[0][0].as<std::string>(), nullptr, 16));
}

Result<void> PostgresStore::Session::check_schema(ShardNumber shard) {
  const auto there = query("select to_regclass('ordo_migration') is not null");
  if (!there) return tl::unexpected(to_error(there.error()));
  const int newest = embedded_migrations().back().number;
  const std::string name = schema_of(shard);
  if (!(*there)[0][0].as<bool>()) {
    return refuse("schema_missing", "the tables of " + name + " are not there: run ordo-migrate");
  }
  const auto applied = query("select coalesce(max(number), 0) from ordo_migration");
  if (!applied) return tl::unexpected(to_error(applied.error()));
  const int number = (*applied)[0][0].as<int>();
  if (number < newest) {
    return refuse("schema_old", "the tables of " + name + " are at migration " +
                                    std::to_string(number) + ", this program needs " +
                                    std::to_string(newest) + ": run ordo-migrate");
  }
  if (number > newest) {
    return refuse("schema_new", "the tables of " + name + " are at migration " +
                                    std::to_string(number) + ", this program knows " +
                                    std::to_string(newest) + ": run a newer program");
  }
  return {};
}

/// A session that has just ended holds its lock until its backend has noticed, which is soon: a bit
/// of patience here spares whoever asks a whole round of trying again.
Result<void> PostgresStore::Session::lock(ShardNumber shard) {
  const std::string statement = "select pg_try_advisory_lock(" + std::to_string(kOwnerLockSpace) +
                                ", " + std::to_string(shard) + ")";
  const Steady deadline = steady_now() + kLockPatience;
  do {
    const auto locked = query(statement);
    if (!locked) return tl::unexpected(to_error(locked.error()));
    if ((*locked)[0][0].as<bool>()) return {};
    std::this_thread::sleep_for(kLockPoll);
  } while (steady_now() < deadline);
  return fail(Code::kBusy, "owned", "another session owns shard " + std::to_string(shard));
}

/// Commits the new epoch. WAL is one sequence, so once this commit is durable, everything that this
/// session can read is: the barrier before anything is dispatched.
Result<void> PostgresStore::Session::bump(const PostgresSettings& settings, Takeover& takeover) {
  const auto bumped = connection_->transact([&](pqxx::transaction_base& session) {
    const pqxx::result recorded = session.exec("select timeline from shard");
    if (recorded.empty()) return recorded;
    if (recorded[0][0].as<std::uint32_t>() > takeover.timeline) return recorded;
    return session.exec(
        "update shard set epoch = epoch + 1, backend_pid = pg_backend_pid(), "
        "taken_at = clock_timestamp(), timeline = " +
        std::to_string(takeover.timeline) + ", owner = " + session.quote(settings.owner) +
        " returning timeline, epoch, clock_timestamp()");
  });
  if (!bumped) return tl::unexpected(to_error(bumped.error()));
  const std::string name = schema_of(settings.shard);
  if (bumped->empty()) {
    return refuse("schema_missing", "the row of " + name + ".shard is gone: run ordo-migrate");
  }
  if (bumped->columns() == 1) {
    return refuse("timeline",
                  "the server of " + name + " is on timeline " + std::to_string(takeover.timeline) +
                      ", but the shard was already on " + (*bumped)[0][0].as<std::string>() +
                      ": this is an old primary; give the address of the new one");
  }
  epoch_ = (*bumped)[0][1].as<std::uint32_t>();
  takeover.epoch = epoch_;
  takeover.database_now = *parse_moment((*bumped)[0][2].as<std::string>());
  return {};
}

Tried<void> PostgresStore::Session::load_settings(Takeover& takeover) {
  const auto pipelines =
      query("select id, name, version, source from pipeline order by name, version");
  if (!pipelines) return tl::unexpected(pipelines.error());
  for (const auto& row : *pipelines) {
    RowReader reader(row);
    PipelineRow pipeline;
    pipeline.id = reader.number();
    pipeline.name = reader.text();
    pipeline.version = static_cast<std::uint32_t>(reader.number());
    pipeline.source = reader.text();
    takeover.pipelines.push_back(std::move(pipeline));
  }
  const auto queues = query("select queue, is_paused, who, why from queue_setting order by queue");
  if (!queues) return tl::unexpected(queues.error());
  for (const auto& row : *queues) {
    RowReader reader(row);
    QueueSetting setting;
    setting.queue = reader.text();
    setting.is_paused = reader.boolean();
    setting.who = reader.text();
    setting.why = reader.text();
    takeover.queue_settings.push_back(std::move(setting));
  }
  return {};
}

Tried<void> PostgresStore::Session::load_backlog(Takeover& takeover) {
  const auto due = query(
      "select run_at from deferred where run_at is not null "
      "order by run_at, seq limit 1");
  if (!due) return tl::unexpected(due.error());
  if (!due->empty()) takeover.next_due = RowReader(due->front()).moment();
  const auto found = query("select min(next_at), count(*) from signal where next_at is not null");
  if (!found) return tl::unexpected(found.error());
  RowReader signals(found->front());
  takeover.next_signal = signals.moment();
  takeover.kept_signals = static_cast<std::uint64_t>(signals.number());
  const auto queues = query(statements::kBacklogQueues);
  if (!queues) return tl::unexpected(queues.error());
  for (const auto& row : *queues) takeover.backlog_queues.push_back(RowReader(row).text());
  const auto held = query(statements::kHeldLines);
  if (!held) return tl::unexpected(held.error());
  for (const auto& row : *held) {
    RowReader reader(row);
    std::string holder = reader.text();
    takeover.held_lines.emplace_back(std::move(holder), reader.text());
  }
  const auto turns = query(statements::kept_turns());
  if (!turns) return tl::unexpected(turns.error());
  for (const auto& row : *turns) {
    DeferredRow kept = RowReader(row).deferred();
    takeover.turns.push_back({kept.task.key, kept.task.queue, std::string(kept_turn(kept.reason))});
  }
  const auto estimate = query(statements::kBacklogEstimate);
  if (!estimate) return tl::unexpected(estimate.error());
  takeover.backlog_estimate = static_cast<std::uint64_t>(RowReader(estimate->front()).number());
  return {};
}

Tried<void> PostgresStore::Session::load_orders(Takeover& takeover) {
  // The whole table, in whatever order: the one read for which a sequential scan is right, because
  // dead rows cost it least.
  const auto rows = connection_->transact([&](pqxx::transaction_base& session) {
    session.exec(
        "set local enable_seqscan = on; set local enable_indexscan = off; "
        "set local enable_indexonlyscan = off");
    return session.exec("select order_id from task");
  });
  if (!rows) return tl::unexpected(rows.error());
  std::vector<OrderId> ids;
  ids.reserve(rows->size());
  for (const auto& row : *rows) ids.push_back(RowReader(row).id());
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  takeover.orders.reserve(ids.size());
  for (std::size_t i = 0; i < ids.size(); i += kLoadChunk) {
    const std::span<const OrderId> all(ids);
    auto orders = snapshots_.load(all.subspan(i, std::min(kLoadChunk, ids.size() - i)));
    if (!orders) return tl::unexpected(orders.error());
    std::move(orders->begin(), orders->end(), std::back_inserter(takeover.orders));
  }
  return {};
}

Result<Takeover> PostgresStore::Session::take(const PostgresSettings& settings) {
  Takeover takeover;
  const auto timeline = check_server(settings.shard);
  if (!timeline) return tl::unexpected(timeline.error());
  takeover.timeline = *timeline;
  if (auto good = check_schema(settings.shard); !good) return tl::unexpected(good.error());
  if (auto good = lock(settings.shard); !good) return tl::unexpected(good.error());
  // Today's ids need their partitions; the days ahead are maintenance's. Whoever holds the lock
  // that this waits for is making or dropping partitions, so a failure is left to it.
  const auto made = connection_->transact([](pqxx::transaction_base& session) {
    session.exec("set local lock_timeout = '2s'");
    return session.exec(
        "select make_partitions((now() at time zone 'UTC')::date - 1, "
        "(now() at time zone 'UTC')::date + 1)");
  });
  if (!made && made.error().kind == Failure::Kind::kLost) {
    return tl::unexpected(to_error(made.error()));
  }
  if (auto good = bump(settings, takeover); !good) return tl::unexpected(good.error());
  if (auto planned = query(statements::kPlanning); !planned) {
    return tl::unexpected(to_error(planned.error()));
  }
  auto loaded = load_settings(takeover);
  if (loaded) loaded = load_backlog(takeover);
  if (loaded) loaded = load_orders(takeover);
  if (!loaded) return tl::unexpected(to_error(loaded.error()));
  return takeover;
}

// ---- writing -----------------------------------------------------------------------------------

Tried<pqxx::result> PostgresStore::Session::call(std::span<const StoreWrite* const> batch,
                                                 const Fates& fates) {
  columns_.clear();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (!fates[i]) columns_.add(*batch[i], i);
  }
  if (columns_.is_empty()) return pqxx::result{};
  std::vector<pqxx::binarystring> parameters;
  parameters.reserve(BatchColumns::kParameters + 1);
  const auto add = [&](std::string_view value) {
    parameters.emplace_back(value.data(), value.size());
  };
  add(binary_bigint(epoch_));
  for (std::size_t i = 0; i < BatchColumns::kParameters; ++i) add(columns_.value(i));
  return connection_->run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(kCommit, pqxx::prepare::make_dynamic_params(parameters));
  });
}

/// What commit_batch said does not fit.
void PostgresStore::Session::mark_refused(const pqxx::result& rows,
                                          std::span<const StoreWrite* const> batch,
                                          Fates& fates) const {
  std::set<OrderId> missing;
  std::map<OrderId, std::uint64_t> hashes;
  for (const auto& row : rows) {
    RowReader reader(row);
    const std::string what = reader.text();
    if (what == "missing") {
      missing.insert(reader.id());
    } else if (what == "exists") {
      const OrderId id = reader.id();
      hashes.emplace(id, static_cast<std::uint64_t>(reader.number()));
    } else {
      const auto place = static_cast<std::size_t>(row[3].as<std::int64_t>());
      fates[columns_.pipeline_write(place)] = Refused::Why::kConflict;
    }
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (fates[i]) continue;
    if (missing.contains(batch[i]->order)) {
      fates[i] = Refused::Why::kMissing;
      continue;
    }
    for (const Change& change : batch[i]->changes) {
      const auto* order = std::get_if<InsertOrder>(&change);
      if (!order) continue;
      const auto known = hashes.find(order->row.id);
      if (known == hashes.end()) continue;
      fates[i] = known->second == order->row.submit_hash ? Refused::Why::kDuplicate
                                                         : Refused::Why::kConflict;
    }
  }
}

/// Whether an error is about the values themselves, so that the same rows will never do: data
/// exceptions, broken constraints, limits, and a row deleted twice.
bool blames_rows(const std::string& sqlstate) {
  const auto of_class = sqlstate.substr(0, 2);
  return of_class == "22" || of_class == "23" || of_class == "54" || sqlstate == kDeletedTwice;
}

CommitResult PostgresStore::Session::commit(std::span<const StoreWrite* const> batch) {
  Fates fates(batch.size());
  mark_pipelines(batch, fates);
  const auto open = [&] { return std::count(fates.begin(), fates.end(), std::nullopt); };
  // Each round but the last leaves something out, so there are few: what fits goes with the second.
  for (auto left = open() + 1; left > 0; left = open()) {
    const auto rows = call(batch, fates);
    if (!rows) {
      const Failure& failure = rows.error();
      const bool is_double =
          failure.sqlstate == kUniqueViolation || failure.sqlstate == kDeletedTwice;
      if (is_double && mark_doubles(batch, fates)) continue;
      const bool is_lost = failure.kind == Failure::Kind::kLost || failure.sqlstate == kNotOwner;
      return {.kind = is_lost ? CommitResult::Kind::kLost : CommitResult::Kind::kRejected,
              .refused = {},
              .message = failure.message,
              .may_pass_later = !blames_rows(failure.sqlstate)};
    }
    if (rows->empty()) break;
    const auto before = open();
    mark_refused(*rows, batch, fates);
    ORDO_CHECK(open() < before, rows->size());
  }
  CommitResult result;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i]) result.refused.push_back({.write = i, .why = *fates[i]});
  }
  return result;
}

Tried<void> PostgresStore::Session::probe() {
  const auto rows = connection_->run([&](pqxx::transaction_base& session) {
    return session.exec_prepared(kProbe, std::int64_t{epoch_});
  });
  if (!rows) return tl::unexpected(rows.error());
  if (rows->empty()) {
    return tl::unexpected(
        Failure{Failure::Kind::kLost, "this session is not the owner any more", ""});
  }
  return {};
}

// ---- the port ----------------------------------------------------------------------------------

PostgresStore::PostgresStore(PostgresSettings settings) : settings_(std::move(settings)) {}
PostgresStore::~PostgresStore() = default;

Result<Takeover> PostgresStore::open() {
  session_.reset();
  auto connection = Connection::open({.dsn = settings_.dsn,
                                      .schema = schema_of(settings_.shard),
                                      .program = "ordo owner " + std::to_string(settings_.shard),
                                      .statement_timeout = Millis{0}});
  if (!connection) return tl::unexpected(connection.error());
  session_ = std::make_unique<Session>(std::move(*connection));
  auto takeover = session_->take(settings_);
  if (!takeover) session_.reset();
  return takeover;
}

CommitResult PostgresStore::commit(std::span<const StoreWrite* const> batch) {
  if (!session_) {
    return {.kind = CommitResult::Kind::kLost, .refused = {}, .message = "no session"};
  }
  CommitResult result = session_->commit(batch);
  if (result.kind == CommitResult::Kind::kLost) session_.reset();
  return result;
}

Result<std::vector<OrderSnapshot>> PostgresStore::load(std::span<const OrderId> ids) {
  if (!session_) return no_session();
  auto orders = session_->snapshots().load(ids);
  if (orders) return std::move(*orders);
  session_.reset();
  return tl::unexpected(to_error(orders.error()));
}

Result<Page> PostgresStore::page(const PageSpec& spec) {
  if (!session_) return no_session();
  auto page = session_->snapshots().page(spec);
  if (page) return std::move(*page);
  session_.reset();
  return tl::unexpected(to_error(page.error()));
}

Result<void> PostgresStore::probe() {
  if (!session_) return no_session();
  const auto good = session_->probe();
  if (good) return {};
  session_.reset();
  return tl::unexpected(to_error(good.error()));
}

}  // namespace ordo
