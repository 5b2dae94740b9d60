// What an operator sees of a fault: the right node has the right colour within 9 s, the root cause
// is named, and it is green within 9 s after repair. Ends with a table of the times it measured.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/http_get.hpp"
#include "ordo/worker.hpp"
#include "tests/faults/steady_load.hpp"
#include "tests/support/wait.hpp"

namespace ordo::faults {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kSeen = 9s;
constexpr auto kPatience = 60s;

class Colours : public ::testing::Test {
 protected:
  Colours() {
    auto made = demo::System::create({.slots = 8, .time_scale = 0.1});
    EXPECT_TRUE(made) << made.error().message;
    system_ = std::move(*made);
    EXPECT_TRUE(system_->start_broker());
    EXPECT_TRUE(system_->wait_ready());
    client_ = client_with_pipelines(*system_);
  }

  /// They are there and everything is well: before that a fault would find nobody.
  void start_workers(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(system_->start_worker());
    ASSERT_TRUE(testing::wait_until(kPatience, [&] {
      const Json seen = tree();
      bool is_well = seen.value("status", "") == "green";
      for (std::size_t i = 0; i < count; ++i) {
        const auto name = "worker/shop-" + std::to_string(i);
        is_well = is_well && node(seen, name).value("status", "") == "green";
      }
      return is_well && node(seen, "queue/hello").value("status", "") == "green";
    })) << tree().dump(1);
  }

  Json tree() const {
    const auto reply = http_get(system_->endpoints(0).http + "/api/v1/health");
    return reply && reply->status == 200 ? Json::parse(reply->body) : Json::object();
  }
  static Json node(const Json& tree, const std::string& id) {
    for (const Json& one : tree.value("nodes", Json::array())) {
      if (one.at("id") == id) return one;
    }
    return Json::object();
  }
  std::string colour(const std::string& id) const {
    return node(tree(), id).value("status", "none");
  }
  /// How long it takes until the node has that colour; a line of the table, and fails past 9 s.
  void expect_colour(const char* what, const std::string& id, const std::string& wanted) const {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(testing::wait_until(kPatience, [&] { return colour(id) == wanted; }))
        << what << ": " << tree().dump(1);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(took, kSeen) << what;
    std::string cause;
    for (const Json& one : tree().value("nodes", Json::array())) {
      if (one.value("root_cause", false)) cause += " " + one.value("id", "");
    }
    const double seconds = std::chrono::duration<double>(took).count();
    table() +=
        fmt::format("{:<34} {:<18} {:<8} {:>5.1f} s  {}\n", what, id, wanted, seconds, cause);
  }
  static std::string& table() {
    static std::string lines;
    return lines;
  }
  static void TearDownTestSuite() {
    std::cout << fmt::format("{:<34} {:<18} {:<8} {:>7}   {}\n", "what happens", "node", "is",
                             "after", "root causes")
              << table();
  }

  std::unique_ptr<demo::System> system_;
  std::unique_ptr<client::Client> client_;
};

TEST_F(Colours, AFrozenWorkerIsRedAndTheCause) {
  start_workers(2);
  system_->worker(0).signal(SIGSTOP);
  expect_colour("worker frozen", "worker/shop-0", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "worker/shop-0")["reason"], "silent");
  EXPECT_EQ(node(seen, "worker/shop-0")["root_cause"], true);
  EXPECT_EQ(node(seen, "worker/shop-1")["status"], "green");
  EXPECT_EQ(seen["status"], "red");
  system_->worker(0).signal(SIGCONT);
  expect_colour("worker goes on", "worker/shop-0", "green");
}

TEST_F(Colours, AFrozenDatabaseTurnsItsShardsRedAndTheyAreTheCause) {
  start_workers(1);
  system_->postgres().freeze();
  expect_colour("database frozen", "shard/0", "red");
  expect_colour("… and the other shard", "shard/1", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "shard/0")["root_cause"], true);
  EXPECT_EQ(node(seen, "worker/shop-0")["status"], "green");
  system_->postgres().thaw();
  expect_colour("database goes on", "shard/0", "green");
  expect_colour("… and the other shard", "shard/1", "green");
}

