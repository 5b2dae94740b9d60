#include "broker/store/maintenance.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "broker/store/postgres_store.hpp"
#include "tests/contract/rows.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

constexpr auto kDay = std::chrono::hours(24);

/// "20260131" of the day `days` before today.
std::string day(int days) {
  const auto date = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<Micros>((wall_now() - days * kDay).time_since_epoch())));
  char text[16];
  std::snprintf(text, sizeof text, "%04d%02u%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string partitions(ShardDatabase& database) {
  return database.value(
      "select count(*) from pg_class where relname ~ '^(orders|event)_[0-9]{8}$' and relkind = "
      "'r'");
}

class Maintenance : public ::testing::Test {
 protected:
  Maintenance() {
    database_.run("select make_partitions(current_date - 33, current_date - 31)");
    settings_.dsn = database_.dsn();
    settings_.retention_days = 30;
  }

  MaintenanceReport run() {
    auto report = maintain(settings_, wall_now());
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(MaintenanceReport{});
  }

  /// An order taken `days` ago, finished unless it keeps its task.
  void add_order(int days, bool is_finished) {
    OrderRow row = order_row(1);
    row.id = OrderId::make(to_ms(wall_now() - days * kDay), 0, 5);
    PostgresStore store(database_.settings());
    ASSERT_TRUE(store.open());
    StoreWrite write{.order = row.id, .changes = {InsertOrder{row}}};
    if (!is_finished) {
      TaskRow task = task_row(1);
      task.key.order = row.id;
      write.changes.push_back(InsertTask{task});
    }
    const StoreWrite* batch[] = {&write};
    ASSERT_EQ(store.commit(batch).kind, CommitResult::Kind::kCommitted);
  }

  ShardDatabase database_;
  MaintenanceSettings settings_;
};

TEST_F(Maintenance, MakesTheDaysAheadOnce) {
  settings_.days_ahead = 12;
  EXPECT_EQ(run().days_made, 5);  // the migration made 7
  EXPECT_EQ(run().days_made, 0);
}

TEST_F(Maintenance, SaysUntilWhenThereArePartitions) {
  settings_.days_ahead = 9;
  const auto report = run();
  const auto today = std::chrono::floor<std::chrono::days>(wall_now().time_since_epoch());
  EXPECT_EQ(report.made_until, Wall(today + std::chrono::days{10}));
  // Left over by a run that ended between its steps: it is there, and no partition.
  database_.run("alter table event detach partition event_" + day(-3));
  EXPECT_EQ(run().made_until, Wall(today + std::chrono::days{3}));
}

TEST_F(Maintenance, DropsDaysPastRetention) {
  add_order(32, true);
  const auto before = std::stoi(partitions(database_));
  const auto report = run();
  EXPECT_EQ(report.dropped, (std::vector<std::string>{day(33), day(32), day(31)}));
  EXPECT_TRUE(report.kept.empty());
  EXPECT_TRUE(report.troubles.empty()) << report.troubles.front();
  EXPECT_EQ(std::stoi(partitions(database_)), before - 6);
  EXPECT_EQ(database_.value("select count(*) from orders"), "0");
  EXPECT_TRUE(run().dropped.empty());
}

TEST_F(Maintenance, KeepsADayInWhichSomethingIsNotFinished) {
  add_order(32, false);
  const auto report = run();
  EXPECT_EQ(report.kept, std::vector<std::string>{day(32)});
  EXPECT_EQ(report.dropped, (std::vector<std::string>{day(33), day(31)}));
  EXPECT_EQ(database_.value("select count(*) from orders"), "1");
}

TEST_F(Maintenance, GoesOnWhereACrashBetweenDetachAndDropLeftIt) {
  database_.run("alter table orders detach partition orders_" + day(32));
  EXPECT_EQ(run().dropped.size(), 3U);
  EXPECT_EQ(database_.value("select to_regclass('orders_" + day(32) + "')"), "");
}

TEST_F(Maintenance, ReportsALockThatItDoesNotGetAndSucceedsLater) {
  settings_.lock_timeout = Millis{50};
  database_.run("begin");
  database_.run("lock table orders in access share mode");
  const auto blocked = run();
  EXPECT_TRUE(blocked.dropped.empty());
  ASSERT_FALSE(blocked.troubles.empty());
  database_.run("rollback");
  // A detach that was interrupted is finished by the next run.
  const auto later = run();
  EXPECT_EQ(later.dropped.size(), 3U);
  EXPECT_TRUE(later.troubles.empty()) << later.troubles.front();
}

}  // namespace
}  // namespace ordo::testing
