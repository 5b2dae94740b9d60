// How many calls a dependency gets, and when the others are told to come back.
#include "worker/executor/bulkhead.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"

namespace ordo::executor {
namespace {

using namespace std::chrono_literals;

constexpr Steady kStart{1'000'000s};

TEST(Bulkhead, GivesAsManyPlacesAsItHas) {
  Bulkhead bulkhead(2);
  EXPECT_EQ(bulkhead.enter(kStart), std::nullopt);
  EXPECT_EQ(bulkhead.enter(kStart), std::nullopt);
  EXPECT_EQ(bulkhead.used(), 2U);
  EXPECT_NE(bulkhead.enter(kStart), std::nullopt);
  EXPECT_EQ(bulkhead.used(), 2U) << "who was sent away holds nothing";
  bulkhead.leave(kStart, kStart + 1ms);
  EXPECT_EQ(bulkhead.used(), 1U);
  EXPECT_EQ(bulkhead.enter(kStart + 1ms), std::nullopt);
}

TEST(Bulkhead, SendsQuickCallsAwayForAShortWhile) {
  Bulkhead bulkhead(1);
  ASSERT_EQ(bulkhead.enter(kStart), std::nullopt);
  EXPECT_EQ(bulkhead.enter(kStart + 1ms), Bulkhead::kSoonest);
}

TEST(Bulkhead, SpreadsThoseItSendsAwayAtThePaceOfItsCalls) {
  Bulkhead bulkhead(2);
  // Enough calls of a second for the mean to be about one.
  Steady now = kStart;
  for (int i = 0; i < 60; ++i) {
    ASSERT_EQ(bulkhead.enter(now), std::nullopt);
    bulkhead.leave(now, now + 1s);
    now += 1s;
  }
  ASSERT_EQ(bulkhead.enter(now), std::nullopt);
  ASSERT_EQ(bulkhead.enter(now), std::nullopt);
  // Two places of a second each: one comes free every half second.
  for (int i = 1; i <= 10; ++i) {
    const auto wait = bulkhead.enter(now);
    ASSERT_TRUE(wait);
    EXPECT_NEAR(static_cast<double>(wait->count()), 500.0 * i, 5.0 * i) << i;
  }
}

TEST(Bulkhead, SlowsDownWhileItsCallsHangAndNeverPastTheBound) {
  Bulkhead bulkhead(1);
  ASSERT_EQ(bulkhead.enter(kStart), std::nullopt);
  EXPECT_EQ(bulkhead.enter(kStart + 4s), 4000ms) << "what hangs counts with its age";
  for (int i = 0; i < 100; ++i) {
    const auto wait = bulkhead.enter(kStart + 4s);
    ASSERT_TRUE(wait);
    EXPECT_LE(*wait, Bulkhead::kLatest);
  }
  EXPECT_EQ(bulkhead.enter(kStart + 4s), Bulkhead::kLatest);
  // Time alone wears it down.
  bulkhead.leave(kStart, kStart + 5s);
  ASSERT_EQ(bulkhead.enter(kStart + 60s), std::nullopt);
  EXPECT_LT(*bulkhead.enter(kStart + 60s), 2s);
}

}  // namespace
}  // namespace ordo::executor
