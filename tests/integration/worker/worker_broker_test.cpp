// The worker SDK against a whole broker: what handlers are promised, through restarts, drains,
// hangs and retries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <map>
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

constexpr const char* kChain = R"(
pipeline: chain
version: 1
steps:
  first:  { timeout: 20s }
  left:   { after: first }
  right:  { after: first }
  last:   { after: [left, right] }
)";
constexpr const char* kOne = "pipeline: one\nversion: 1\nsteps:\n  work: { timeout: 20s }\n";
constexpr const char* kHasty = R"(
pipeline: hasty
version: 1
steps:
  work: { timeout: 300ms, retry: { attempts: 3, first: 10ms, cap: 20ms } }
)";

/// A database, a broker on it and a client that has put a pipeline.
struct System {
  explicit System(const char* pipeline, std::vector<std::string> flags = {})
      : broker(database.dsn(), std::move(flags)) {
    EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
    client::Options options;
    options.endpoints = {broker.endpoints().clients};
    client = std::make_unique<client::Client>(options);
    const auto put = client->put_pipeline(pipeline);
    EXPECT_TRUE(put) << put.error().message;
  }

  [[nodiscard]] WorkerOptions options(std::uint32_t slots = 4) const {
    WorkerOptions options;
    options.brokers = {broker.endpoints().workers};
    options.slots = slots;
    options.drain_timeout = 10s;
    return options;
  }
  OrderId submit(const std::string& pipeline, std::string payload = "x", std::string context = {}) {
    const auto receipt = client->submit(
        {.pipeline = pipeline, .payload = std::move(payload), .context = std::move(context)});
    EXPECT_TRUE(receipt) << receipt.error().message;
    return receipt ? receipt->id : OrderId{};
  }
  std::string status_of(const OrderId& id) {
    const auto waited = client->wait(id, {.timeout = 30s});
    return waited ? waited->status : waited.error().message;
  }
  std::size_t orders_that(const std::string& condition) {
    std::size_t sum = 0;
    for (const ShardNumber shard : {ShardNumber{0}, ShardNumber{1}}) {
      sum += std::stoul(database.value("select count(*) from " + condition, shard));
    }
    return sum;
  }

  ShardDatabase database{2};
  BrokerProcess broker;
  std::unique_ptr<client::Client> client;
};

