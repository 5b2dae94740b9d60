// What the tables alone can contradict: nothing in a sound run, each planted violation in others.
#include "examples/shop/verify/records.hpp"
#include "tests/unit/examples/shop/made_world.hpp"

namespace ordo::shop {
namespace {

TEST(Verify, FindsNothingInASoundRun) {
  const World world = made_world();
  EXPECT_EQ(found(world), "");
  for (const Finding& finding : verify(world)) EXPECT_EQ(finding.missing, "") << finding.rule;
  EXPECT_EQ(verify(world).size(), 10U);
}

TEST(Verify, SaysWhatItCouldNotCheck) {
  World world = made_world();
  world.acked.reset();
  world.ledgers.clear();
  std::string missing;
  for (const Finding& finding : verify(world)) {
    if (!finding.missing.empty()) missing += finding.rule + ' ';
  }
  EXPECT_EQ(missing, "I1 I2 I5 I7 I12 ");
}

TEST(Verify, MissesAnAcknowledgedOrder) {
  World world = made_world();
  world.acked->insert("lost");
  EXPECT_EQ(found(world), "I1=1");
  EXPECT_EQ(said(world, "I1"), "lost was acknowledged and is not there");
}

TEST(Verify, SeesOrdersAndWaitsPastTheirTime) {
  World world = made_world();
  world.orders.push_back({"late", "7", "running", 0, 5'000});
  world.orders.push_back({"waits", "7", "running", 0, 2'000'000});
  world.acked->insert({"late", "waits"});
  world.owed.push_back({"late", 0, 0, 0, "backlog"});
  world.owed.push_back({"waits", 0, 0, 0, "waiting", 2'000'000});
  EXPECT_EQ(found(world), "I1=1");
  world.owed.back().run_at_ms = 900'000;
  EXPECT_EQ(found(world), "I1=2");
  // An operator holds them: that is no lateness.
  for (OrderFact& order : world.orders) {
    if (order.id == "late" || order.id == "waits") order.status = "paused";
  }
  EXPECT_EQ(found(world), "");
}

TEST(Verify, SeesAnOrderThatNobodyCanMove) {
  World world = made_world();
  world.orders.push_back({"stuck", "7", "running", 0});
  EXPECT_EQ(found(world), "I3=1");
  world.owed.push_back({"stuck", 0, 0, 2, "scheduled", 2'000'000});
  EXPECT_EQ(found(world), "I3=1") << "a deadline moves nothing forward";
  world.owed.push_back({"stuck", 0, 0, 0, "task"});
  EXPECT_EQ(found(world), "");
}

TEST(Verify, SeesAStepBeforeItsPredecessor) {
  World world = empty_world();
  world.orders.push_back({"x", "7", "succeeded", 0});
  for (const int step : {1, 0, 2}) happened(world, "x", step, "succeeded");
  EXPECT_EQ(found(world), "I4=1 I12=1");
  EXPECT_EQ(said(world, "I4"), "x: ledger_post is done before stock_reserve");
  for (EventFact& event : world.events) {
    if (event.step == 0) event.kind = "skipped";
  }
  std::swap(world.events[0], world.events[1]);
  EXPECT_EQ(found(world), "I12=1") << "what was skipped is no hindrance";
}

TEST(Verify, SeesAStepThatIsDoneTwice) {
  World world = made_world();
  happened(world, "a", 1, "operator_complete");
  EXPECT_EQ(found(world), "I4=1");
  EXPECT_EQ(said(world, "I4"), "a/ledger_post/0/forward is done twice");
}

TEST(Verify, SeesARetryThatComesTooSoon) {
  World world = made_world();
  const auto attempt = [&](const char* kind, std::int64_t at_ms) {
    EventFact& event = happened(world, "d", 0, kind);
    event.at_ms = at_ms;
  };
  world.orders.push_back({"d", "7", "running", 0});
  world.owed.push_back({"d", 0, 0, 0, "task"});
  // Delays of 1, 2, 4 s, each between a half and the whole.
  attempt("attempt_failed", 10'000);
  attempt("attempt_failed", 10'510);
  attempt("attempt_failed", 11'520);
  attempt("succeeded", 13'530);
  EXPECT_EQ(found(world), "");
  world.events.back().at_ms = 13'000;
  EXPECT_EQ(found(world), "I8=1");
  EXPECT_EQ(said(world, "I8"),
            "d/stock_reserve/0/forward was tried again after 1470 ms, its delay is 4000 ms");
  // A lost worker burns nothing, and an operator need not wait.
  world.events.back().kind = "worker_lost";
  EXPECT_EQ(found(world), "");
}

TEST(Verify, SeesWhatLeavesItsParkingPlaceByItself) {
  World world = made_world();
  world.orders.push_back({"p", "7", "parked", 0});
  happened(world, "p", 0, "parked");
  EXPECT_EQ(found(world), "I3=1 I9=1") << "it stands nowhere";
  world.owed.push_back({"p", 0, 0, 0, "parked"});
  EXPECT_EQ(found(world), "");
  happened(world, "p", 0, "operator_retry");
  happened(world, "p", 0, "parked");
  EXPECT_EQ(found(world), "");
  happened(world, "p", 0, "attempt_failed");
  happened(world, "p", 0, "parked");
  EXPECT_EQ(found(world), "I9=1");
  EXPECT_EQ(said(world, "I9"),
            "p/stock_reserve/0/forward was parked, and then attempt_failed without an operator");
}

TEST(Verify, SeesWhatIsParkedWithoutHavingBeen) {
  World world = made_world();
  world.orders.push_back({"p", "7", "parked", 0});
  happened(world, "p", 0, "attempt_failed");
  world.owed.push_back({"p", 0, 0, 0, "parked"});
  EXPECT_EQ(found(world), "I9=1");
}

TEST(Verify, SeesWhatIsLeftOverAtRest) {
  World world = made_world();
  world.owed.push_back({"nobody", 0, 0, 0, "task"});
  EXPECT_EQ(found(world), "I13=1");
  world.owed.back() = {"a", 0, 0, 2, "scheduled", 2'000'000};
  EXPECT_EQ(found(world), "I13=1");
  world.owed.clear();
  world.gauges = {{"ordo_waiters", 3}};
  EXPECT_EQ(found(world), "I13=1");
  EXPECT_EQ(said(world, "I13"), "ordo_waiters is 3 at rest");
  // What is async may go on after its order's end, and then it is no rest yet.
  world.owed.push_back({"a", 2, 0, 0, "task"});
  EXPECT_EQ(found(world), "");
}

TEST(Verify, AddsUpGauges) {
  const std::string text =
      "# HELP ordo_waiters x\nordo_waiters 2\nordo_queue_leased{queue=\"a b\"} 1\n"
      "ordo_queue_leased{queue=\"c\"} 4\nordo_other 9\n";
  EXPECT_EQ(sums_of(text, {"ordo_waiters", "ordo_queue_leased"}),
            (std::map<std::string, double>{{"ordo_queue_leased", 5}, {"ordo_waiters", 2}}));
}

}  // namespace
}  // namespace ordo::shop
