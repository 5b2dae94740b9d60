// What only a real server shows of PostgresStore; what both stores have in common is in
// tests/contract.
#include "broker/store/postgres_store.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "broker/store/migrate.hpp"
#include "tests/contract/rows.hpp"
#include "tests/integration/store/renaming_proxy.hpp"
#include "tests/support/postgres_server.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

using Kind = CommitResult::Kind;
using Why = CommitResult::Refused::Why;

CommitResult commit(ShardStore& store, const std::vector<StoreWrite>& writes) {
  std::vector<const StoreWrite*> batch;
  for (const auto& write : writes) batch.push_back(&write);
  return store.commit(batch);
}

TEST(PostgresStore, RecordsWhoOwnsTheShard) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  const auto takeover = store.open();
  ASSERT_TRUE(takeover) << takeover.error().message;
  EXPECT_EQ(takeover->timeline, 1U);
  const auto row = database.run(
      "select s.epoch, s.owner, l.pid is not null from shard s left join pg_locks l "
      "on l.pid = s.backend_pid and l.locktype = 'advisory' and l.objid = 0");
  EXPECT_EQ(row.at(0), (std::vector<std::string>{std::to_string(takeover->epoch), "test", "t"}));
}

TEST(PostgresStore, FreesTheShardWithItsSession) {
  ShardDatabase database;
  std::uint32_t epoch = 0;
  {
    PostgresStore first(database.settings());
    epoch = first.open()->epoch;
  }
  PostgresStore second(database.settings());
  const auto takeover = second.open();
  ASSERT_TRUE(takeover) << takeover.error().message;
  EXPECT_EQ(takeover->epoch, epoch + 1);
}

TEST(PostgresStore, OwnsEachShardOfADatabaseByItself) {
  ShardDatabase database(2);
  PostgresStore first(database.settings(0));
  PostgresStore second(database.settings(1));
  EXPECT_TRUE(first.open());
  EXPECT_TRUE(second.open());
}

TEST(PostgresStore, IsLostWhenAnotherIsRecordedAsOwner) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  database.run("update shard set epoch = epoch + 1");
  const auto result = commit(store, {submit_of(1)});
  EXPECT_EQ(result.kind, Kind::kLost);
  EXPECT_NE(result.message.find("not the owner"), std::string::npos) << result.message;
  EXPECT_EQ(database.value("select count(*) from orders"), "0");
}

TEST(PostgresStore, RefusesCommitsOfSessionsThatAreNotTheOwner) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  // The same epoch from another backend.
  const std::string outcome = database.value(
      "do $$ declare arguments text; begin "
      "select string_agg('null', ',') into arguments "
      "from pg_proc p, generate_series(2, p.pronargs) "
      "where p.proname = 'commit_batch' and p.pronamespace = current_schema()::regnamespace; "
      "execute 'select commit_batch((select epoch from shard), ' || arguments || ')'; "
      "exception when sqlstate 'ORD01' then perform set_config('ordo.outcome', 'refused', false); "
      "end $$; select current_setting('ordo.outcome', true)");
  EXPECT_EQ(outcome, "refused");
}

TEST(PostgresStore, TakesAWarningDuringACommitForDoubt) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  database.run(
      "create function warn() returns trigger language plpgsql as "
      "$$ begin raise warning 'committed locally'; return null; end $$;"
      "create trigger warn after insert on task execute function warn()");
  const auto result = commit(store, {submit_of(1)});
  EXPECT_EQ(result.kind, Kind::kLost);
  EXPECT_NE(result.message.find("committed locally"), std::string::npos) << result.message;
  EXPECT_FALSE(store.probe());
}

