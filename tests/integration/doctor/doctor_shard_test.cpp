// What is wrong with pipelines, tables, owners and the server.
#include <algorithm>

#include "broker/store/connection.hpp"
#include "broker/store/postgres_store.hpp"
#include "schema/pipeline.hpp"
#include "tests/integration/doctor/patient.hpp"

namespace ordo::testing {
namespace {

using ::testing::HasSubstr;

class DoctorShard : public Patient {
 protected:
  /// A session that somebody else has.
  std::unique_ptr<Connection> session(const std::string& program) {
    auto opened =
        Connection::open({.dsn = database->dsn(), .schema = schema_of(0), .program = program});
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }
  static void run(Connection& connection, const std::string& sql) {
    const auto done =
        connection.run([&](pqxx::transaction_base& session) { return session.exec(sql); });
    EXPECT_TRUE(done) << done.error().message;
  }
  void forget_pipeline(ShardNumber shard) {
    database->run("delete from pipeline where name = 'one'", shard);
  }
  void put_pipeline(ShardNumber shard, const std::string& source) {
    const auto pipeline = parse_pipeline(source);
    ASSERT_TRUE(pipeline);
    database->run("insert into pipeline values (" + std::to_string(pipeline->id) + ", '" +
                      pipeline->name + "', 1, '" + source + "')",
                  shard);
  }
};

const std::string kLock = std::to_string(kOwnerLockSpace) + ", 0)";

TEST_F(DoctorShard, LendsAPipelineThatAnotherHas) {
  forget_pipeline(static_cast<ShardNumber>(order("delayed").shard()));
  expect_repaired({"pipeline_missing"});
}

TEST_F(DoctorShard, TellsOnceOfAPipelineThatNobodyHas) {
  forget_pipeline(0);
  forget_pipeline(1);
  const std::size_t shards = found("pipeline_missing").size();
  EXPECT_GE(shards, 1U);
  expect_by_hand(std::vector<std::string>(shards, "pipeline_missing"));
}

TEST_F(DoctorShard, HasTheSameVersionsAsOthers) {
  put_pipeline(0, "pipeline: new\nversion: 1\nsteps: { a: {} }\n");
  put_pipeline(1, "pipeline: new\nversion: 1\nsteps: { b: {} }\n");
  expect_by_hand({"pipeline_differs"});
}

TEST_F(DoctorShard, HasTextsThatAreWhatTheirIdsSay) {
  database->run("update pipeline set source = source || '# x' where name = 'one'", 0);
  expect_by_hand({"pipeline_corrupt"});
}

TEST_F(DoctorShard, IsAtTheVersionOfTheProgram) {
  database->run(
      "delete from ordo_migration where number = (select max(number) from "
      "ordo_migration)",
      1);
  expect_by_hand({"schema_version"});
  spec.dsns[7] = database->dsn();
  EXPECT_EQ(found("schema_version").size(), 2U);
}

TEST_F(DoctorShard, HasPartitionsForTheDaysAhead) {
  const auto day = database->value(
      "select to_char((now() at time zone 'UTC')::date + 2, "
      "'YYYYMMDD')");
  database->run("drop table event_" + day, 0);
  expect_repaired({"partition_missing"});
}

TEST_F(DoctorShard, MakesPartitionsWhileABrokerOwnsIt) {
  PostgresStore owner(database->settings(0));
  ASSERT_TRUE(owner.open());
  const auto day = database->value(
      "select to_char((now() at time zone 'UTC')::date + 2, "
      "'YYYYMMDD')");
  database->run("drop table orders_" + day, 0);
  expect_repaired({"partition_missing"});
}

TEST_F(DoctorShard, SaysNothingOfOrdersWhoseHistoryIsGone) {
  const auto today = database->value("select to_char(now() at time zone 'UTC', 'YYYYMMDD')");
  database->run("drop table event_" + today, 0);
  EXPECT_EQ(words(), std::vector<std::string>{"partition_missing"});
}

TEST_F(DoctorShard, HasBothPartitionsOfADay) {
  const std::string day = "(now() at time zone 'UTC')::date - 5";
  database->run("select make_partitions(" + day + ", " + day + ")", 0);
  database->run(
      "insert into orders select id_floor(now() - interval '5 days'), id, 5, null, null, "
      "null, null, 'ok', 1, null, now() from pipeline where name = 'one'",
      0);
  EXPECT_EQ(words(), std::vector<std::string>{"order_stuck"});
  database->run("drop table event_" + database->value("select to_char(" + day + ", 'YYYYMMDD')"),
                0);
  expect_by_hand({"partition_half"});
}

TEST_F(DoctorShard, HasNothingInADefaultPartition) {
  database->run("create table orders_default partition of orders default", 0);
  EXPECT_EQ(words(), std::vector<std::string>{});
  const std::string id = "'0f000000-0000-7000-8000-000000000001'";
  database->run("insert into orders select " + id +
                    ", id, 5, null, null, null, null, 'ok', 1, null, now() from pipeline where "
                    "name = 'one'",
                0);
  database->run("insert into task values (" + id + ", 0, 0, 0, 'work', 5, 1, 0, 0, 0, false)", 0);
  expect_by_hand({"partition_default"});
}

TEST_F(DoctorShard, HasValidIndexes) {
  database->run(
      "update pg_index set indisvalid = false where indexrelid = "
      "'deferred_parked'::regclass",
      0);
  expect_by_hand({"index_invalid"});
}

TEST_F(DoctorShard, HasTheSettingsOfItsMigrations) {
  database->run("alter table task reset (autovacuum_vacuum_threshold)", 0);
  database->run("alter table deferred set (vacuum_truncate = true)", 1);
  expect_repaired({"setting_drift", "setting_drift"});
}

TEST_F(DoctorShard, KnowsEveryEpochOfItsRows) {
  damage("ready", "update task set seq = 77::bigint << 40 where order_id = ID");
  expect_repaired({"epoch_ahead"});
  EXPECT_EQ(end_after_restart("ready"), "succeeded");
  const auto epoch =
      database->value("select epoch from shard", static_cast<ShardNumber>(order("ready").shard()));
  EXPECT_GT(std::stoi(epoch), 77);
}

TEST_F(DoctorShard, MayBeWithoutAnOwner) {
  EXPECT_EQ(found("owner_gone").size(), 2U);
  PostgresStore owner(database->settings(0));
  ASSERT_TRUE(owner.open());
  EXPECT_EQ(found("owner_gone").size(), 1U);
  planted().insert("owner_gone");
}

TEST_F(DoctorShard, HasAnOwnerThatHoldsTheLock) {
  const auto broker = session("ordo owner 0");
  run(*broker, "update shard set backend_pid = pg_backend_pid()");
  expect_by_hand({"owner_unlocked"});
}

TEST_F(DoctorShard, IsLockedByItsOwnerAlone) {
  const auto stranger = session("somebody");
  run(*stranger, "select pg_advisory_lock(" + kLock);
  expect_by_hand({"owner_other"});
}

TEST_F(DoctorShard, HasOneOwner) {
  const auto one = session("somebody");
  const auto other = session("somebody else");
  for (const auto* each : {&one, &other}) run(**each, "select pg_advisory_lock_shared(" + kLock);
  expect_by_hand({"owner_many"});
}

TEST_F(DoctorShard, IsHeldBackByNobody) {
  const auto reader = session("a report");
  run(*reader, "begin isolation level repeatable read; select from shard");
  EXPECT_EQ(words(), std::vector<std::string>{}) << "not for long";
  spec.limits.old_transaction = Millis{0};
  // The server is one for both shards, and each tells of it.
  expect_by_hand({"xmin_old", "xmin_old"});
  EXPECT_THAT(found("xmin_old")[0].sentence, HasSubstr("a report"));
}

TEST_F(DoctorShard, IsVacuumed) {
  database->run("update task set maybe = maybe", 0);
  spec.limits.dead_rows = 0;
  const auto is_counted = [&] { return !found("dead_rows").empty(); };
  database->run(
      "insert into task values ('01890000-0000-7000-8000-000000000001', 0, 0, 0, 'q', "
      "5, 1, 0, 0, 0, false)",
      0);
  database->run("delete from task where queue = 'q'", 0);
  ASSERT_TRUE(wait_until(20s, is_counted));
  const auto all = words();
  EXPECT_TRUE(std::all_of(all.begin(), all.end(), [](const auto& w) { return w == "dead_rows"; }));
  planted().insert("dead_rows");
}

TEST_F(DoctorShard, IsNotRepairedWhileABrokerOwnsIt) {
  const auto shard = static_cast<ShardNumber>(order("half").shard());
  PostgresStore owner(database->settings(shard));
  ASSERT_TRUE(owner.open());
  damage("half", "delete from task where order_id = ID");
  const auto outcomes =
      doctor::repair(spec, found("order_stuck"), {.who = "t", .why = "it is stuck"});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_THAT(outcomes[0].why_not, HasSubstr("stop the brokers of that shard"));
  EXPECT_EQ(found("order_stuck").size(), 1U);
}

}  // namespace
}  // namespace ordo::testing
