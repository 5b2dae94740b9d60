// The plans of the store stay index look-ups whatever the tables held when they were made: empty,
// never analysed, large. Measured in rows that the server touched, as its own counters tell.
#include <gtest/gtest.h>

#include <chrono>

#include "base/clock.hpp"
#include "broker/store/postgres_store.hpp"
#include "tests/contract/rows.hpp"
#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

/// Large against a batch: a plan that reads a table once costs a hundred times what look-ups cost.
constexpr int kRows = 100'000;
constexpr int kBatch = 200;

/// Rows read from tables and indexes of the shard so far.
struct Touched {
  long sequential_scans = 0;
  long rows = 0;
};

class PlanStability : public ::testing::Test {
 protected:
  /// The counters of a session are there once it has ended.
  Touched touched() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (database_.value("select count(*) from pg_stat_activity where application_name like "
                           "'ordo owner%' and datname = current_database()") != "0") {
      if (std::chrono::steady_clock::now() > deadline) ADD_FAILURE() << "the session does not end";
    }
    const auto row = database_.run(
        "select (select coalesce(sum(seq_scan), 0) from pg_stat_user_tables where relname ~ "
        "'^(task|deferred|orders|event)'), (select coalesce(sum(seq_tup_read), 0) from "
        "pg_stat_user_tables where relname ~ '^(task|deferred|orders|event)') + "
        "(select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes where relname ~ "
        "'^(task|deferred|orders|event)')");
    return {std::stol(row[0][0]), std::stol(row[0][1])};
  }

  /// What taking the shard alone touches.
  Touched cost_of_open() {
    const Touched before = touched();
    {
      PostgresStore store(database_.settings());
      EXPECT_TRUE(store.open());
    }
    const Touched after = touched();
    return {after.sequential_scans - before.sequential_scans, after.rows - before.rows};
  }

  static void commit(ShardStore& store, const std::vector<StoreWrite>& writes) {
    std::vector<const StoreWrite*> batch;
    for (const auto& write : writes) batch.push_back(&write);
    const auto result = store.commit(batch);
    ASSERT_EQ(result.kind, CommitResult::Kind::kCommitted) << result.message;
    ASSERT_TRUE(result.refused.empty());
  }

  /// Submits, moves to deferred, reads and ends a batch of orders that starts at `first`.
  static void work(ShardStore& store, int first) {
    std::vector<StoreWrite> submits;
    std::vector<StoreWrite> moves;
    std::vector<StoreWrite> ends;
    std::vector<OrderId> ids;
    for (int n = first; n < first + kBatch; ++n) {
      submits.push_back(submit_of(n));
      moves.push_back(write_of(
          n, {DeleteTask{task_row(n).key}, InsertDeferred{backlog_row(n, n + 1, "mine")}}));
      EventRow event = event_row(n, n + 1, EventKind::kSucceeded);
      event.status = OrderStatus::kSucceeded;
      ends.push_back(write_of(n, {DeleteDeferred{task_row(n).key}, AppendEvent{event}}));
      ids.push_back(order_id(n));
    }
    commit(store, submits);
    ASSERT_EQ(store.load(ids)->size(), ids.size());
    commit(store, moves);
    const auto page = store.page({.queue = "mine", .priority = 5, .limit = kBatch});
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_EQ(page->rows.size(), ids.size());
    ASSERT_TRUE(store.page({.what = PageSpec::What::kDue, .due_until = start_time()}));
    commit(store, ends);
  }

  void fill() {
    database_.run(
        "create temp table ids as select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), "
        "12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid id, n from generate_series(1, " +
        std::to_string(kRows) +
        ") n;"
        "insert into orders select id, 77, 5, null, null, null, null, 'x', 1, null, now() from ids;"
        "insert into deferred select id, 0, 0, 0, 'other', 5, n, 0, 0, 0, false, 'backlog', null, "
        "null from ids;"
        "insert into task select id, 1, 0, 0, 'other', 5, n, 0, 0, 0, false from ids;"
        "insert into event select id, n, now(), 'succeeded', null, 0, 0, 0, 1, 'w', 1, null, null "
        "from ids");
  }

  ShardDatabase database_;
};

/// A batch's three commits and three reads look up each of its rows some twenty times.
constexpr long kAllowed = 40L * kBatch;

TEST_F(PlanStability, PlansMadeOnEmptyTablesHoldOnLargeOnes) {
  Touched start = touched();
  {
    PostgresStore store(database_.settings());
    ASSERT_TRUE(store.open());
    work(store, 0);  // plans every statement while the tables are empty
    fill();
    work(store, 1000);
    work(store, 2000);
  }
  const Touched end = touched();
  // The opening reads `task` once, while it is empty.
  EXPECT_LE(end.sequential_scans - start.sequential_scans, 1);
  EXPECT_LT(end.rows - start.rows, 3 * kAllowed);
}

TEST_F(PlanStability, PlansMadeOnLargeTablesAreGoodAnalysedOrNot) {
  fill();
  for (const bool is_analysed : {false, true}) {
    if (is_analysed) database_.run("analyze task; analyze deferred; analyze orders; analyze event");
    const Touched opening = cost_of_open();
    const Touched start = touched();
    {
      PostgresStore store(database_.settings());
      ASSERT_TRUE(store.open());
      work(store, is_analysed ? 2000 : 1000);
    }
    const Touched end = touched();
    EXPECT_EQ(end.sequential_scans - start.sequential_scans, opening.sequential_scans);
    EXPECT_LT(end.rows - start.rows - opening.rows, kAllowed) << "analysed: " << is_analysed;
  }
}

TEST_F(PlanStability, AStatementThatReadsAWholeTableShows) {
  fill();
  const Touched start = touched();
  database_.run(
      "select count(payload) from orders where submit_hash = 5; select pg_stat_force_next_flush()");
  const Touched end = touched();
  EXPECT_GT(end.sequential_scans, start.sequential_scans);
  EXPECT_GT(end.rows - start.rows, kAllowed);
}

}  // namespace
}  // namespace ordo::testing
