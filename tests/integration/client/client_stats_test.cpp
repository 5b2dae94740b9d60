// What a client says about itself: each thing that happened once, under its name.
#include <gtest/gtest.h>

#include <numeric>

#include "client/net/families.hpp"
#include "ordo/client.hpp"
#include "tests/integration/client/fake_broker.hpp"
#include "tests/support/wait.hpp"

namespace ordo::client {
namespace {

using test::FakeBroker;
using test::ok;
using testing::wait_until;

constexpr milliseconds kPatience{10'000};

Options options_for(const FakeBroker& broker) {
  Options options;
  options.endpoints = {broker.endpoint()};
  return options;
}

Order order_with(std::string payload) { return {.pipeline = "one", .payload = std::move(payload)}; }

std::uint64_t sum(const auto& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

TEST(ClientStats, CountEverySubmitOnceByItsAnswer) {
  FakeBroker broker;
  Client client(options_for(broker));
  Order order = order_with("x");
  order.id = client.draw_id().value();
  ASSERT_TRUE(client.submit(order));
  ASSERT_TRUE(client.submit(order));
  EXPECT_FALSE(client.submit({.pipeline = ""}));
  const Stats stats = client.stats();
  EXPECT_EQ(stats.submitted, 3U);
  EXPECT_EQ(stats.accepted, 1U);
  EXPECT_EQ(stats.duplicate, 1U);
  EXPECT_EQ(stats.rejected_as(Code::kMalformed), 1U);
  EXPECT_EQ(sum(stats.rejected), 1U);
  EXPECT_EQ(sum(stats.ack), 2U);
  EXPECT_GT(stats.ack_in_all.count(), 0);
  EXPECT_EQ(stats.brokers, 1U);
  EXPECT_EQ(stats.welcomes, 1U);
  EXPECT_EQ(stats.in_flight, 0U);
}

TEST(ClientStats, TellRefusalsForNowFromDoubt) {
  FakeBroker broker([](const wire::OrderRequest& order, int times) -> std::optional<wire::Answer> {
    if (times == 0) {
      return wire::to_answer(order.request, {Code::kBusy, "inbox_full", "later", milliseconds{1}});
    }
    if (times == 1) return wire::to_answer(order.request, {Code::kUnknown, "in_doubt", "?", {}});
    return ok(order.request);
  });
  Client client(options_for(broker));
  ASSERT_TRUE(client.submit(order_with("x")));
  const Stats stats = client.stats();
  EXPECT_EQ(stats.submitted, 1U);
  EXPECT_EQ(stats.accepted, 1U);
  EXPECT_EQ(stats.busy, 1U);
  EXPECT_EQ(stats.retried, 1U);
  EXPECT_EQ(stats.resent, 1U);
}

TEST(ClientStats, CountWhoseTimeIsUpAndWhatIsInFlight) {
  FakeBroker broker([](const wire::OrderRequest& order, int) -> std::optional<wire::Answer> {
    if (order.payload == "silence") return std::nullopt;
    return ok(order.request);
  });
  Client client(options_for(broker));
  auto silent = client.submit_async(order_with("silence"), {.timeout = milliseconds{300}});
  EXPECT_TRUE(wait_until(kPatience, [&] { return client.stats().submitted == 1; }));
  EXPECT_EQ(client.stats().in_flight, 1U);
  EXPECT_GT(client.stats().bytes_in_flight, 0U);
  EXPECT_FALSE(silent.get().receipt);
  const auto late = client.submit_and_wait(order_with("slow"), {.timeout = milliseconds{100}});
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  const Stats stats = client.stats();
  EXPECT_EQ(stats.submit_timeouts, 1U);
  EXPECT_EQ(stats.wait_timeouts, 1U);
  EXPECT_EQ(stats.rejected_as(Code::kUnknown), 1U);
  EXPECT_EQ(stats.bytes_in_flight, 0U);
}

TEST(ClientStats, CountWhatTheBoundTurnsAwayAndLinksThatBreak) {
  FakeBroker broker;
  Options options = options_for(broker);
  options.max_in_flight = 1;
  Client client(options);
  client.submit_batch_async({order_with("a"), order_with("b")}, [](std::vector<Submitted>) {});
  EXPECT_EQ(client.stats().turned_away, 2U);
  ASSERT_TRUE(client.ready(kPatience));
  broker.stop();
  EXPECT_TRUE(wait_until(kPatience, [&] { return client.stats().lost == 1; }));
  EXPECT_EQ(client.stats().brokers, 0U);
  broker.start();
  EXPECT_TRUE(wait_until(kPatience, [&] { return client.stats().welcomes == 2; }));
}

TEST(ClientStats, AreReadByPrometheusWithEveryFamily) {
  Stats stats;
  stats.submitted = 3;
  stats.accepted = 2;
  stats.rejected[static_cast<std::size_t>(Code::kUnknown)] = 1;
  stats.ack[3] = 2;
  stats.ack_in_all = milliseconds{1};
  const std::string text = to_prometheus(stats);
  for (const ListedMetric& row : metrics::kClientAll) {
    EXPECT_NE(text.find("# TYPE " + std::string(row.family->name) + " "), std::string::npos)
        << row.family->name;
  }
  for (const std::string line :
       {"ordo_client_submits_total 3", "ordo_client_submits_answered_total{outcome=\"accepted\"} 2",
        "ordo_client_submits_answered_total{outcome=\"unknown\"} 1",
        "ordo_client_submits_answered_total{outcome=\"conflict\"} 0",
        "ordo_client_ack_seconds_bucket{le=\"0.0005\"} 2", "ordo_client_ack_seconds_sum 0.001",
        "ordo_client_ack_seconds_count 2"}) {
    EXPECT_NE(text.find("\n" + line + "\n"), std::string::npos) << line << "\n" << text;
  }
}

}  // namespace
}  // namespace ordo::client
