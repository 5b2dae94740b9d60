#include "broker/app/health.hpp"

#include <gtest/gtest.h>

namespace ordo {
namespace {

constexpr Steady kStart{Seconds{100}};

TEST(Health, IsAliveWhileTheLoopComesRound) {
  Health health(2, kStart);
  EXPECT_EQ(health.livez(kStart + Seconds{2}).status, 200);
  EXPECT_EQ(health.livez(kStart + Seconds{4}).status, 503);
  health.stamp(kStart + Seconds{4});
  EXPECT_EQ(health.livez(kStart + Seconds{5}).status, 200);
}

TEST(Health, IsReadyWithAShardAndWaitsALittleForAllOfThem) {
  Health health(2, kStart);
  const auto status = [&](Micros after) {
    health.stamp(kStart + after);
    return health.readyz(kStart + after).status;
  };
  EXPECT_EQ(status(Seconds{1}), 503);
  health.set_open(1);
  EXPECT_EQ(status(Seconds{2}), 503) << "the second may be there in a moment";
  EXPECT_EQ(status(Seconds{6}), 200);
  health.set_open(2);
  EXPECT_EQ(status(Seconds{2}), 200);
  health.set_draining();
  EXPECT_EQ(status(Seconds{2}), 503);
}

TEST(Health, StandsByWhileOthersHoldWhatItDoesNot) {
  Health health(2, kStart);
  EXPECT_EQ(health.standbyz(kStart).status, 503) << "nothing is known yet";
  health.set_elsewhere(1);
  EXPECT_EQ(health.standbyz(kStart).status, 503) << "the other shard is nobody's";
  health.set_open(1);
  EXPECT_EQ(health.standbyz(kStart).status, 200);
  health.set_open(0);
  health.set_elsewhere(2);
  EXPECT_EQ(health.standbyz(kStart).status, 200);
  EXPECT_EQ(health.readyz(kStart).status, 503) << "it takes no orders";
  EXPECT_EQ(health.standbyz(kStart + Seconds{10}).status, 503) << "it hangs";
  health.set_draining();
  EXPECT_EQ(health.standbyz(kStart).status, 503);
}

TEST(Health, IsNotReadyWhileItHangs) {
  Health health(1, kStart);
  health.set_open(1);
  const auto answer = health.readyz(kStart + Seconds{10});
  EXPECT_EQ(answer.status, 503);
  EXPECT_NE(answer.body.find("hung"), std::string::npos);
}

}  // namespace
}  // namespace ordo
