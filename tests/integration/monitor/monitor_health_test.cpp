// The colours: several brokers in one answer, and one that is frozen, gone or late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <iostream>

#include "tests/integration/broker/broker_process.hpp"
#include "tests/integration/monitor/monitor_process.hpp"
#include "tests/support/wait.hpp"

namespace ordo::testing {
namespace {

using std::chrono_literals::operator""s;
using Json = nlohmann::json;

constexpr auto kSeenWithin = 9s;  // from a fault to its colour: what ordo promises

std::vector<std::string> flags(const std::string& name, const std::string& shard,
                               const std::string& system = "ordo") {
  return {"--store", "memory",        "--name", name,       "--shards",
          "1",       "--first-shard", shard,    "--system", system};
}

Json system_of(const Json& health, const std::string& name) {
  for (const auto& system : health["systems"]) {
    if (system["system"] == name) return system;
  }
  return {};
}

Json node_of(const Json& system, const std::string& id) {
  if (!system.contains("nodes")) return {};
  for (const auto& node : system["nodes"]) {
    if (node["id"] == id) return node;
  }
  return {};
}

std::string list(const BrokerProcess& a, const BrokerProcess& b) {
  return a.endpoints().http + "," + b.endpoints().http;
}

/// Empty where there is no such node yet.
std::string word_of(const Json& system, const std::string& id, const std::string& field) {
  const Json node = node_of(system, id);
  return node.is_object() ? node.value(field, "") : "";
}

bool is_green(const MonitorProcess& monitor, const std::vector<std::string>& nodes) {
  const Json system = system_of(monitor.get("/api/v1/health").json(), "ordo");
  return std::all_of(nodes.begin(), nodes.end(), [&](const std::string& id) {
    return word_of(system, id, "status") == "green";
  });
}

TEST(MonitorHealth, AFrozenBrokerIsRedInTimeAndTheOtherStaysGreen) {
  BrokerProcess a("", flags("a", "0"));
  BrokerProcess b("", flags("b", "1"));
  const MonitorProcess monitor({"--brokers", list(a, b), "--endpoint", a.endpoints().clients});
  ASSERT_TRUE(wait_until(20s, [&] {
    return is_green(monitor, {"broker/a", "broker/b", "shard/0", "shard/1"});
  })) << monitor.get("/api/v1/health").body;
  a.process().signal(SIGSTOP);
  const auto began = std::chrono::steady_clock::now();
  Json system;
  const bool is_seen = wait_until(kSeenWithin, [&] {
    system = system_of(monitor.get("/api/v1/health").json(), "ordo");
    return word_of(system, "broker/a", "reason") == "unreachable";
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::cout << "red after " << took.count() << " s\n";
  a.process().signal(SIGCONT);
  ASSERT_TRUE(is_seen) << system;
  EXPECT_EQ(system["status"], "red");
  EXPECT_EQ(node_of(system, "broker/a")["status"], "red");
  EXPECT_EQ(node_of(system, "broker/a")["root_cause"], true);
  EXPECT_EQ(node_of(system, "shard/0")["reason"], "stale");
  EXPECT_EQ(node_of(system, "shard/0")["status"], "unknown");
  EXPECT_EQ(node_of(system, "broker/b")["status"], "green");
  EXPECT_EQ(node_of(system, "shard/1")["status"], "green");
  EXPECT_TRUE(wait_until(20s, [&] { return is_green(monitor, {"broker/a", "broker/b"}); }));
}

TEST(MonitorHealth, SystemsStandSideBySide) {
  BrokerProcess a("", flags("a", "0", "east"));
  BrokerProcess b("", flags("a", "0", "west"));
  const MonitorProcess monitor({"--brokers", list(a, b), "--endpoint", a.endpoints().clients});
  ASSERT_TRUE(wait_until(20s, [&] {
    const Json health = monitor.get("/api/v1/health").json();
    return system_of(health, "east").is_object() && system_of(health, "west").is_object();
  }));
  b.process().kill9();
  Json health;
  ASSERT_TRUE(wait_until(kSeenWithin, [&] {
    health = monitor.get("/api/v1/health").json();
    return system_of(health, "west")["status"] == "red";
  })) << health;
  // Worst first, and the sources say why.
  EXPECT_EQ(health["systems"][0]["system"], "west");
  EXPECT_EQ(health["systems"][1]["status"], "green");
  EXPECT_EQ(health["sources"][0]["error"], "");
  EXPECT_THAT(health["sources"][1]["error"].get<std::string>(),
              ::testing::HasSubstr("cannot connect"));
  EXPECT_GT(health["sources"][1]["age_ms"], 0);
}

TEST(MonitorHealth, BrokersMayComeLater) {
  std::string http;
  std::string clients;
  {
    const BrokerProcess gone("", flags("a", "0"));
    http = gone.endpoints().http;
    clients = gone.endpoints().clients;
  }
  MonitorProcess monitor({"--brokers", http, "--endpoint", clients});
  Json health;
  ASSERT_TRUE(wait_until(kSeenWithin, [&] {
    health = monitor.get("/api/v1/health").json();
    return health["systems"][0]["status"] == "red";
  })) << health;
  EXPECT_TRUE(health["sources"][0]["age_ms"].is_null());
  EXPECT_EQ(monitor.get("/readyz", std::nullopt).status, 200);
  EXPECT_EQ(monitor.get("/api/v1/orders").status, 503);
  std::vector<std::string> later = flags("a", "0");
  const auto address = [](const std::string& url) { return url.substr(url.find("//") + 2); };
  later.insert(later.end(), {"--plaintext", "--listen-http", address(http), "--listen-clients",
                             address(clients), "--listen-workers", "127.0.0.1:0"});
  auto program = find_program("ordo-broker");
  ASSERT_TRUE(program) << program.error().message;
  auto broker = ChildProcess::start({.program = *program, .arguments = later});
  ASSERT_TRUE(broker) << broker.error().message;
  EXPECT_TRUE(wait_until(20s, [&] { return is_green(monitor, {"broker/a", "shard/0"}); }));
  EXPECT_TRUE(wait_until(20s, [&] { return monitor.get("/api/v1/orders").status == 200; }));
  EXPECT_EQ(monitor.process().stop(), 0);
}

TEST(MonitorHealth, WhatIsNoBrokerIsNeverGreen) {
  // Another monitor: it answers 401, which is no health.
  const MonitorProcess other({});
  const MonitorProcess monitor({"--brokers", other.address()});
  Json health;
  EXPECT_TRUE(wait_until(kSeenWithin, [&] {
    health = monitor.get("/api/v1/health").json();
    return health["systems"][0]["status"] == "red";
  })) << health;
  EXPECT_THAT(health["sources"][0]["error"].get<std::string>(), ::testing::HasSubstr("401"));
}

}  // namespace
}  // namespace ordo::testing
