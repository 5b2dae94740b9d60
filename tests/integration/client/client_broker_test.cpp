// SDK and program against a real broker on a real PostgreSQL: across kill -9, and through the life
// of a parked order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <thread>

#include "ordo/client.hpp"
#include "ordo/worker.hpp"
#include "tests/integration/broker/broker_process.hpp"
#include "tests/integration/client/program_run.hpp"
#include "tests/support/shard_database.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using nlohmann::json;
using std::chrono_literals::operator""s;

constexpr const char* kOneTry =
    "pipeline: once\nversion: 1\nsteps:\n  work: { retry: { attempts: 1 } }\n";

client::Client connect(const BrokerProcess& broker) {
  client::Options options;
  options.endpoints = {broker.endpoints().clients};
  options.timeout = std::chrono::milliseconds{30'000};
  return client::Client(options);
}

test::Outcome ordo(const BrokerProcess& broker, std::vector<std::string> arguments) {
  return test::run_program({.program = ORDO_PROGRAM,
                            .arguments = std::move(arguments),
                            .environment = {{"ORDO_ENDPOINT", broker.endpoints().clients},
                                            {"ORDO_HTTP", broker.endpoints().http}}});
}

TEST(ClientAndBroker, LoseAndDoubleNothingAcrossKill9) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready());
  auto client = connect(broker);
  ASSERT_TRUE(client.put_pipeline(kOneTry));
  std::atomic<bool> is_over{false};
  std::vector<std::vector<client::Submitted>> answers(4);
  std::vector<std::thread> threads;
  for (auto& mine : answers) {
    threads.emplace_back([&] {
      while (!is_over) {
        std::vector<client::Order> orders(50);
        for (auto& order : orders) order = {.pipeline = "once", .payload = "x"};
        auto batch = client.submit_batch(std::move(orders));
        std::move(batch.begin(), batch.end(), std::back_inserter(mine));
      }
    });
  }
  for (int kill = 0; kill < 3; ++kill) {
    const double before = broker.metric("ordo_orders_submitted_total");
    wait_until(1s, [&] { return broker.metric("ordo_orders_submitted_total") > before + 200; });
    broker.kill9_and_restart();
    ASSERT_TRUE(broker.wait_until_ready());
  }
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> stored;
  for (const ShardNumber shard : {ShardNumber{0}, ShardNumber{1}}) {
    for (const auto& row : database.run("select id from orders", shard)) stored.insert(row.at(0));
  }
  std::size_t count = 0;
  for (const auto& mine : answers) {
    for (const client::Submitted& one : mine) {
      ASSERT_TRUE(one.receipt) << one.receipt.error().message;
      EXPECT_EQ(stored.count(one.id.to_string()), 1U)
          << "acknowledged and lost: " << one.id.to_string();
      ++count;
    }
  }
  EXPECT_EQ(stored.size(), count);
  EXPECT_GT(count, 500U);
}

TEST(ClientAndBroker, OperateAParkedOrderFromTheCommandLine) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready());
  auto client = connect(broker);
  ASSERT_TRUE(client.put_pipeline(kOneTry));
  std::atomic<bool> is_well{false};
  Worker worker({.brokers = {broker.endpoints().workers}, .slots = 1});
  worker.on("work", [&](Task&) { return is_well ? succeeded("fine") : transient("not today"); });
  ASSERT_TRUE(worker.start());

  const auto submitted = ordo(broker, {"submit", "once", "x", "--wait", "end", "-o", "json"});
  EXPECT_EQ(submitted.code, 1) << submitted.err;
  const std::string id = json::parse(submitted.out).at("id");
  EXPECT_EQ(json::parse(submitted.out).at("status"), "parked");
  EXPECT_THAT(ordo(broker, {"ls", "--parked", "-q"}).out, ::testing::HasSubstr(id));
  EXPECT_THAT(ordo(broker, {"explain", id}).out, ::testing::HasSubstr("not today"));
  EXPECT_THAT(ordo(broker, {"worker", "ls"}).out, ::testing::HasSubstr("work"));

  is_well = true;
  const auto retried = ordo(broker, {"retry", id, "--why", "it is well again", "--who", "ann"});
  EXPECT_EQ(retried.code, 0) << retried.err;
  const auto watched = ordo(broker, {"watch", id, "-o", "jsonl"});
  EXPECT_EQ(watched.code, 0) << watched.err;
  EXPECT_THAT(watched.out, ::testing::HasSubstr("it is well again"));
  EXPECT_THAT(watched.out, ::testing::HasSubstr("\"status\":\"succeeded\""));
  EXPECT_EQ(ordo(broker, {"health"}).code, 0);
  EXPECT_EQ(ordo(broker, {"cancel", id, "--why", "too late", "--yes"}).code, 1);
  worker.stop();
  worker.wait();
}