TEST(PostgresStore, IsLostWhenTheServerDiesAndGoesOnWithTheNextSession) {
  // A server of its own: others must not feel it die.
  auto server = PostgresServer::create();
  ASSERT_TRUE(server);
  ASSERT_TRUE(migrate({.dsn = (*server)->dsn(), .first = 0, .shards = 1}));
  const PostgresSettings settings{.dsn = (*server)->dsn(), .shard = 0, .owner = "test"};
  PostgresStore store(settings);
  const auto first = store.open();
  ASSERT_TRUE(first);
  ASSERT_EQ(commit(store, {submit_of(1)}).kind, Kind::kCommitted);
  (*server)->kill9();
  EXPECT_EQ(commit(store, {submit_of(2)}).kind, Kind::kLost);
  EXPECT_EQ(store.open().error().code, Code::kUnavailable);
  ASSERT_TRUE((*server)->start());
  const auto second = store.open();
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->epoch, first->epoch + 1);
  ASSERT_EQ(second->orders.size(), 1U);
  EXPECT_EQ(second->orders[0].order.id, order_id(1));
}

TEST(PostgresStore, RefusesAServerOnAnOlderTimeline) {
  ShardDatabase database;
  database.run("update shard set timeline = 2");
  PostgresStore store(database.settings());
  const auto takeover = store.open();
  ASSERT_FALSE(takeover);
  EXPECT_EQ(takeover.error().code, Code::kConflict);
  EXPECT_EQ(takeover.error().reason, "timeline");
  EXPECT_EQ(database.value("select epoch from shard"), "0");
}

TEST(PostgresStore, RefusesAStandbyAndTellsTheTimelineAfterItsPromotion) {
  auto server = PostgresServer::create();
  ASSERT_TRUE(server) << server.error().message;
  ASSERT_TRUE(migrate({.dsn = (*server)->dsn(), .first = 0, .shards = 1}));
  const PostgresSettings settings{.dsn = (*server)->dsn(), .shard = 0, .owner = "test"};
  EXPECT_EQ(PostgresStore(settings).open()->timeline, 1U);
  (*server)->stop();
  std::ofstream((*server)->folder() + "/data/standby.signal").close();
  ASSERT_TRUE((*server)->start());
  const auto refused = PostgresStore(settings).open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "standby") << refused.error().message;
  auto session = Connection::open({.dsn = settings.dsn});
  ASSERT_TRUE(session);
  const auto promoted = (*session)->run(
      [](pqxx::transaction_base& transaction) { return transaction.exec("select pg_promote()"); });
  ASSERT_TRUE(promoted) << promoted.error().message;
  const auto takeover = PostgresStore(settings).open();
  ASSERT_TRUE(takeover) << takeover.error().message;
  EXPECT_EQ(takeover->timeline, 2U);
}

TEST(PostgresStore, RefusesTablesThatAreMissingOldOrNew) {
  ShardDatabase empty(0);
  EXPECT_EQ(PostgresStore(empty.settings()).open().error().reason, "schema_missing");
  ShardDatabase database;
  database.run("insert into ordo_migration values (99, 'future', '')");
  EXPECT_EQ(PostgresStore(database.settings()).open().error().reason, "schema_new");
  database.run("delete from ordo_migration where number > 1");
  EXPECT_EQ(PostgresStore(database.settings()).open().error().reason, "schema_old");
}

TEST(PostgresStore, RefusesAProxyThatPoolsSessions) {
  ShardDatabase database;
  RenamingProxy proxy(PostgresServer::shared().port());
  PostgresSettings settings = database.settings();
  settings.dsn += " sslmode=disable gssencmode=disable port=" + std::to_string(proxy.port());
  const auto takeover = PostgresStore(settings).open();
  ASSERT_FALSE(takeover);
  EXPECT_EQ(takeover.error().reason, "pooling_proxy") << takeover.error().message;
}

TEST(PostgresStore, TellsAnAddressThatDoesNotAnswer) {
  ShardDatabase database;
  PostgresSettings settings = database.settings();
  settings.dsn += " port=1";
  EXPECT_EQ(PostgresStore(settings).open().error().code, Code::kUnavailable);
}

TEST(PostgresStore, AcceptsADsnInUriForm) {
  ShardDatabase database;
  PostgresSettings settings = database.settings();
  const std::string name = settings.dsn.substr(settings.dsn.rfind('=') + 1);
  settings.dsn = "postgresql://ordo@127.0.0.1:" + std::to_string(PostgresServer::shared().port()) +
                 "/" + name + "?connect_timeout=9";
  const auto takeover = PostgresStore(settings).open();
  EXPECT_TRUE(takeover) << takeover.error().message;
}