/// A step that uses a service, whose time and failures the test sets; one worker in this process
/// runs it, and orders for it come all the time.
class Service {
 public:
  explicit Service(const demo::System& system, client::Client& client) : client_(client) {
    EXPECT_TRUE(client.put_pipeline(
        "pipeline: bank\nversion: 1\nsteps:\n  charge: { uses: bank, timeout: 1s }\n"));
    worker_.options().brokers = {system.endpoints(0).workers};
    worker_.options().name = "teller";
    worker_.options().slots = kSlots;
    worker_.on("charge", [this](Task& task) {
      std::chrono::milliseconds takes{takes_ms};
      if (is_deaf) return run_on();
      static_cast<void>(task.cancellation().wait_for(takes));
      return is_down ? transient("the bank does not answer") : succeeded();
    });
    EXPECT_TRUE(worker_.start());
    load_ = std::thread([this] { submit_steadily(); });
  }
  ~Service() {
    must_end = true;
    is_deaf = false;
    load_.join();
    worker_.stop();
    worker_.wait();
  }

  static constexpr std::uint32_t kSlots = 24;
  std::atomic<int> takes_ms{30};
  std::atomic<bool> is_down{false};
  std::atomic<bool> is_deaf{false};  ///< its handlers do not hear that they are to stop
  std::atomic<bool> must_end{false};

 private:
  /// A handler that looks at nothing; it ends with the fault.
  TaskOutcome run_on() {
    testing::wait_until(kPatience, [this] { return !is_deaf; });
    return succeeded();
  }
  /// 40 a second, each in its turn.
  void submit_steadily() {
    auto next = std::chrono::steady_clock::now();
    while (!must_end) {
      client_.submit_async({.pipeline = "bank", .payload = "{}"}, [](client::Submitted) {});
      next += 25ms;
      testing::wait_until(1s, [&] { return std::chrono::steady_clock::now() >= next; });
    }
  }

  client::Client& client_;
  Worker worker_;
  std::thread load_;
};

TEST_F(Colours, AServiceThatIsSlowIsYellowAtSevenTimesAndRedAtTwelve) {
  Service bank(*system_, *client_);
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return colour("dependency/bank") == "green"; }));
  // What is normal has to be learnt first: 30 calls are not enough to outweigh a cold start.
  const auto until = std::chrono::steady_clock::now() + 5s;
  testing::wait_until(kPatience, [&] { return std::chrono::steady_clock::now() >= until; });
  bank.takes_ms = 7 * 30 + 10;
  expect_colour("service 7 times slower", "dependency/bank", "yellow");
  EXPECT_EQ(node(tree(), "dependency/bank")["reason"], "slow");
  bank.takes_ms = 12 * 30 + 60;
  expect_colour("service 12 times slower", "dependency/bank", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "dependency/bank")["root_cause"], true);
  EXPECT_EQ(node(seen, "dependency/bank")["interface"], "bank.charge");
  EXPECT_THAT(node(seen, "dependency/bank").value("text", ""),
              ::testing::MatchesRegex("A call takes .* ms \\(normal: .* ms\\)\\."));
  EXPECT_EQ(node(seen, "worker/teller").value("root_cause", true), false);
  bank.takes_ms = 30;
  expect_colour("service as fast as before", "dependency/bank", "green");
  expect_colour("… and who called it", "worker/teller", "green");
}

TEST_F(Colours, AServiceThatIsDownIsTheCauseOfItsCallersTrouble) {
  Service bank(*system_, *client_);
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return colour("dependency/bank") == "green"; }));
  bank.is_down = true;
  expect_colour("service down", "dependency/bank", "red");
  expect_colour("… and who calls it", "worker/teller", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "dependency/bank")["root_cause"], true);
  EXPECT_EQ(node(seen, "worker/teller")["root_cause"], false);
  bank.is_down = false;
  expect_colour("service up", "dependency/bank", "green");
  expect_colour("… and who calls it", "worker/teller", "green");
}

TEST_F(Colours, HandlersThatDoNotComeBackTurnTheirWorkerRed) {
  Service bank(*system_, *client_);
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return colour("worker/teller") == "green"; }));
  bank.is_deaf = true;
  expect_colour("handlers hang", "worker/teller", "red");
  ASSERT_TRUE(testing::wait_until(kPatience, [&] {
    return node(tree(), "worker/teller").value("reason", "") == "hung";
  })) << tree().dump(1);
  bank.is_deaf = false;
  expect_colour("handlers come back", "worker/teller", "green");
}