TEST(ClientAndBroker, PlanSaysWhatANewVersionChanges) {
  ShardDatabase database(2);
  BrokerProcess broker(database.dsn());
  ASSERT_TRUE(broker.wait_until_ready());
  auto client = connect(broker);
  const auto plan = [&](const std::string& text, std::vector<std::string> more = {}) {
    const std::string file = ::testing::TempDir() + "/plan.yaml";
    std::ofstream(file) << text;
    std::vector<std::string> arguments{"pipeline", "plan", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return ordo(broker, arguments);
  };
  const std::string first =
      "pipeline: shop\nversion: 1\nsteps:\n  pay: {}\n  stamp: { after: pay }\n";
  const std::string second =
      "pipeline: shop\nversion: 2\nsteps:\n  gift: {}\n  pay: { after: gift, timeout: 5s }\n";
  EXPECT_THAT(plan(first).out, ::testing::HasSubstr("shop: new, version 1, 2 steps"));
  ASSERT_TRUE(client.put_pipeline(first));
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.submit({.pipeline = "shop", .payload = "x"}));
  }

  const auto told = plan(second);
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_EQ(told.out,
            "shop: version 1 is stored, the file is version 2\n  + gift\n  ~ pay: after, timeout\n"
            "  - stamp\nopen under version 1: 3 running\n"
            "each keeps the version that it began with; new orders get the newest\n");
  const json said = json::parse(plan(second, {"-o", "json"}).out);
  EXPECT_EQ(said.at("steps").size(), 3U);
  EXPECT_EQ(said.at("open").at(0).at("orders"), 3);

  ASSERT_TRUE(client.put_pipeline(second));
  ASSERT_TRUE(client.submit({.pipeline = "shop", .payload = "x"}));
  EXPECT_THAT(plan(second).out, ::testing::HasSubstr("open under version 2: 1 running"));
  const auto late = plan(first + "  more: {}\n");
  EXPECT_EQ(late.code, 1);
  EXPECT_THAT(late.err, ::testing::HasSubstr("version 1 is not after the stored version 2"));
  const auto moved = plan(second, {"--orders", "move"});
  EXPECT_EQ(moved.code, 2);
  EXPECT_THAT(moved.err, ::testing::HasSubstr("`--orders move` is not offered"));
  EXPECT_EQ(plan("pipeline: shop\nsteps:\n  a: { after: b }\n").code, 1);
}

/// `ordo dev`, with what it said so far; it ends with the object.
class DevSystem {
 public:
  explicit DevSystem(std::vector<std::string> arguments) {
    static int count = 0;
    log_ = ::testing::TempDir() + "ordo-dev-" + std::to_string(::getpid()) + "-" +
           std::to_string(count++);
    arguments.insert(arguments.begin(), "dev");
    auto child = ChildProcess::start(
        {.program = ORDO_PROGRAM, .arguments = std::move(arguments), .log = log_});
    if (child) process_.emplace(std::move(*child));
  }
  ~DevSystem() {
    process_.reset();
    std::filesystem::remove(log_);
  }

  bool is_up() {
    return wait_until(60s, [&] { return !endpoint("ORDO_ENDPOINT").empty() || has_ended(); }) &&
           !has_ended();
  }
  [[nodiscard]] std::string said() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What its line `export …` gives a variable; empty: it has not said it.
  [[nodiscard]] std::string endpoint(const std::string& variable) const {
    const std::string text = said();
    const std::size_t at = text.find(variable + "=");
    if (text.find("Ctrl-C ends it") == std::string::npos || at == std::string::npos) return {};
    const std::size_t start = at + variable.size() + 1;
    return text.substr(start, text.find_first_of(" \n", start) - start);
  }
  int interrupted() {
    process_->signal(SIGINT);
    return process_->wait(60s).value_or(-1);
  }

 private:
  bool has_ended() { return !process_ || !process_->is_running(); }

  std::string log_;
  std::optional<ChildProcess> process_;
};

TEST(OrdoDev, KnowsItsOwnBrokerFromAnother) {
  DevSystem first({"--memory"});
  ASSERT_TRUE(first.is_up()) << first.said();
  DevSystem second({"--memory"});
  ASSERT_TRUE(second.is_up()) << second.said();
  EXPECT_THAT(second.said(), ::testing::HasSubstr("is taken: free ports instead"));
  EXPECT_NE(first.endpoint("ORDO_ENDPOINT"), second.endpoint("ORDO_ENDPOINT"));
  for (const DevSystem* system : {&first, &second}) {
    // Its pipelines and its workers, each by itself.
    const std::map<std::string, std::string> at{
        {"ORDO_ENDPOINT", system->endpoint("ORDO_ENDPOINT")},
        {"ORDO_HTTP", system->endpoint("ORDO_HTTP")}};
    const auto submitted = test::run_program({.program = ORDO_PROGRAM,
                                              .arguments = {"submit", "hello", "--wait", "end"},
                                              .environment = at});
    EXPECT_EQ(submitted.code, 0) << submitted.err;
    const auto health =
        test::run_program({.program = ORDO_PROGRAM, .arguments = {"health"}, .environment = at});
    EXPECT_EQ(health.code, 0) << health.out;
    const auto workers = test::run_program(
        {.program = ORDO_PROGRAM, .arguments = {"worker", "ls", "-o", "json"}, .environment = at});
    EXPECT_EQ(json::parse(workers.out).size(), 1U) << workers.out;
  }
  EXPECT_EQ(second.interrupted(), 0) << second.said();
  EXPECT_EQ(first.interrupted(), 0) << first.said();
}

TEST(OrdoDev, EndsWhereItsBrokerCannotStart) {
  DevSystem lost({"--database", "host=/nowhere dbname=x"});
  EXPECT_FALSE(lost.is_up());
  EXPECT_EQ(lost.said().find("ordo is up"), std::string::npos) << lost.said();
}

}  // namespace
}  // namespace ordo::testing
