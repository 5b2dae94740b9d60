#include "broker/core/limits.hpp"

#include <gtest/gtest.h>

namespace ordo {
namespace {

Steady at(double seconds) {
  return Steady{Micros{1'000'000'000 + static_cast<std::int64_t>(seconds * 1e6)}};
}

/// A breaker that sees so many calls within a second.
Breaker seen(int worked, int failed, double second = 0) {
  Breaker breaker;
  for (int i = 0; i < worked; ++i) breaker.ended(at(second), at(second), true);
  for (int i = 0; i < failed; ++i) breaker.ended(at(second), at(second), false);
  return breaker;
}

/// One that opened at 0 with a former rate of `rate` calls a second, and whose probe worked at 5 s.
Breaker ramping(int rate) {
  Breaker breaker = seen(rate * 5, rate * 5);
  breaker.advance(at(5));
  breaker.start(at(5));
  EXPECT_TRUE(breaker.ended(at(5), at(5), true));
  return breaker;
}

int starts(Breaker& breaker, double second) {
  breaker.advance(at(second));
  int count = 0;
  for (; breaker.admits() && count < 5000; ++count) breaker.start(at(second));
  return count;
}

TEST(Breaker, OpensAtHalfOfTwentyCalls) {
  EXPECT_EQ(seen(10, 9).state(), Breaker::State::kClosed);
  EXPECT_EQ(seen(11, 10).state(), Breaker::State::kClosed);
  EXPECT_EQ(seen(10, 10).state(), Breaker::State::kOpen);
  EXPECT_EQ(seen(0, 19).state(), Breaker::State::kClosed) << "too few to say";
  EXPECT_EQ(seen(0, 20).state(), Breaker::State::kOpen);
}

TEST(Breaker, ForgetsWhatIsTenSecondsAgo) {
  Breaker breaker = seen(0, 19);
  EXPECT_FALSE(breaker.ended(at(10.5), at(10), false));
  EXPECT_EQ(breaker.state(), Breaker::State::kClosed);
  Breaker soon = seen(0, 19);
  EXPECT_TRUE(soon.ended(at(8.9), at(8), false));
}

TEST(Breaker, RestsThenLetsOneCallProbe) {
  Breaker breaker = seen(0, 20);
  EXPECT_FALSE(breaker.admits());
  EXPECT_EQ(breaker.next(), at(5));
  EXPECT_FALSE(breaker.advance(at(4.9)));
  EXPECT_TRUE(breaker.advance(at(5)));
  EXPECT_TRUE(breaker.admits());
  breaker.start(at(5));
  EXPECT_FALSE(breaker.admits()) << "one is out";
  EXPECT_FALSE(breaker.ended(at(5.1), at(-1), true)) << "began before it opened";
  EXPECT_EQ(breaker.state(), Breaker::State::kProbing);
  EXPECT_TRUE(breaker.ended(at(5.2), at(5), false));
  EXPECT_EQ(breaker.state(), Breaker::State::kOpen);
  EXPECT_EQ(breaker.next(), at(10.2));
}

TEST(Breaker, AProbeThatVanishesIsFollowedByAnother) {
  Breaker breaker = seen(0, 20);
  breaker.advance(at(5));
  breaker.start(at(5));
  breaker.gone(at(4));
  EXPECT_FALSE(breaker.admits());
  breaker.gone(at(5));
  EXPECT_TRUE(breaker.admits());
}

TEST(Breaker, RampsUpToItsFormerRate) {
  Breaker breaker = ramping(6);
  EXPECT_EQ(starts(breaker, 5.0), 1);
  EXPECT_EQ(starts(breaker, 5.9), 0);
  EXPECT_EQ(starts(breaker, 6.0), 2);
  EXPECT_EQ(starts(breaker, 7.0), 4);
  EXPECT_EQ(starts(breaker, 8.5), 8);
  EXPECT_EQ(breaker.state(), Breaker::State::kRamping);
  breaker.advance(at(9));
  EXPECT_EQ(breaker.state(), Breaker::State::kClosed);
}

TEST(Breaker, StopsRampingAtATopWhateverTheRateWas) {
  Breaker breaker = ramping(5000);
  for (int second = 5; second < 15; ++second) starts(breaker, second);
  EXPECT_EQ(starts(breaker, 15), 1024);
  breaker.advance(at(16));
  EXPECT_EQ(breaker.state(), Breaker::State::kClosed);
}

TEST(Breaker, OpensAgainWhenHalfOfTheRampFails) {
  Breaker one = ramping(100);
  EXPECT_TRUE(one.ended(at(5.1), at(5), false)) << "one of two, with the probe";
  Breaker many = ramping(100);
  for (int i = 0; i < 10; ++i) many.ended(at(6), at(5.5), true);
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(many.ended(at(6), at(5.5), false));
  EXPECT_FALSE(many.ended(at(6), at(4), false)) << "began before the ramp";
  EXPECT_TRUE(many.ended(at(6), at(5.5), false));
}

TEST(Limit, CountsWhatIsInFlightAndSpendsTokens) {
  Limit limit;
  EXPECT_FALSE(limit.is_set());
  EXPECT_TRUE(limit.admits(at(0), 1'000'000));
  limit.set({.max_in_flight = 2, .rate_milli = 2000, .burst = 3});
  EXPECT_FALSE(limit.admits(at(0), 2));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(limit.admits(at(0), 1));
    limit.start(at(0));
  }
  EXPECT_FALSE(limit.admits(at(0), 1));
  EXPECT_LE(limit.next(at(0)), at(0.51));
  EXPECT_TRUE(limit.admits(at(0.51), 1));
}

TEST(TokenBucket, HasABurstOfHalfASecondUnlessItIsGiven) {
  TokenBucket usual(10), given(10, 2), none(0);
  int usual_taken = 0, given_taken = 0;
  while (usual.take(at(0)).count() == 0) ++usual_taken;
  while (given.take(at(0)).count() == 0) ++given_taken;
  EXPECT_EQ(usual_taken, 5);
  EXPECT_EQ(given_taken, 2);
  EXPECT_EQ(none.take(at(0)).count(), 0);
}

}  // namespace
}  // namespace ordo
