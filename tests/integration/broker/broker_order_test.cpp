// Orders through a whole broker: client SDK, sockets, engine, PostgreSQL, worker SDK and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <set>

#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

constexpr const char* kOneStep = "pipeline: one\nversion: 1\nsteps:\n  work: {}\n";

client::Client connect(const BrokerProcess& broker) {
  client::Options options;
  options.endpoints = {broker.endpoints().clients};
  return client::Client(options);
}

/// A worker that serves `work` with what it is given.
class WorkerAt {
 public:
  WorkerAt(const BrokerProcess& broker, Handler handler) {
    worker_.options().brokers = {broker.endpoints().workers};
    worker_.options().slots = 4;
    worker_.on("work", std::move(handler));
    if (const auto started = worker_.start(); !started) ADD_FAILURE() << started.error().message;
  }
  ~WorkerAt() {
    worker_.stop();
    worker_.wait();
  }
  Worker& sdk() { return worker_; }

 private:
  Worker worker_;
};

std::string stats_of(Worker& worker) {
  const auto s = worker.stats();
  return "offered " + std::to_string(s.offered) + " ended " + std::to_string(s.ended) +
         " recorded " + std::to_string(s.recorded) + " refused " + std::to_string(s.refused) +
         " repeated " + std::to_string(s.repeated) + " timed out " + std::to_string(s.timed_out) +
         " brokers " + std::to_string(s.brokers) + "\n";
}

int rows(ShardDatabase& database, const std::string& table) {
  int sum = 0;
  for (const ShardNumber shard : {ShardNumber{0}, ShardNumber{1}}) {
    sum += std::stoi(database.value("select count(*) from " + table, shard));
  }
  return sum;
}

/// What stands in the way, for a failed expectation.
std::string describe(client::Client& client, ShardDatabase& database) {
  std::string out;
  if (const auto queues = client.queues()) {
    for (const auto& q : *queues) {
      out += q.queue + ": ready " + std::to_string(q.ready) + " leased " +
             std::to_string(q.leased) + " slots " + std::to_string(q.slots) + "\n";
    }
  }
  if (const auto workers = client.workers()) {
    for (const auto& w : *workers) {
      out += w.name + ": slots " + std::to_string(w.slots) + " used " + std::to_string(w.used) +
             " silent " + std::to_string(w.silent_ms) + " ms\n";
    }
  }
  for (const ShardNumber shard : {ShardNumber{0}, ShardNumber{1}}) {
    const auto id = database.value("select order_id from task limit 1", shard);
    const auto order = OrderId::parse(id);
    if (!order) continue;
    if (const auto why = client.explain(*order)) {
      out += id + ": " + why->sentence + "\n";
      for (const auto& fact : why->facts) out += "  " + fact + "\n";
    }
  }
  return out;
}

TEST(BrokerOrder, GoesFromClientToWorkerAndIsRecorded) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  auto client = connect(broker);
  const auto put = client.put_pipeline(kOneStep);
  ASSERT_TRUE(put) << put.error().message;
  WorkerAt worker(broker,
                  [](Task& task) { return succeeded("got " + std::string(task.payload())); });

  const auto waited =
      client.submit_and_wait({.pipeline = "one", .payload = "hello"}, {.timeout = 20s});
  ASSERT_TRUE(waited) << waited.error().message;
  EXPECT_EQ(waited->status, "succeeded");
  const auto view = client.get(waited->id);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->payload, "hello");
  ASSERT_EQ(view->tasks.size(), 1u);
  EXPECT_EQ(view->tasks[0].state, "succeeded");
  EXPECT_EQ(view->tasks[0].result, "got hello");
  EXPECT_EQ(rows(database, "orders"), 1);
  EXPECT_EQ(rows(database, "task"), 0);

  EXPECT_EQ(broker.metric("ordo_orders_accepted_total{pipeline=\"one\"}"), 1);
  EXPECT_EQ(broker.metric("ordo_orders_ended_total{pipeline=\"one\",status=\"succeeded\"}"), 1);
  EXPECT_EQ(
      broker.metric("ordo_tasks_ended_total{pipeline=\"one\",step=\"work\",outcome=\"succeeded\"}"),
      1);
  EXPECT_TRUE(
      wait_until(5s, [&] { return broker.metric("ordo_queue_slots{queue=\"work\"}") >= 4; }));
}

