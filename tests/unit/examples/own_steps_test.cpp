// What the shop does itself: books into parcels, and refunds that are the same order whoever asks.
#include "examples/shop/own_steps.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "examples/shop/refund_order.hpp"
#include "ordo/testkit.hpp"

namespace ordo::shop {
namespace {

using Json = nlohmann::json;

TaskOutcome run(const std::string& step, const std::string& payload) {
  const OwnSteps own({});
  const Handler handler = [&](Task& task) { return own.run(task); };
  return testkit::run_handler(handler, {.step = step, .payload = payload}).outcome;
}

TEST(OwnSteps, PackABookWithTheOthersOfItsWarehouse) {
  const Json books{{{"sku", "a"}, {"cents", 700}, {"warehouse", "w1"}},
                   {{"sku", "b"}, {"cents", 500}, {"warehouse", "w2"}},
                   {{"sku", "c"}, {"cents", 300}, {"warehouse", "w1"}, {"quantity", 2}}};
  const auto outcome = run("split_order", Json{{"books", books}, {"preorder", true}}.dump());
  ASSERT_TRUE(outcome.is_success()) << outcome.error;
  const Json context = Json::parse(outcome.context);
  EXPECT_EQ(context["preorder"], true);
  ASSERT_EQ(context["parcels"].size(), 2U);
  EXPECT_EQ(context["parcels"][0]["cents"], 1000);
  EXPECT_EQ(context["parcels"][0]["quantity"], 3);
  EXPECT_EQ(context["parcels"][1]["sku"], "b");
}

TEST(OwnSteps, SplitNoOrderWithoutABook) {
  for (const char* const payload : {"", "{}", R"({"books":[]})", R"({"books":[7]})"}) {
    EXPECT_EQ(run("split_order", payload).reason, "no_books") << payload;
  }
}

TEST(OwnSteps, SayThatNobodyCanBeAskedWithoutABroker) {
  EXPECT_EQ(run("refund_start", "{}").reason, "no_broker");
  EXPECT_TRUE(run("complete", "{}").is_success());
}

TEST(RefundOrders, AreTheSameWhoeverAsksAndAnotherInTheNextRound) {
  const OrderId paid = OrderId::make(1'700'000'000'000, 3, 42);
  const client::Order order = refund_order(paid);
  EXPECT_TRUE(order.id.is_valid());
  EXPECT_EQ(order.id, refund_order(paid).id);
  EXPECT_EQ(order.id.shard(), 3U);
  EXPECT_EQ(order.id.unix_ms(), paid.unix_ms());
  EXPECT_NE(order.id, paid);
  EXPECT_NE(order.id, refund_id(paid, 1));
  EXPECT_EQ(Json::parse(order.context)["order"], paid.to_string());
}

}  // namespace
}  // namespace ordo::shop
