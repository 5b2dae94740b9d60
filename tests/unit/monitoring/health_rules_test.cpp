#include "monitoring/health/rules.hpp"

#include <gtest/gtest.h>

namespace ordo::health {
namespace {

const Thresholds kLimits;

Thresholds with(Profile profile) {
  Thresholds limits;
  limits.profile = profile;
  return limits;
}

void run(InterfaceWatch& watch, int calls, Micros took, int errors = 0) {
  for (int i = 0; i < calls; ++i) watch.call(took, i < errors);
}

Verdict judge_errors(Profile profile, int calls, int errors) {
  InterfaceWatch watch;
  run(watch, calls, Millis{1}, errors);
  return watch.tick(with(profile));
}

/// Three quiet seconds and a second of `calls` calls of 100 ms: normal is known and the window is
/// empty again.
InterfaceWatch watch_that_knows_100_ms(int calls = 30) {
  InterfaceWatch watch;
  run(watch, calls, Millis{100});
  for (int i = 0; i < 4; ++i) watch.tick(kLimits);
  return watch;
}

TEST(HealthRules, FewCallsAreJudgedByTheNumberOfErrors) {
  EXPECT_EQ(judge_errors(Profile::kAuto, 49, 0).colour, Colour::kGreen);
  EXPECT_EQ(judge_errors(Profile::kAuto, 49, 1).colour, Colour::kYellow);
  EXPECT_EQ(judge_errors(Profile::kAuto, 49, 5).colour, Colour::kYellow);
  const Verdict red = judge_errors(Profile::kAuto, 49, 6);
  EXPECT_EQ(red.colour, Colour::kRed);
  EXPECT_EQ(red.reason, Reason::kErrors);
  EXPECT_EQ(red.text, "6 of 49 calls failed within 3 s (normal: none).");
}

TEST(HealthRules, ManyCallsAreJudgedByTheShareOfErrors) {
  EXPECT_EQ(judge_errors(Profile::kAuto, 1000, 4).colour, Colour::kGreen);
  EXPECT_EQ(judge_errors(Profile::kAuto, 1000, 5).colour, Colour::kYellow);
  EXPECT_EQ(judge_errors(Profile::kAuto, 1000, 49).colour, Colour::kYellow);
  EXPECT_EQ(judge_errors(Profile::kAuto, 1000, 50).colour, Colour::kRed);
  EXPECT_EQ(judge_errors(Profile::kAuto, 50, 1).colour, Colour::kYellow);
}

TEST(HealthRules, TheProfileCanBeChosen) {
  EXPECT_EQ(judge_errors(Profile::kArticle, 15'000, 45).colour, Colour::kRed);
  EXPECT_EQ(judge_errors(Profile::kRate, 15'000, 45).colour, Colour::kGreen);
  EXPECT_EQ(judge_errors(Profile::kRate, 10, 5).colour, Colour::kYellow) << "5 errors are not red";
  EXPECT_EQ(judge_errors(Profile::kRate, 10, 6).colour, Colour::kRed);
}

TEST(HealthRules, ACallIsSlowByItsOwnNormal) {
  const auto colour_at = [](Millis took) {
    InterfaceWatch watch = watch_that_knows_100_ms();
    run(watch, 3, took);
    return watch.tick(kLimits);
  };
  EXPECT_EQ(colour_at(Millis{499}).colour, Colour::kGreen);
  EXPECT_EQ(colour_at(Millis{500}).colour, Colour::kYellow);
  EXPECT_EQ(colour_at(Millis{1000}).colour, Colour::kYellow);
  const Verdict red = colour_at(Millis{1200});
  EXPECT_EQ(red.colour, Colour::kRed);
  EXPECT_EQ(red.reason, Reason::kSlow);
  EXPECT_DOUBLE_EQ(red.value, 1.2);
  EXPECT_DOUBLE_EQ(red.normal, 0.1);
}

TEST(HealthRules, NothingIsSlowBeforeNormalIsKnown) {
  EXPECT_FALSE(watch_that_knows_100_ms(29).normal());
  EXPECT_EQ(watch_that_knows_100_ms(30).normal(), Millis{100});
}

TEST(HealthRules, AMeanOfFewMillisecondsIsNeverSlow) {
  InterfaceWatch watch;
  run(watch, 30, Millis{1});
  for (int i = 0; i < 4; ++i) watch.tick(kLimits);
  run(watch, 3, Millis{24});
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kGreen);
  run(watch, 3, Millis{27});
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kRed);
}

TEST(HealthRules, NormalDoesNotLearnFromTroubleOnlyFromGreen) {
  InterfaceWatch watch = watch_that_knows_100_ms();
  for (int second = 0; second < 60; ++second) {
    run(watch, 10, Millis{2000});
    watch.tick(kLimits);
  }
  EXPECT_EQ(watch.normal(), Millis{100});
  for (int second = 0; second < 6; ++second) {
    run(watch, 10, Millis{130});
    watch.tick(kLimits);
  }
  EXPECT_GT(watch.normal(), Millis{100});
}

TEST(HealthRules, TheWindowIsThreeSeconds) {
  InterfaceWatch watch;
  run(watch, 1, Millis{1}, 1);
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kYellow);
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kYellow);
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kYellow);
  EXPECT_EQ(watch.tick(kLimits).colour, Colour::kGreen);
  EXPECT_TRUE(watch.is_quiet());
}

TEST(HealthRules, AWorseColourShowsAtOnceABetterOneAfterThreeSeconds) {
  NodeWatch node;
  const Verdict red{.colour = Colour::kRed};
  EXPECT_EQ(node.settle({}, Wall{}).colour, Colour::kGreen);
  EXPECT_EQ(node.settle(red, Wall{Seconds{1}}).colour, Colour::kRed);
  EXPECT_EQ(node.since(), Wall{Seconds{1}});
  EXPECT_EQ(node.settle({}, Wall{Seconds{2}}).colour, Colour::kRed);
  EXPECT_EQ(node.settle({}, Wall{Seconds{3}}).colour, Colour::kRed);
  EXPECT_EQ(node.settle(red, Wall{Seconds{4}}).colour, Colour::kRed) << "it begins anew";
  for (const int second : {5, 6}) {
    EXPECT_EQ(node.settle({}, Wall{Seconds{second}}).colour, Colour::kRed);
  }
  EXPECT_EQ(node.settle({}, Wall{Seconds{7}}).colour, Colour::kGreen);
  EXPECT_EQ(node.since(), Wall{Seconds{7}});
}

TEST(HealthRules, SilenceAndALoopThatStandsStill) {
  EXPECT_EQ(judge_silence(Millis{1999}, kLimits).colour, Colour::kGreen);
  EXPECT_EQ(judge_silence(Millis{2000}, kLimits).colour, Colour::kYellow);
  EXPECT_EQ(judge_silence(Millis{3000}, kLimits).colour, Colour::kRed);
  EXPECT_EQ(judge_loop(Millis{2999}, kLimits).colour, Colour::kGreen);
  EXPECT_EQ(judge_loop(Millis{3000}, kLimits).reason, Reason::kStalled);
}

TEST(HealthRules, AShardIsJudgedByAWriteAndARead) {
  const Steady now{Seconds{100}};
  const auto judge = [&](ShardPulse pulse) { return judge_pulse(pulse, now, kLimits); };
  EXPECT_EQ(judge({}).colour, Colour::kGreen) << "nothing is known yet";
  EXPECT_EQ(judge({.at = now, .took = Millis{100}}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.at = now, .took = Micros{100'001}}).reason, Reason::kProbeSlow);
  EXPECT_EQ(judge({.at = now, .error = "refused"}).colour, Colour::kRed);
  EXPECT_EQ(judge({.at = now, .error = "refused"}).text,
            "A write and read of its database failed: refused.");
  EXPECT_EQ(judge({.at = now - Seconds{6}}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.at = now - Seconds{7}}).reason, Reason::kProbeFailed);
  EXPECT_EQ(judge({.at = now, .oldest_snapshot = Seconds{60}}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.at = now, .oldest_snapshot = Seconds{61}}).reason, Reason::kOldSnapshot);
  EXPECT_EQ(judge({.at = now, .dead_rows = 5'000'000}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.at = now, .dead_rows = 5'000'001}).reason, Reason::kDeadRows);
}

TEST(HealthRules, AQueueIsJudgedByItsWorkersItsAgeAndItsLength) {
  const auto judge = [](QueueSignal signal) { return judge_queue(signal, kLimits); };
  EXPECT_EQ(judge({.waiting = 1, .workers = 1}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.waiting = 0, .workers = 0}).colour, Colour::kYellow);
  EXPECT_EQ(judge({.waiting = 1, .workers = 0}).colour, Colour::kRed);
  EXPECT_EQ(judge({.waiting = 1, .workers = 0}).reason, Reason::kNoWorker);
  EXPECT_EQ(judge({.waiting = 9, .workers = 0, .is_paused = true}).reason, Reason::kPaused);
  EXPECT_EQ(judge({.workers = 1, .oldest = Seconds{30}}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.workers = 1, .oldest = Seconds{31}}).colour, Colour::kYellow);
  EXPECT_EQ(judge({.workers = 1, .oldest = Seconds{61}}).reason, Reason::kTooOld);
  EXPECT_EQ(judge({.waiting = 500'000, .workers = 1}).colour, Colour::kGreen);
  EXPECT_EQ(judge({.waiting = 500'001, .workers = 1}).colour, Colour::kYellow);
  EXPECT_EQ(judge({.waiting = 1'000'001, .workers = 1}).reason, Reason::kOverLimit);
}

}  // namespace
}  // namespace ordo::health