TEST(BrokerOrder, IsInTheTablesBeforeItIsAcknowledged) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  auto client = connect(broker);
  ASSERT_TRUE(client.put_pipeline(kOneStep));
  for (int i = 1; i <= 20; ++i) {
    const auto receipt = client.submit({.pipeline = "one", .payload = "x"});
    ASSERT_TRUE(receipt) << receipt.error().message;
    EXPECT_EQ(rows(database, "orders"), i);
  }
  // The same id again is the same order.
  const auto id = client.draw_id();
  ASSERT_TRUE(id);
  ASSERT_TRUE(client.submit({.pipeline = "one", .payload = "x", .id = *id}));
  const auto again = client.submit({.pipeline = "one", .payload = "x", .id = *id});
  ASSERT_TRUE(again);
  const auto other = client.submit({.pipeline = "one", .payload = "y", .id = *id});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict);
  EXPECT_EQ(rows(database, "orders"), 21);
}

TEST(BrokerOrder, LosesNothingWhenTheBrokerIsKilled) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn(), {"--grace", "500ms"});
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  auto client = connect(broker);
  ASSERT_TRUE(client.put_pipeline(kOneStep));
  constexpr std::size_t kOrders = 2000;
  std::atomic<std::size_t> ran{0};
  WorkerAt worker(broker, [&ran](Task&) {
    ++ran;
    return succeeded();
  });
  std::mutex mutex;
  std::set<OrderId> acknowledged;
  std::atomic<std::size_t> answered{0};
  for (std::size_t i = 0; i < kOrders; ++i) {
    client.submit_async({.pipeline = "one", .payload = "x"},
                        [&](const client::Submitted& submitted) {
                          const std::lock_guard lock(mutex);
                          if (submitted.receipt) acknowledged.insert(submitted.id);
                          ++answered;
                        },
                        {.timeout = 60s});
    if (i == kOrders / 2) {
      ASSERT_TRUE(wait_until(20s, [&] { return ran > 50; }));
      broker.kill9_and_restart();
    }
  }
  ASSERT_TRUE(wait_until(60s, [&] { return answered == kOrders; })) << answered << broker.log();
  EXPECT_EQ(acknowledged.size(), kOrders);
  ASSERT_TRUE(wait_until(60s, [&] { return rows(database, "task") == 0; }))
      << describe(client, database) << stats_of(worker.sdk()) << broker.log();
  EXPECT_EQ(rows(database, "orders"), static_cast<int>(kOrders));
  EXPECT_EQ(rows(database, "deferred"), 0);
  EXPECT_EQ(rows(database, "event where kind = 'succeeded'"), static_cast<int>(kOrders));
  EXPECT_GE(ran, kOrders);
}

TEST(BrokerOrder, EndsOnSigtermWithEverythingAcknowledgedDurable) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  auto client = connect(broker);
  ASSERT_TRUE(client.put_pipeline(kOneStep));
  std::atomic<int> acknowledged{0};
  for (int i = 0; i < 500; ++i) {
    client.submit_async({.pipeline = "one", .payload = "x"},
                        [&](const client::Submitted& submitted) {
                          if (submitted.receipt) ++acknowledged;
                        },
                        {.timeout = 2s});
  }
  broker.process().signal(SIGTERM);
  const auto code = broker.process().wait(15s);
  ASSERT_TRUE(code) << broker.log();
  EXPECT_EQ(*code, 0) << broker.log();
  EXPECT_TRUE(wait_until(10s, [&] { return client.in_flight() == 0; }));
  EXPECT_GE(rows(database, "orders"), acknowledged);
}

TEST(BrokerHealth, TurnsRedWhenTheShardsAreGoneAndBack) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn(), {"--reopen", "1s"});
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  int status = 0;
  EXPECT_THAT(broker.get("/livez", &status), ::testing::HasSubstr("alive"));
  EXPECT_EQ(status, 200);
  const double epoch = broker.metric("ordo_shard_epoch{shard=\"0\"}");
  database.terminate_owner(0);
  database.terminate_owner(1);
  EXPECT_TRUE(wait_until(10s, [&] {
    return broker.metric("ordo_shard_lost_total{shard=\"0\"}") == 1;
  })) << broker.log();
  EXPECT_TRUE(broker.wait_until_ready());
  EXPECT_TRUE(
      wait_until(10s, [&] { return broker.metric("ordo_shard_epoch{shard=\"0\"}") > epoch; }));
}

}  // namespace
}  // namespace ordo::testing