/// A session that holds the tables of shard 1 for itself.
class Blocker {
 public:
  /// The broker's own housekeeping may want them at the same moment, and PostgreSQL then ends one
  /// of the two: asked again until they are held.
  explicit Blocker(const demo::System& system) : system_(system) {
    std::optional<testing::ChildProcess> session;
    is_there_ = testing::wait_until(kPatience, [&] {
      if (!session || !session->is_running()) {
        auto started = testing::ChildProcess::start(
            {.program = system_.psql(),
             .arguments = {"-d", system_.dsn() + " application_name=blocker", "-c",
                           "begin; lock table ordo_1.task, ordo_1.orders in access exclusive mode; "
                           "select pg_sleep(600)"}});
        if (!started) return false;
        session = std::move(*started);
      }
      return held() == 2;
    });
    session_ = std::move(session);
  }

  [[nodiscard]] bool is_there() const { return is_there_; }
  Result<std::string> release() const {
    return ask(
        "select pg_terminate_backend(pid) from pg_stat_activity where "
        "application_name = 'blocker'");
  }

 private:
  Result<std::string> ask(const std::string& sql) const {
    return testing::output_of(system_.psql(), {"-d", system_.dsn(), "-Atc", sql});
  }
  int held() const {
    const auto count = ask(
        "select count(*) from pg_locks l join pg_stat_activity a using (pid) where l.granted and "
        "a.application_name = 'blocker' and l.mode = 'AccessExclusiveLock' and "
        "l.relation in ('ordo_1.task'::regclass, 'ordo_1.orders'::regclass)");
    return count ? std::atoi(count->c_str()) : 0;
  }

  const demo::System& system_;
  std::optional<testing::ChildProcess> session_;
  bool is_there_ = false;
};

TEST_F(Colours, OneBlockedShardIsRedAloneAndTheCause) {
  start_workers(1);
  const Blocker blocker(*system_);
  ASSERT_TRUE(blocker.is_there());
  faults::SteadyLoad load(*system_, 50, 1);
  expect_colour("one shard's tables locked", "shard/1", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "shard/1")["root_cause"], true);
  EXPECT_EQ(node(seen, "shard/0")["status"], "green");
  // The shop's services fail now and then, which may show as yellow; red is one node alone.
  for (const Json& one : seen["nodes"]) {
    const auto id = one.value("id", "");
    EXPECT_EQ(one.value("root_cause", false), id == "shard/1") << id;
    if (one.value("type", "") == "worker") {
      EXPECT_NE(one.value("status", ""), "red") << id;
    }
  }
  const auto ended = blocker.release();
  ASSERT_TRUE(ended) << ended.error().message;
  expect_colour("lock released", "shard/1", "green");
  load.stop();
}

TEST_F(Colours, TwoYellowNodesLeaveTheSystemGreenAndThreeDoNot) {
  start_workers(1);
  const client::Operator by{"ann", "stock-taking"};
  const std::vector<std::string> queues{"risk_check", "payment", "complete"};
  for (std::size_t i = 0; i < queues.size(); ++i) {
    ASSERT_TRUE(client_->pause(queues[i], by));
    expect_colour("queue paused", "queue/" + queues[i], "yellow");
    EXPECT_EQ(tree()["status"], i < 2 ? "green" : "yellow");
  }
  for (const auto& queue : queues) ASSERT_TRUE(client_->resume(queue, by));
  for (const auto& queue : queues) expect_colour("queue goes on", "queue/" + queue, "green");
  EXPECT_EQ(tree()["status"], "green");
}

TEST_F(Colours, AQueueWithoutItsLastWorkerIsRedAndTheWorkerIsTheCause) {
  start_workers(1);
  system_->worker(0).signal(SIGKILL);
  const auto receipt = client_->submit({.pipeline = "hello", .payload = "{}"});
  ASSERT_TRUE(receipt) << receipt.error().message;
  expect_colour("last worker killed", "queue/hello", "red");
  const Json seen = tree();
  EXPECT_EQ(node(seen, "queue/hello")["reason"], "no_worker");
  EXPECT_EQ(node(seen, "queue/hello")["root_cause"], false);
  EXPECT_EQ(node(seen, "worker/shop-0")["root_cause"], true);
  ASSERT_TRUE(system_->start_worker());
  expect_colour("worker replaced", "queue/hello", "green");
  expect_colour("the lost one is forgotten", "worker/shop-0", "none");
  EXPECT_EQ(tree()["status"], "green") << tree().dump(1);
}

}  // namespace
}  // namespace ordo::faults
