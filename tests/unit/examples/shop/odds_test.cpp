// Chance in the shop: at the rates that its tables say, and the same again for the same seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/clock.hpp"
#include "examples/shop/callback_plan.hpp"
#include "examples/shop/faults.hpp"
#include "examples/shop/services.hpp"

namespace ordo::shop {
namespace {

constexpr int kDraws = 20'000;

std::string key(int i) { return "order-" + std::to_string(i) + "/step/0/forward"; }

TEST(ShopOdds, AreThoseOfTheStepAndTheSameAgain) {
  const ShopStep step{"p", "s", "x", "y", 100, 1000, 50, 20, "no", false, 40};
  int transient = 0, refused = 0, lost = 0, done = 0;
  for (int i = 0; i < kDraws; ++i) {
    const Odds odds = draw_odds(step, 7, key(i), 1);
    transient += odds.is_transient ? 1 : 0;
    refused += odds.is_refused ? 1 : 0;
    lost += odds.is_lost ? 1 : 0;
    done += odds.is_lost && odds.is_done ? 1 : 0;
    const Odds again = draw_odds(step, 7, key(i), 1);
    EXPECT_TRUE(again.ms == odds.ms && again.luck == odds.luck);
    // The next attempt has luck of its own; what is refused for good stays so.
    EXPECT_EQ(draw_odds(step, 7, key(i), 2).is_refused, odds.is_refused);
  }
  EXPECT_NEAR(transient, kDraws / 20, 120);
  EXPECT_NEAR(refused, kDraws / 50, 80);
  EXPECT_NEAR(lost, kDraws / 25, 110);
  EXPECT_NEAR(done, kDraws / 50, 80);
}

TEST(Consequences, OfPaymentsGoWrongAsOftenAsTheySay) {
  const Consequence* const paid = find_consequence("payments", "pay");
  ASSERT_NE(paid, nullptr);
  int never = 0, silent = 0, late = 0, at_once = 0, twice = 0;
  for (int i = 0; i < kDraws; ++i) {
    const PlannedCallbacks planned = plan(*paid, "digital", 3, key(i));
    if (!planned.is_true) {
      ++never;
      continue;
    }
    silent += planned.tell_s.empty() ? 1 : 0;
    late += planned.true_after_s > 900 ? 1 : 0;
    at_once += planned.true_after_s == 0 ? 1 : 0;
    twice += planned.tell_s.size() == 2 ? 1 : 0;
    for (const double after : planned.tell_s) EXPECT_GE(after, planned.true_after_s);
  }
  EXPECT_NEAR(never, kDraws * 8 / 100, 160);
  const int paying = kDraws - never;
  EXPECT_NEAR(silent, paying * 5 / 1000, 40);
  EXPECT_NEAR(late, paying * 5 / 1000, 40);
  EXPECT_NEAR(at_once, paying / 100, 55);
  EXPECT_NEAR(twice, paying * 2 / 100, 80);
}

TEST(Consequences, AreOfOperationsThatThereAreAndRepeatThemselves) {
  std::set<std::string_view> signals;
  for (const Operation& operation : operations()) {
    const Consequence* const what = find_consequence(operation.service, operation.name);
    if (what == nullptr) continue;
    signals.insert(what->signal);
    const PlannedCallbacks one = plan(*what, "takeaway", 9, key(1));
    EXPECT_EQ(one.tell_s, plan(*what, "takeaway", 9, key(1)).tell_s);
  }
  EXPECT_THAT(signals,
              ::testing::ElementsAre("accepted", "delivered", "paid", "pickup_code", "shipped"));
}

TEST(Faults, AreReadOrRefused) {
  const Steady now{Seconds{100}};
  const auto slow =
      parse_fault(R"({"service":"supplier","mode":"slow","factor":7,"for_ms":30000})", now);
  ASSERT_TRUE(slow);
  EXPECT_EQ(slow->first, "supplier");
  EXPECT_EQ(slow->second.mode, FaultMode::kSlow);
  EXPECT_EQ(slow->second.factor, 7);
  EXPECT_EQ(slow->second.until, now + Seconds{30});
  for (const char* const bad :
       {"", "[]", R"({"mode":"down"})", R"({"service":"x","mode":"broken"})",
        R"({"service":"x","mode":"slow","factor":0.5})", R"({"service":"x","mode":"slow",
          "factor":"7"})",
        R"({"service":"x","mode":"lose","probability":2})",
        R"({"service":"x","mode":"down","for_ms":-1})"}) {
    EXPECT_FALSE(parse_fault(bad, now)) << bad;
  }
}

TEST(Faults, HoldForTheirServiceAndTheirTime) {
  Faults faults;
  faults.set("supplier", {.mode = FaultMode::kDown});
  faults.set("stock", {.mode = FaultMode::kSlow, .factor = 3, .until = steady_now() - Millis{1}});
  EXPECT_EQ(faults.of("supplier").mode, FaultMode::kDown);
  EXPECT_EQ(faults.of("stock").mode, FaultMode::kNone);
  EXPECT_EQ(faults.of("ledger").mode, FaultMode::kNone);
  EXPECT_EQ(faults.list().size(), 1U);
  faults.set("*", {.mode = FaultMode::kLose, .probability = 0.5});
  EXPECT_EQ(faults.of("supplier").mode, FaultMode::kLose);
  EXPECT_EQ(faults.of("ledger").probability, 0.5);
  faults.set("*", {});
  EXPECT_TRUE(faults.list().empty());
  EXPECT_TRUE(faults.wait_while_hung("stock"));
  faults.stop();
  EXPECT_FALSE(faults.pause(Seconds{60}));
}

}  // namespace
}  // namespace ordo::shop