TEST(PostgresStore, RejectsWhatTheServerRejectsAndGoesOn) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  StoreWrite bad = submit_of(1);
  std::get<InsertOrder>(bad.changes[0]).row.key = std::string("a\0b", 3);
  const auto result = commit(store, {bad, submit_of(2)});
  EXPECT_EQ(result.kind, Kind::kRejected);
  EXPECT_FALSE(result.message.empty());
  EXPECT_EQ(commit(store, {submit_of(2)}).kind, Kind::kCommitted);
  EXPECT_EQ(database.value("select count(*) from orders"), "1");
}

TEST(PostgresStore, RejectsAnIdForWhichThereIsNoPartition) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  OrderRow row = order_row(1);
  row.id = OrderId::make(1'000'000'000'000, 0, 1);
  const auto result = commit(store, {{.order = row.id, .changes = {InsertOrder{row}}}});
  EXPECT_EQ(result.kind, Kind::kRejected);
  EXPECT_NE(result.message.find("no partition"), std::string::npos) << result.message;
}

TEST(PostgresStore, CountsALargeBatchOfMixedRefusals) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  std::vector<StoreWrite> first;
  for (int i = 0; i < 100; ++i) first.push_back(submit_of(i));
  ASSERT_EQ(commit(store, first).kind, Kind::kCommitted);
  std::vector<StoreWrite> second;
  for (int i = 50; i < 150; ++i) second.push_back(submit_of(i));
  second.push_back(write_of(7, {DeleteTask{{order_id(7), 9, 0, TaskKind::kForward}},
                                AppendEvent{event_row(7, 1, EventKind::kSucceeded)}}));
  const auto result = commit(store, second);
  ASSERT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 51U);
  EXPECT_EQ(result.refused.front().why, Why::kDuplicate);
  EXPECT_EQ(result.refused.back().write, 100U);
  EXPECT_EQ(result.refused.back().why, Why::kMissing);
  EXPECT_EQ(database.value("select count(*) from orders"), "150");
  EXPECT_EQ(database.value("select count(*) from event"), "0");
}

TEST(PostgresReader, ConnectsAgainAfterItsSessionDied) {
  ShardDatabase database;
  PostgresStore store(database.settings());
  ASSERT_TRUE(store.open());
  ASSERT_EQ(commit(store, {submit_of(1)}).kind, Kind::kCommitted);
  PostgresReader reader(database.settings());
  ASSERT_TRUE(reader.query({.id = order_id(1)}));
  database.run(
      "select pg_terminate_backend(pid, 10000) from pg_stat_activity "
      "where application_name like 'ordo reader%'");
  const auto records = reader.query({.id = order_id(1)});
  ASSERT_TRUE(records) << records.error().message;
  EXPECT_EQ(records->size(), 1U);
}

TEST(Views, ShowOrdersWithTheirStatusAndTasksOfAllShards) {
  ShardDatabase database(2);
  PostgresStore store(database.settings(1));
  ASSERT_TRUE(store.open());
  ASSERT_EQ(commit(store, {submit_of(1), submit_of(2)}).kind, Kind::kCommitted);
  EventRow end = event_row(1, 5, EventKind::kSucceeded);
  end.status = OrderStatus::kSucceeded;
  ASSERT_EQ(commit(store, {write_of(1, {DeleteTask{task_row(1).key}, AppendEvent{end}})}).kind,
            Kind::kCommitted);
  const auto orders =
      database.run("select shard, id, status, customer from ordo.order_view order by id");
  ASSERT_EQ(orders.size(), 2U);
  EXPECT_EQ(orders[0], (std::vector<std::string>{"1", order_id(1).to_string(), "succeeded", "c1"}));
  EXPECT_EQ(orders[1][2], "running");
  EXPECT_EQ(
      database.run("select shard, order_id, kind, state from ordo.task_view"),
      (std::vector<std::vector<std::string>>{{"1", order_id(2).to_string(), "forward", "ready"}}));
}

}  // namespace
}  // namespace ordo::testing
