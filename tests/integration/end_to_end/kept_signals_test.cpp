// Signals that no step can take: a payment after the cancel starts the refund, one without its
// order is kept over a restart, rebuilds the order, and its own submit is merged. By the SDKs, over
// a real broker and PostgreSQL.
#include <algorithm>

#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

constexpr const char* kRefund = R"(
pipeline: refund
version: 1
steps:
  pay_back: {}
)";
constexpr const char* kDigital = R"(
pipeline: digital
version: 1
restore: payment
steps:
  reserve: {}
  payment: { after: reserve, wait: paid, timeout: 15m, late: refund }
  issue:   { after: payment }
)";

class KeptSignals : public ::testing::Test {
 protected:
  // Looks follow each other so closely that the last comes within seconds.
  KeptSignals() : broker(database.dsn(), {"--signal-gap", "20ms"}) {
    EXPECT_TRUE(broker.wait_until_ready()) << broker.log();
    client = std::make_unique<client::Client>(
        client::Options{.endpoints = {broker.endpoints().clients}});
    for (const char* text : {kRefund, kDigital}) {
      const auto stored = client->put_pipeline(text);
      EXPECT_TRUE(stored) << stored.error().message;
    }
    worker_.options().brokers = {broker.endpoints().workers};
    for (const char* step : {"pay_back", "issue"}) {
      worker_.on(step, [this](Task& task) {
        EXPECT_TRUE(runs.push(task.step() + " " + std::string(task.payload()) + " " +
                              std::string(task.context())));
        return succeeded();
      });
    }
    EXPECT_TRUE(worker_.start());
  }
  ~KeptSignals() override {
    worker_.stop();
    worker_.wait();
  }

  Result<void> pay(const OrderId& id, const std::string& amount) {
    return client->signal({.id = id,
                           .name = "paid",
                           .payload = amount,
                           .dedup = "bank-1",
                           .pipeline = "digital",
                           .who = "bank"});
  }
  std::vector<std::string> kinds_of(const OrderId& id) {
    std::vector<std::string> kinds;
    const auto order = client->get(id);
    if (!order) return kinds;
    for (const auto& event : order->events) kinds.push_back(event.kind);
    return kinds;
  }
  std::string end_of(const OrderId& id) {
    const auto waited = client->wait(id, {.timeout = kPatience});
    if (!waited) return waited.error().message;
    return waited->timed_out ? "timed out" : waited->status;
  }
  /// What the next handler says.
  std::string next_run() {
    std::string line;
    wait_until(kPatience, [&] {
      for (auto& one : runs.take_all(std::chrono::microseconds{0})) line += one;
      return !line.empty();
    });
    return line;
  }

  ShardDatabase database{2};
  BrokerProcess broker;
  std::unique_ptr<client::Client> client;
  BoundedQueue<std::string> runs{1000};

 private:
  Worker worker_;
};

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(KeptSignals, AreRefundedWhenTheirOrderHasBeenCancelled) {
  const auto receipt = client->submit({.pipeline = "digital", .payload = "card"});
  ASSERT_TRUE(receipt) << receipt.error().message;
  const OrderId id = receipt->id;
  ASSERT_TRUE(client->cancel(id, {.who = "ann", .why = "changed her mind"}));
  ASSERT_EQ(end_of(id), "cancelled");
  ASSERT_TRUE(pay(id, "100"));
  EXPECT_EQ(next_run(), "pay_back 100 {\"order\":\"" + id.to_string() + "\",\"signal\":\"paid\"}");
  // The same callback again, from somebody who never got the answer.
  ASSERT_TRUE(pay(id, "100"));
  const auto order = client->get(id);
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_THAT(order->events.back().note, HasSubstr("\"reason\":\"late\""));
  const auto recent = client->list({.which = client::Which::kRecent, .pipeline = "refund"});
  ASSERT_TRUE(recent) << recent.error().message;
  ASSERT_EQ(recent->orders.size(), 1u);
  EXPECT_THAT(order->events.back().note, HasSubstr(recent->orders.front().id.to_string()));
  EXPECT_EQ(end_of(recent->orders.front().id), "succeeded");
}

TEST_F(KeptSignals, AreDeliveredWhenTheirOrderComes) {
  const auto id = client->draw_id();
  ASSERT_TRUE(id);
  ASSERT_TRUE(client->signal({.id = *id, .name = "paid", .payload = "100", .dedup = "bank-1"}));
  const auto kept = client->kept_signals();
  ASSERT_TRUE(kept) << kept.error().message;
  ASSERT_EQ(kept->size(), 1u);
  EXPECT_EQ(kept->front().order, *id);
  ASSERT_TRUE(client->submit({.pipeline = "digital", .payload = "card", .id = *id}));
  // Nobody serves `reserve`: the signal is an early one now, and waits for its step.
  EXPECT_TRUE(wait_until(kPatience, [&] { return client->kept_signals()->empty(); }));
}

TEST_F(KeptSignals, RebuildTheirOrderAfterARestartAndItsSubmitIsMerged) {
  const auto id = client->draw_id();
  ASSERT_TRUE(id);
  ASSERT_TRUE(pay(*id, "100"));
  broker.kill9_and_restart();
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  EXPECT_EQ(next_run(), "issue 100 ");
  EXPECT_EQ(end_of(*id), "succeeded");
  EXPECT_THAT(kinds_of(*id), Contains("restored"));
  EXPECT_EQ(broker.metric("ordo_orders_restored_total{pipeline=\"digital\"}"), 1);
  // The order that everybody had given up comes after all, twice.
  for (int times = 0; times < 2; ++times) {
    const auto late = client->submit({.pipeline = "digital", .payload = "card for ann", .id = *id});
    EXPECT_TRUE(late) << late.error().message;
  }
  const auto kinds = kinds_of(*id);
  EXPECT_EQ(std::count(kinds.begin(), kinds.end(), "merged"), 1);
  const auto other =
      client->submit({.pipeline = "digital", .payload = "something else", .id = *id});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict);
  EXPECT_TRUE(client->kept_signals()->empty());
}

}  // namespace
}  // namespace ordo::testing
