// What the services' ledgers can contradict: effects done twice, goods and money that do not add
// up, fees that nobody recorded.
#include <algorithm>

#include "tests/unit/examples/shop/made_world.hpp"

namespace ordo::shop {
namespace {

std::vector<Entry>& ledger(World& world, const std::string& service) {
  return world.ledgers.at(service);
}

TEST(VerifyLedgers, SeeAnEffectThatIsDoneTwice) {
  World world = made_world();
  ledger(world, "payments").push_back(ledger(world, "payments").front());
  ledger(world, "payments").back().cents = 0;
  EXPECT_EQ(found(world), "I2=1");
  EXPECT_EQ(said(world, "I2"), "payments: a/pay/0/customer is done twice");
  ledger(world, "payments").back().is_done = false;
  EXPECT_EQ(found(world), "") << "a refusal is no effect";
}

TEST(VerifyLedgers, SeeAnEffectThatComesAfterItWasUndone) {
  World world = made_world();
  note(world, "supplier", "a/issue/0/compensate", "void");
  EXPECT_EQ(found(world), "");
  note(world, "supplier", "a/issue/0/forward", "issue");
  EXPECT_EQ(found(world), "I2=1");
}

TEST(VerifyLedgers, SeeMoreReservedThanThereIs) {
  World world = made_world();
  ledger(world, "stock").front().opened = 1;
  EXPECT_EQ(found(world), "I5=3") << "from the second reservation on";
}

TEST(VerifyLedgers, SeeGoodsThatAreGivenBackTwice) {
  World world = made_world();
  Entry again = ledger(world, "stock").back();
  again.key = "clerk";
  ledger(world, "stock").insert(ledger(world, "stock").end(), 3, again);
  EXPECT_THAT(found(world), ::testing::HasSubstr("I5=1"));
}

TEST(VerifyLedgers, SeeWhatAFailedOrderLeavesBehind) {
  World world = made_world();
  ledger(world, "stock").pop_back();
  EXPECT_EQ(found(world), "I5=1");
  EXPECT_EQ(said(world, "I5"),
            "stock: c/stock_reserve/0/forward stays, though its order has failed");
  EventFact decided = world.events.back();
  decided.kind = "operator_skip";
  world.events.back() = decided;
  EXPECT_EQ(found(world), "") << "an operator decided so";
}

TEST(VerifyLedgers, SeeMoneyThatDoesNotAddUp) {
  World world = made_world();
  ledger(world, "ledger").front().cents = 400;
  EXPECT_EQ(found(world), "I7=1");
  EXPECT_EQ(said(world, "I7"), "a does not add up: paid 500, posted 400, paid back 0 cents");
}

TEST(VerifyLedgers, SeeAFailedOrderThatKeepsItsMoney) {
  World world = made_world();
  note(world, "payments", "c/pay/0/customer", "charge").cents = 300;
  EXPECT_EQ(found(world), "I7=1");
  Entry& refund = note(world, "payments", "r/refund_channel/0/forward", "refund");
  refund.reference = "c";
  refund.cents = 300;
  EXPECT_EQ(found(world), "");
  ledger(world, "payments").back().cents = 301;
  EXPECT_EQ(found(world), "I7=2") << "more than came, and so not even";
}

TEST(VerifyLedgers, TakeAPaymentForUndoneOnceItsMoneyIsBack) {
  World world = empty_world();
  auto pipeline = parse_pipeline(
      "pipeline: digital\nsteps:\n  payment: { compensate: payment_back }\n  complete: {}\n");
  ASSERT_TRUE(pipeline);
  world.pipelines["8"] = *std::move(pipeline);
  world.orders.push_back({"x", "8", "failed", 0});
  note(world, "payments", "x/payment/0/forward", "charge").cents = 300;
  EXPECT_EQ(found(world), "I7=1");
  Entry& back = note(world, "payments", "x/payment/0/compensate", "refund");
  back.reference = "x";
  back.undoes = "";
  back.cents = 300;
  EXPECT_EQ(found(world), "");
}

TEST(VerifyLedgers, SeeAPaymentWithoutAnOrderAfterTheHorizon) {
  World world = made_world();
  Entry& paid = note(world, "payments", "nobody/pay/0/customer", "charge");
  paid.cents = 300;
  paid.at_ms = world.now_ms - 1;
  EXPECT_EQ(found(world), "") << "its order may still come";
  ledger(world, "payments").back().at_ms = world.now_ms - 60'001;
  EXPECT_EQ(found(world), "I7=1");
}

TEST(VerifyLedgers, SeeFeesThatNobodyRecordedAndRecordsWithoutAFee) {
  World world = made_world();
  ledger(world, "counters").pop_back();
  EXPECT_EQ(found(world), "I12=1");
  EXPECT_EQ(said(world, "I12"), "b was counted 0 times, recorded 1 times");
  world = made_world();
  note(world, "counters", "c/fee_counter/0/forward", "add").quantity = 1;
  EXPECT_EQ(found(world), "I12=1");
  note(world, "counters", "c/fee_counter/0/compensate", "subtract").quantity = -1;
  EXPECT_EQ(found(world), "");
}

}  // namespace
}  // namespace ordo::shop
