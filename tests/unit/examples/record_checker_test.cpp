#include "examples/demo/record_checker.hpp"

#include <gtest/gtest.h>

namespace ordo::demo {
namespace {

constexpr const char* kOne = "019abcde-0000-7000-8000-000000000001";
constexpr const char* kTwo = "019abcde-0000-7000-8000-000000000002";

EventRecord event(const std::string& order, const std::string& step, std::uint32_t attempt) {
  return {.order = order,
          .step = step,
          .task_kind = "forward",
          .kind = "succeeded",
          .attempt = attempt,
          .worker = "w"};
}

shop::Effect effect(const std::string& order, const std::string& step, std::uint32_t attempt) {
  return {order + "/" + step + "/0/forward", attempt, "w", 10, 20, "succeeded"};
}

/// Two orders of two steps: one succeeded (its first step at the second attempt), one failed. All
/// is well.
struct World {
  Acks acks;
  std::vector<shop::Effect> ledger;
  Tables tables;

  World() {
    acks.tried = {kOne, kTwo};
    acks.acked = {kOne, kTwo};
    tables.steps["7"] = {"reserve", "pay"};
    tables.orders = {{kOne, "7", "succeeded", 1}, {kTwo, "7", "failed", 2}};
    ledger = {effect(kOne, "reserve", 1), effect(kOne, "reserve", 2), effect(kOne, "pay", 1),
              effect(kTwo, "reserve", 1)};
    ledger[0].outcome = "transient";
    ledger[3].outcome = "permanent";
    EventRecord retried = event(kOne, "reserve", 1);
    retried.kind = "attempt_failed";
    EventRecord last = event(kOne, "pay", 1);
    last.status = "succeeded";
    EventRecord failed = event(kTwo, "reserve", 1);
    failed.kind = "failed";
    failed.status = "failed";
    tables.events = {retried, event(kOne, "reserve", 2), last, failed};
  }

  [[nodiscard]] Verdict check() const { return check_records(acks, ledger, tables); }
};

TEST(RecordChecker, FindsNothingWhereAllIsWell) {
  const Verdict verdict = World().check();
  EXPECT_TRUE(verdict.is_clean());
  EXPECT_EQ(verdict.repeated_effects, 0U);
}

TEST(RecordChecker, FlagsAnAcknowledgedOrderThatIsNotInTheTables) {
  World world;
  world.acks.tried.insert("gone");
  world.acks.acked.insert("gone");
  const Verdict verdict = world.check();
  EXPECT_EQ(verdict.lost.count, 1U);
  ASSERT_EQ(verdict.lost.examples.size(), 1U);
  EXPECT_EQ(verdict.lost.examples[0], "gone was acknowledged and is not in the tables");
}

TEST(RecordChecker, FlagsAnAcknowledgedOrderThatNeverEnds) {
  World world;
  world.tables.orders[1].status = "running";
  world.tables.events.pop_back();
  EXPECT_EQ(world.check().lost.count, 1U);
  world.tables.orders[1].status = "parked";
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, FlagsAStepThatIsRecordedTwice) {
  World world;
  world.tables.events.push_back(event(kOne, "reserve", 2));
  EXPECT_EQ(world.check().duplicate_records.count, 1U);
  // Also when the second record comes from another attempt, which really ran.
  world.tables.events.back() = event(kOne, "reserve", 3);
  world.ledger.push_back(effect(kOne, "reserve", 3));
  EXPECT_EQ(world.check().duplicate_records.count, 1U);
}

TEST(RecordChecker, FlagsAnOrderThatEndsTwice) {
  World world;
  EventRecord ended;
  ended.order = kOne;
  ended.kind = "ended";
  ended.status = "cancelled";
  world.tables.events.push_back(ended);
  EXPECT_EQ(world.check().duplicate_records.count, 1U);
}

TEST(RecordChecker, FlagsARecordThatNoWorkerMade) {
  World world;
  world.ledger.erase(world.ledger.begin() + 2);
  const Verdict verdict = world.check();
  EXPECT_EQ(verdict.unexecuted.count, 1U);
  EXPECT_EQ(verdict.wrong_attempt.count, 0U);
}

TEST(RecordChecker, FlagsARecordOfAnAttemptThatNeverRan) {
  World world;
  world.tables.events[2].attempt = 2;
  EXPECT_EQ(world.check().wrong_attempt.count, 1U);
}

TEST(RecordChecker, FlagsASuccessThatTheLedgerKnowsAsAFailure) {
  World world;
  world.tables.events[1].attempt = 1;  // which the worker wrote down as transient
  EXPECT_EQ(world.check().wrong_attempt.count, 1U);
}

TEST(RecordChecker, FlagsWhatIsThereWithoutASubmitOrAfterARefusal) {
  World world;
  world.acks.tried.erase(kTwo);
  EXPECT_EQ(world.check().unexpected.count, 1U);
  world = World();
  world.acks.acked.erase(kTwo);
  world.acks.refused.insert(kTwo);
  EXPECT_EQ(world.check().unexpected.count, 1U);
}

TEST(RecordChecker, AllowsASubmitOfUnknownOutcomeToBeThereOrNot) {
  World world;
  world.acks.acked.erase(kTwo);
  world.acks.unknown.insert(kTwo);
  world.acks.tried.insert("never arrived");
  world.acks.unknown.insert("never arrived");
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, FlagsASuccessWithAStepMissing) {
  World world;
  world.tables.events.erase(world.tables.events.begin() + 1);
  const Verdict verdict = world.check();
  EXPECT_EQ(verdict.incomplete.count, 1U);
}

TEST(RecordChecker, AllowsAnOrderToBeOpenWhileSomethingIsOwedToIt) {
  World world;
  world.tables.orders[1].status = "running";
  world.tables.orders[1].is_owed = true;
  world.tables.events.pop_back();
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, TakesASignalOrASkipForAStepThatIsDone) {
  for (const char* const kind : {"signalled", "skipped"}) {
    World world;
    world.tables.events[1].kind = kind;
    world.tables.events[1].attempt = 0;
    EXPECT_TRUE(world.check().is_clean()) << kind;
    // A signal that comes again is kept as evidence.
    world.tables.events.push_back(world.tables.events[1]);
    EXPECT_TRUE(world.check().is_clean()) << kind;
  }
}

TEST(RecordChecker, WantsNoExecutionOfAWaitThatTimedOut) {
  World world;
  world.tables.events[3].attempt = 0;
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, WantsNoSubmitOfWhatTheShopOrdersItself) {
  World world;
  world.acks.tried.erase(kTwo);
  world.acks.acked.erase(kTwo);
  EXPECT_EQ(world.check().unexpected.count, 1U);
  world.tables.own = {"7"};
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, WantsNoLedgerOfAWorkerThatKeepsNone) {
  World world;
  world.ledger.erase(world.ledger.begin() + 2);
  world.tables.unlogged = {"pay"};
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, LetsAnOrderSucceedBeforeWhatHangsOffIt) {
  World world;
  world.tables.steps["7"].emplace_back("notify");
  EXPECT_EQ(world.check().incomplete.count, 1U);
  world.tables.aside["7"] = {"notify"};
  EXPECT_TRUE(world.check().is_clean());
}

TEST(RecordChecker, CountsEffectsThatWereDoneAgain) {
  World world;
  world.ledger.push_back(effect(kOne, "pay", 2));
  const Verdict verdict = world.check();
  EXPECT_TRUE(verdict.is_clean());
  EXPECT_EQ(verdict.repeated_effects, 1U);
}

}  // namespace
}  // namespace ordo::demo