TEST(WorkerWithBroker, HandsResultsAndContextFromStepToStep) {
  System system(kChain);
  Worker worker(system.options());
  std::atomic<int> wrong{0};
  worker.on("first", [](Task&) { return succeeded("one", R"({"risk":"low"})"); });
  worker.on("left", [&](Task& task) {
    wrong += task.result("first") != "one" || task.context_string("risk") != "low";
    return succeeded("two");
  });
  worker.on("right", [&](Task& task) {
    wrong += task.context_number("sum") != 7.5 || task.result("left").has_value();
    return succeeded("three");
  });
  worker.on("last", [&](Task& task) {
    wrong += task.result("left") != "two" || task.result("right") != "three" ||
             task.result("first") != "one" || task.payload() != "cart";
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  EXPECT_EQ(system.status_of(system.submit("chain", "cart", R"({"sum":7.5})")), "succeeded");
  EXPECT_EQ(wrong, 0);
}

TEST(WorkerWithBroker, TriesAgainWithTheSameEffectKeyAndSaysMaybeAfterATimeout) {
  System system(kHasty);
  Worker worker(system.options());
  std::mutex mutex;
  std::set<std::string> keys;
  std::map<std::uint32_t, bool> maybe;
  std::promise<void> third;
  worker.on("work", [&, begun = third.get_future().share()](Task& task) {
    {
      const std::lock_guard lock(mutex);
      keys.insert(task.effect_key());
      maybe[task.attempt()] = task.is_maybe();
    }
    if (task.attempt() == 1) return transient("not yet");
    if (task.attempt() == 2) begun.wait();
    if (task.attempt() == 3) third.set_value();
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  const OrderId id = system.submit("hasty");
  EXPECT_EQ(system.status_of(id), "succeeded");
  const std::lock_guard lock(mutex);
  EXPECT_EQ(keys, std::set<std::string>{id.to_string() + "/work/0/forward"});
  EXPECT_EQ(maybe, (std::map<std::uint32_t, bool>{{1, false}, {2, false}, {3, true}}));
}

TEST(WorkerWithBroker, KeepsResultsThroughTheDeathOfItsBroker) {
  System system(kOne);
  Worker worker(system.options(8));
  std::promise<void> go;
  std::atomic<int> begun{0};
  std::atomic<int> calls{0};
  worker.on("work", [&, gate = go.get_future().share()](Task&) {
    ++calls;
    ++begun;
    gate.wait();
    return succeeded("kept");
  });
  ASSERT_TRUE(worker.start());
  std::vector<OrderId> orders;
  for (int i = 0; i < 8; ++i) orders.push_back(system.submit("one"));
  ASSERT_TRUE(wait_until(10s, [&] { return begun == 8; }));
  system.broker.kill9_and_restart();
  go.set_value();  // they end while nobody listens
  for (const OrderId& id : orders) EXPECT_EQ(system.status_of(id), "succeeded");
  EXPECT_EQ(calls, 8) << "what ran was adopted, not run again";
  EXPECT_EQ(system.orders_that("event where kind = 'succeeded'"), 8U);
  EXPECT_EQ(system.orders_that("event where kind = 'late_result'"), 0U);
}

TEST(WorkerWithBroker, GivesWhatItHasNotBegunToOthersWhenItDrains) {
  System system(kOne);
  WorkerOptions options = system.options(1);
  options.take_ahead = 20;
  Worker leaving(options);
  std::promise<void> go;
  std::promise<void> begun;
  leaving.on("work", [&, gate = go.get_future().share()](Task&) {
    begun.set_value();
    gate.wait();
    return succeeded("leaving");
  });
  ASSERT_TRUE(leaving.start());
  std::vector<OrderId> orders;
  for (int i = 0; i < 20; ++i) orders.push_back(system.submit("one"));
  begun.get_future().wait();
  ASSERT_TRUE(wait_until(10s, [&] { return leaving.stats().offered == 20; }));

  Worker staying(system.options());
  std::atomic<int> done{0};
  staying.on("work", [&](Task& task) {
    EXPECT_FALSE(task.is_maybe()) << "it was handed back, so nobody has begun it";
    ++done;
    return succeeded("staying");
  });
  ASSERT_TRUE(staying.start());
  leaving.stop();
  EXPECT_TRUE(wait_until(10s, [&] { return done == 19; })) << done;
  EXPECT_TRUE(leaving.is_running());
  go.set_value();
  EXPECT_EQ(leaving.wait(), 0);
  EXPECT_EQ(leaving.stats().handed_back, 19U);
  for (const OrderId& id : orders) EXPECT_EQ(system.status_of(id), "succeeded");
}

TEST(WorkerWithBroker, LeavesWith70WhenItHangsAndOthersDoItsWork) {
  System system(kHasty);
  WorkerOptions options = system.options(2);
  options.hang_grace = 200ms;
  const auto gate = std::make_shared<std::promise<void>>();
  auto hanging = std::make_unique<Worker>(options);
  hanging->on("work", [end = gate->get_future().share()](Task&) {
    end.wait();
    return succeeded();
  });
  ASSERT_TRUE(hanging->start());
  const OrderId one = system.submit("hasty");
  const OrderId two = system.submit("hasty");
  EXPECT_EQ(hanging->wait(), 70);
  Worker healthy(system.options());
  healthy.on("work", [](Task&) { return succeeded(); });
  ASSERT_TRUE(healthy.start());
  // Three timeouts park a task: what the hanging worker burned decides which of the two it is.
  for (const OrderId& id : {one, two}) {
    EXPECT_THAT(system.status_of(id), ::testing::AnyOf("succeeded", "parked"));
  }
  hanging.reset();
  gate->set_value();
}

TEST(WorkerWithBroker, NeverLosesAResultToABrokerThatIsKilledAgainAndAgain) {
  System system(kChain, {"--grace", "500ms"});
  WorkerOptions options = system.options(8);
  options.take_ahead = 200;
  Worker worker(options);
  std::mutex mutex;
  std::map<std::string, int> calls;
  for (const char* const step : {"first", "left", "right", "last"}) {
    worker.on(step, [&](Task& task) {
      const std::lock_guard lock(mutex);
      ++calls[task.effect_key()];
      return succeeded(task.step());
    });
  }
  ASSERT_TRUE(worker.start());
  constexpr std::size_t kOrders = 600;
  for (std::size_t i = 0; i < kOrders; ++i) {
    system.submit("chain");
    if (i % 200 == 150) system.broker.kill9_and_restart();
  }
  const std::string all_done = "event where kind = 'succeeded'";
  EXPECT_TRUE(wait_until(
      25s, [&] { return system.orders_that(all_done) == 4 * kOrders; }, 100ms))
      << system.orders_that(all_done) << " done, " << system.orders_that("task") << " in hand, "
      << system.orders_that("deferred") << " deferred, of those parked "
      << system.orders_that("deferred where state = 'parked'") << "\n"
      << system.broker.log();
  EXPECT_EQ(system.orders_that("event where order_status = 'succeeded'"), kOrders);
  const std::lock_guard lock(mutex);
  EXPECT_EQ(calls.size(), 4 * kOrders) << "every effect at least once";
}

}  // namespace
}  // namespace ordo::testing
