// What an operator sees of a fault: the right node turns red within 9 s, is named as the root
// cause, and is green within 9 s after repair. Prints the times that it measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/http_get.hpp"
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
  /// How long it takes until the node has that colour; says so and fails past 9 s.
  void expect_colour(const char* what, const std::string& id, const std::string& wanted) const {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_TRUE(testing::wait_until(kPatience, [&] { return colour(id) == wanted; }))
        << what << ": " << tree().dump(1);
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_LE(took, kSeen) << what;
    std::cout << what << ": " << id << " is " << wanted << " after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
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
