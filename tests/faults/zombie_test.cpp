// Those who were given up and come back: a worker and a broker that are frozen (SIGSTOP), replaced,
// and continued. What they still say must not count.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "base/http_get.hpp"
#include "examples/demo/report.hpp"
#include "tests/faults/steady_load.hpp"
#include "tests/support/wait.hpp"

namespace ordo::faults {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 60s;

std::unique_ptr<demo::System> make_system(double time_scale) {
  auto system = demo::System::create({.slots = 8, .time_scale = time_scale});
  EXPECT_TRUE(system) << system.error().message;
  const auto broker = (*system)->start_broker();
  EXPECT_TRUE(broker) << broker.error().message;
  const auto ready = (*system)->wait_ready();
  EXPECT_TRUE(ready) << ready.error().message;
  return std::move(*system);
}

/// Submits with a line in the log of acks, as every order here.
OrderId submit(client::Client& client, demo::AckLog& log, const std::string& pipeline) {
  const auto id = client.draw_id();
  EXPECT_TRUE(id);
  log.tried(*id);
  const auto receipt = client.submit({.pipeline = pipeline, .payload = "{}", .id = *id});
  EXPECT_TRUE(receipt) << receipt.error().message;
  log.acked(*id);
  EXPECT_TRUE(log.sync());
  return *id;
}

std::set<std::string> held_by(client::Client& client, const std::vector<OrderId>& ids,
                              const std::string& worker) {
  std::set<std::string> held;
  for (const OrderId& id : ids) {
    const auto order = client.get(id);
    if (!order) continue;
    for (const auto& task : order->tasks) {
      if (task.state == "leased" && task.worker == worker) held.insert(id.to_string());
    }
  }
  return held;
}

std::vector<demo::EventRecord> events_of(const demo::Tables& tables, const std::string& kind,
                                         const std::string& worker) {
  std::vector<demo::EventRecord> found;
  std::copy_if(
      tables.events.begin(), tables.events.end(), std::back_inserter(found),
      [&](const demo::EventRecord& event) { return event.kind == kind && event.worker == worker; });
  return found;
}

TEST(ZombieWorker, SpeaksTooLateIsRefusedAndKeptAsEvidence) {
  // Its services take seconds, so that it is frozen in the middle of all of them.
  auto system = make_system(300);
  const auto client = client_with_pipelines(*system);
  const auto patient = client->put_pipeline(
      "pipeline: hello\nversion: 2\nsteps:\n  hello: { timeout: 5m, retry: { first: 1ms, cap: 1ms "
      "} }\n");
  ASSERT_TRUE(patient) << patient.error().message;
  auto log = demo::AckLog::open(system->folder() + "/acks");
  ASSERT_TRUE(log);
  ASSERT_TRUE(system->start_worker());
  std::vector<OrderId> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(submit(*client, **log, "hello"));

  ASSERT_TRUE(testing::wait_until(
      kPatience, [&] { return held_by(*client, ids, "shop-0").size() >= ids.size() / 2; }));
  system->worker(0).signal(SIGSTOP);

  // Somebody newer, and quick, does the work.
  system->set_time_scale(0.1);
  ASSERT_TRUE(system->start_worker());
  for (const OrderId& id : ids) {
    const auto ended = client->wait(id, {.timeout = 60s});
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(ended->status, "succeeded") << id.to_string();
  }

  system->worker(0).signal(SIGCONT);
  demo::Tables tables;
  ASSERT_TRUE(testing::wait_until(kPatience, [&] {
    const auto read = system->tables().read();
    if (read) tables = *read;
    return read && !events_of(*read, "late_result", "shop-0").empty();
  })) << "no late result was kept";

  // What it had in hand when it was given up.
  std::set<std::string> frozen;
  for (const demo::EventRecord& lost : events_of(tables, "worker_lost", "shop-0")) {
    frozen.insert(lost.order);
  }
  ASSERT_FALSE(frozen.empty());
  for (const demo::EventRecord& late : events_of(tables, "late_result", "shop-0")) {
    EXPECT_EQ(frozen.count(late.order), 1U) << late.order;
    EXPECT_EQ(late.attempt, 1U);
    EXPECT_EQ(late.status, "") << "evidence changes no status";
  }
  for (const demo::EventRecord& done : events_of(tables, "succeeded", "shop-0")) {
    EXPECT_EQ(frozen.count(done.order), 0U)
        << "the frozen one's result was recorded: " << done.order;
  }
  for (const std::string& id : frozen) {
    const auto order = client->get(*OrderId::parse(id));
    ASSERT_TRUE(order);
    EXPECT_EQ(order->status, "succeeded");
    EXPECT_EQ(order->tasks.at(0).attempt, 2U) << "the newer attempt stands";
  }
  const demo::Verdict verdict = settle_and_check(*system);
  EXPECT_TRUE(verdict.is_clean()) << demo::findings_of(verdict);
  std::cout << frozen.size() << " tasks frozen, "
            << events_of(tables, "late_result", "shop-0").size() << " late results kept so far, "
            << verdict.repeated_effects << " effects repeated\n";
  // It has learned that they are not its tasks any more and is as good as new.
  EXPECT_TRUE(system->worker(0).is_running());
  const auto stopped = system->stop();
  EXPECT_TRUE(stopped) << stopped.error().message;
}

/// Epoch of each shard, and how many events were written in it.
std::map<std::string, std::string> epochs(const demo::System& system) {
  std::map<std::string, std::string> found;
  const auto rows = system.tables().rows("select number, epoch from {shard}.shard");
  EXPECT_TRUE(rows) << rows.error().message;
  for (const auto& row : *rows) found[row.at(0)] = row.at(1);
  return found;
}

std::string events_of_epoch(const demo::System& system, const std::string& epoch) {
  const auto rows = system.tables().rows(
      "select '{shard}', count(*) from {shard}.event where seq >> 40 <= " + epoch);
  EXPECT_TRUE(rows) << rows.error().message;
  std::string all;
  for (const auto& row : *rows) all += row.at(0) + " " + row.at(1) + "\n";
  return all;
}

int ready_status(const demo::System& system, std::size_t broker) {
  std::string at = system.endpoints(broker).http;
  if (at.find("://") == std::string::npos) at = "http://" + at;
  const auto reply = http_get(at + "/readyz");
  return reply ? reply->status : 0;
}

TEST(ZombieBroker, WritesNothingAfterAnotherTookOver) {
  auto system = make_system(0.05);
  // A second broker, which waits for the shards that the first holds.
  ASSERT_TRUE(system->start_broker());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(system->start_worker());
  const auto before = epochs(*system);
  SteadyLoad load(*system, 150, 7);
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return load.acked() > 300; }));
  ASSERT_EQ(epochs(*system), before) << "the second broker took a shard that has an owner";

  // Frozen with submits, results and commits in its hands. Its sessions live on, and with them its
  // locks: they end when TCP gives up, or when somebody ends them.
  system->broker(0).signal(SIGSTOP);
  const auto ended =
      system->tables().rows("select pg_terminate_backend(backend_pid, 10000) from {shard}.shard");
  ASSERT_TRUE(ended) << ended.error().message;
  const auto ready = system->wait_ready(1);
  ASSERT_TRUE(ready) << ready.error().message;
  const std::uint64_t taken_over = load.acked();
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return load.acked() > taken_over + 300; }))
      << "orders do not reach the second broker";
  const auto after = epochs(*system);
  for (const auto& [shard, epoch] : after) {
    EXPECT_GT(std::stoll(epoch), std::stoll(before.at(shard))) << "shard " << shard;
  }
  const std::string old_epoch = before.begin()->second;
  const std::string written = events_of_epoch(*system, old_epoch);

  system->broker(0).signal(SIGCONT);
  const std::uint64_t continued = load.acked();
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return load.acked() > continued + 500; }));
  ASSERT_TRUE(testing::wait_until(kPatience, [&] { return ready_status(*system, 0) == 503; }))
      << "the first broker still thinks that it owns shards";
  load.stop();
  const demo::Verdict verdict = settle_and_check(*system);
  EXPECT_TRUE(verdict.is_clean()) << demo::findings_of(verdict);
  EXPECT_EQ(events_of_epoch(*system, old_epoch), written)
      << "the first broker wrote after the takeover";
  EXPECT_EQ(epochs(*system), after) << "a shard changed hands once more";
  EXPECT_EQ(load.counts().refused, 0U) << load.counts().last_refusal;
  std::cout << load.counts().acked << " acknowledged, " << load.counts().unknown << " unknown, "
            << verdict.lost.count << " lost, " << verdict.repeated_effects << " effects repeated\n";
  const auto stopped = system->stop();
  EXPECT_TRUE(stopped) << stopped.error().message;
}

}  // namespace
}  // namespace ordo::faults
