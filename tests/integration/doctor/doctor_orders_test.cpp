// What is wrong with orders, their rows and their history: planted, found under its word and no
// other, repaired where that is safe.
#include "schema/pipeline.hpp"
#include "tests/integration/doctor/patient.hpp"

namespace ordo::testing {
namespace {

using Words = std::vector<std::string>;

class DoctorOrders : public Patient {};

/// A row of `task` like the others of the run.
std::string task_row(const std::string& id, int step, const std::string& queue) {
  return "insert into task values (" + id + ", " + std::to_string(step) + ", 0, 0, '" + queue +
         "', 5, 1, 0, 0, 0, false)";
}
/// An event; its seq comes after those of the run.
std::string event_row(const std::string& kind, const std::string& status, const std::string& step) {
  return "insert into event select ID, (epoch << 40) + 900000, now(), '" + kind + "', " + status +
         ", " + step + ", 0, 0, 1, 'w', 1, null, null from shard";
}

TEST_F(DoctorOrders, AreWellAfterARealRun) {
  EXPECT_EQ(words(), Words{});
  std::uint64_t orders = 0;
  for (const auto& shard : examine().shards) orders += shard.orders;
  EXPECT_EQ(orders, 39U);
}

TEST_F(DoctorOrders, ThatNobodyOwesAnythingAreStuckAndGoOn) {
  damage("half", "delete from task where order_id = ID");
  expect_repaired({"order_stuck"});
  EXPECT_EQ(database->value("select string_agg(distinct worker || ': ' || (note::json ->> 'why'), "
                            "',') from event where order_id = '" +
                                order("half").to_string() + "' and kind = 'operator_retry'",
                            static_cast<ShardNumber>(order("half").shard())),
            "t: it's broken");
  EXPECT_EQ(end_after_restart("half"), "succeeded");
}

TEST_F(DoctorOrders, ThatAreStuckAtTheirEndGetIt) {
  damage("finished", "update event set order_status = null where order_id = ID");
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("finished"), "succeeded");
}

TEST_F(DoctorOrders, ThatAreStuckWhileTheyEndGetTheirEndAndLoseTheirDeadline) {
  damage("delayed", "delete from deferred where order_id = ID and kind = 0");
  damage("delayed", event_row("cancel_requested", "'compensating'", "null"));
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("delayed"), "cancelled");
}

TEST_F(DoctorOrders, ThatAreParkedWithoutAnyRowGoOutAgain) {
  damage("parked", "delete from deferred where order_id = ID");
  damage("parked", "update orders set payload = 'ok' where id = ID");
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("parked"), "succeeded");
}

TEST_F(DoctorOrders, ThatHaveEndedOweNothing) {
  damage("cancelled", task_row("ID", 0, "work"));
  expect_repaired({"final_owed"});
  EXPECT_EQ(end_after_restart("cancelled"), "cancelled");
}

TEST_F(DoctorOrders, OweNothingWithoutBeingThere) {
  damage("ready", task_row("'01890000-0000-7000-8000-000000000001'", 0, "first"));
  damage("ready",
         "insert into deferred values ('01890000-0000-7000-8000-000000000002', 0, 0, 0, 'first', "
         "5, 1, 0, 0, 0, false, 'backlog', null, null)");
  expect_repaired({"row_orphan", "row_orphan"});
  EXPECT_EQ(end_after_restart("ready"), "succeeded");
}

TEST_F(DoctorOrders, ThatAreGoneLeaveEventsThatTell) {
  damage("finished", "delete from orders where id = ID");
  expect_by_hand({"event_orphan"});
}

TEST_F(DoctorOrders, ThatAreNotThereMayHaveASignal) {
  const std::string early =
      "insert into signal values ('01890000-0000-7000-8000-000000000001', 'paid', 1, now() - "
      "interval '";
  damage("ready", early + "1 minute', null, null)");
  EXPECT_EQ(words(), Words{}) << "a signal may be early";
  damage("ready", "delete from signal");
  damage("ready", early + "1 hour', null, null)");
  expect_by_hand({"signal_orphan"});
}

TEST_F(DoctorOrders, AreToldOfTheSignalsThatAreKeptForThem) {
  const std::string kept =
      "insert into signal (order_id, name, seq, at, dedup, next_at) values (ID, 'paid', 1, now(), "
      "'d', now() - interval '";
  damage("ready", kept + "1 minute')");
  EXPECT_EQ(words(), Words{}) << "a sweep may be about to come by";
  damage("ready", "delete from signal");
  damage("ready", kept + "1 hour')");
  expect_by_hand({"signal_undelivered"});
}

TEST_F(DoctorOrders, HaveNoRowsOfStepsThatAreNotThere) {
  damage("half", task_row("ID", 9, "left"));
  expect_repaired({"step_unknown"});
  EXPECT_EQ(end_after_restart("half"), "succeeded");
}

TEST_F(DoctorOrders, HaveNoEventsOfStepsThatAreNotThere) {
  damage("ready", event_row("attempt_failed", "null", "9"));
  expect_by_hand({"step_unknown"});
}

TEST_F(DoctorOrders, HaveATaskInOneTable) {
  damage("ready",
         "insert into deferred select order_id, step, branch, kind, queue, priority, seq - 1, "
         "attempt, failures, losses, maybe, 'backlog', null, null from task where order_id = ID");
  expect_repaired({"row_twice"});
  EXPECT_EQ(database->value(
                "select count(*) from task where order_id = '" + order("ready").to_string() + "'",
                static_cast<ShardNumber>(order("ready").shard())),
            "1");
  EXPECT_EQ(end_after_restart("ready"), "succeeded");
}

TEST_F(DoctorOrders, KeepTheLaterOfTwoRows) {
  damage("parked",
         "insert into task select order_id, step, branch, kind, queue, priority, seq - 1, attempt, "
         "failures, losses, maybe from deferred where order_id = ID");
  expect_repaired({"row_twice"});
  EXPECT_EQ(end_after_restart("parked"), "parked");
}

TEST_F(DoctorOrders, HaveNoRowOfWhatIsRecorded) {
  damage("half", task_row("ID", 0, "first"));
  expect_repaired({"task_recorded"});
  EXPECT_EQ(end_after_restart("half"), "succeeded");
}

TEST_F(DoctorOrders, HaveEachStepRecordedOnce) {
  damage("half", event_row("succeeded", "null", "0"));
  expect_by_hand({"step_twice"});
}

TEST_F(DoctorOrders, RunNoStepBeforeThoseBeforeIt) {
  damage("ready", event_row("attempt_failed", "null", "3"));
  expect_by_hand({"step_early"});
}

TEST_F(DoctorOrders, OpenNoStepBeforeThoseBeforeIt) {
  damage("half", task_row("ID", 3, "last"));
  expect_repaired({"step_early"});
  EXPECT_EQ(end_after_restart("half"), "succeeded");
}

TEST_F(DoctorOrders, EndOnce) {
  damage("finished", event_row("ended", "'failed'", "null"));
  expect_by_hand({"final_twice"});
}

TEST_F(DoctorOrders, StayEnded) {
  damage("finished", event_row("parked", "'parked'", "0"));
  expect_by_hand({"final_changed"});
}

TEST_F(DoctorOrders, AreParkedWithSomethingParked) {
  damage("parked", "update orders set payload = 'ok' where id = ID");
  damage("parked", "update deferred set state = 'scheduled', run_at = now() where order_id = ID");
  expect_repaired({"parked_nothing"});
  EXPECT_EQ(end_after_restart("parked"), "succeeded");
}

TEST_F(DoctorOrders, ThatWereBeingUndoneAreAgain) {
  damage("parked", event_row("failed", "'compensating'", "0"));
  damage("parked",
         "insert into event select order_id, seq + 1, at, 'parked', 'parked', 0, 0, 1, 1, "
         "null, 0, null, null from event where order_id = ID and kind = 'failed'");
  EXPECT_EQ(words(), Words{});
  damage("parked", "update deferred set state = 'scheduled', run_at = now() where order_id = ID");
  expect_repaired({"parked_nothing"});
  EXPECT_EQ(database->value(
                "select status from order_view where id = '" + order("parked").to_string() + "'",
                static_cast<ShardNumber>(order("parked").shard())),
            "compensating");
}

TEST_F(DoctorOrders, SayThatSomethingIsParked) {
  damage("parked", "update event set order_status = null where order_id = ID");
  expect_repaired({"parked_unsaid"});
  EXPECT_EQ(end_after_restart("parked"), "parked");
}

/// What the way back of an order appends.
std::string undo_event(const std::string& kind, int step, int branch = 0) {
  return "insert into event select ID, (epoch << 40) + 900000, now(), '" + kind + "', null, " +
         std::to_string(step) + ", " + std::to_string(branch) +
         ", 1, 1, 'w', 1, null, null from shard";
}

TEST_F(DoctorOrders, ThatAreStuckOnTheirWayBackGoOn) {
  damage("undoing", "delete from task where order_id = ID");
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("undoing"), "failed");
  EXPECT_EQ(words(), Words{}) << "all of it is undone";
}

TEST_F(DoctorOrders, ThatAreStuckWithAllUndoneGetTheirEnd) {
  damage("undoing", "delete from task where order_id = ID");
  damage("undoing", undo_event("succeeded", 1));
  EXPECT_EQ(found("order_stuck")[0].repair.statements.size(), 2U) << "one to undo, with its event";
  damage("undoing",
         "insert into event select order_id, seq + 1, at, kind, null, 0, 0, 1, 1, 'w', "
         "1, null, null from event where order_id = ID and task_kind = 1");
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("undoing"), "failed");
}

TEST_F(DoctorOrders, OpenNoUndoingBeforeItsTurn) {
  damage("undoing", "insert into task values (ID, 0, 0, 1, 'unbook', 5, 1, 0, 0, 0, false)");
  expect_repaired({"step_early"});
  EXPECT_EQ(end_after_restart("undoing"), "failed");
}

TEST_F(DoctorOrders, UndoNothingBeforeItsTurn) {
  damage("undoing", undo_event("succeeded", 0));
  expect_by_hand({"step_early"});
}

TEST_F(DoctorOrders, GoBackBranchByBranch) {
  damage("parcels", "delete from task where order_id = ID");
  damage("parcels", undo_event("succeeded", 1, 1));
  const auto& repair = found("order_stuck")[0].repair;
  EXPECT_EQ(repair.statements.size(), 4U) << "a label and a parcel to undo, each with its event";
  expect_repaired({"order_stuck"});
  EXPECT_EQ(end_after_restart("parcels"), "failed");
  EXPECT_EQ(words(), Words{}) << "all of it is undone";
}

TEST_F(DoctorOrders, UndoNoBranchBeforeItsTurn) {
  damage("parcels", "insert into task values (ID, 0, 1, 1, 'unpack', 5, 1, 0, 0, 0, false)");
  expect_repaired({"step_early"});
  damage("parcels", undo_event("succeeded", 0, 0));
  expect_by_hand({"step_early"});
}

TEST_F(DoctorOrders, EndWithABranchLeftToUndo) {
  damage("parcels", "delete from task where order_id = ID");
  for (const char* seq : {"1", "2", "3"}) {
    const bool is_label = *seq != '3';
    damage("parcels", std::string("insert into event select ID, (epoch << 40) + 90000") + seq +
                          ", now(), 'succeeded', null, " + (is_label ? "1, " : "0, ") +
                          (*seq == '1' ? "0" : "1") + ", 1, 1, 'w', 1, null, null from shard");
  }
  damage("parcels",
         "insert into event select ID, (epoch << 40) + 900009, now(), 'ended', "
         "'failed', null, 0, 0, 1, 'w', 1, null, null from shard");
  expect_by_hand({"not_undone"});
}

TEST_F(DoctorOrders, EndWithNothingLeftToUndo) {
  damage("undoing", "delete from task where order_id = ID");
  damage("undoing", event_row("ended", "'failed'", "null"));
  expect_by_hand({"not_undone", "not_undone"});
}

TEST_F(DoctorOrders, WaitForAnEnd) {
  damage("delayed", "alter table deferred drop constraint if exists deferred_run_at");
  damage("delayed",
         "update deferred set state = 'waiting', run_at = null where order_id = ID "
         "and kind = 0");
  expect_by_hand({"waiting_forever"});
}

TEST_F(DoctorOrders, AreTakenWhenTheyAreDue) {
  damage("delayed",
         "update deferred set run_at = now() - interval '6 minutes' where order_id = ID "
         "and kind = 0");
  EXPECT_EQ(words(), Words{}) << "nobody is there to take it";
  PostgresStore owner(database->settings(static_cast<ShardNumber>(order("delayed").shard())));
  ASSERT_TRUE(owner.open());
  expect_by_hand({"due_ignored"});
}

TEST_F(DoctorOrders, MayGoOnAfterTheirEndWithWhatIsAsync) {
  const std::string source =
      "pipeline: tail\nversion: 1\nsteps:\n  pay: {}\n  mail: { after: pay, class: async }\n"
      "  poll: { after: mail, class: async }\n";
  const auto pipeline = parse_pipeline(source);
  ASSERT_TRUE(pipeline);
  damage("finished", "insert into pipeline values (" + std::to_string(pipeline->id) +
                         ", 'tail', 1, '" + source + "')");
  damage("finished",
         "update orders set pipeline_id = " + std::to_string(pipeline->id) + " where id = ID");
  damage("finished", task_row("ID", 1, "mail"));
  EXPECT_EQ(words(), Words{});
  damage("finished", "update event set order_status = null where order_id = ID");
  EXPECT_EQ(words(), Words{"order_stuck"}) << "its end does not wait for what is async";
  damage("finished", "update event set order_status = 'succeeded' where order_id = ID");
  damage("cancelled", task_row("ID", 0, "work"));
  EXPECT_EQ(words(), Words{"final_owed"}) << "a step of another class may not";
}

TEST_F(DoctorOrders, ThatChangedMeanwhileAreNotRepaired) {
  damage("half", task_row("ID", 0, "first"));
  const auto findings = found("task_recorded");
  ASSERT_EQ(findings.size(), 1U);
  damage("half", "delete from task where order_id = ID and step = 0");
  const auto outcomes = doctor::repair(spec, findings, {.who = "t", .why = "w"});
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_THAT(outcomes[0].why_not, ::testing::HasSubstr("not there any more"));
}

TEST_F(DoctorOrders, AreListedUpToALimitAndCounted) {
  spec.kept = 2;
  damage("ready",
         "delete from orders where id in (select order_id from event where kind = "
         "'succeeded' and order_status = 'succeeded' order by 1 limit 5)");
  const auto report = examine();
  std::uint64_t listed = 0;
  std::uint64_t more = 0;
  for (const auto& one : report.findings) listed += one.kind.word == "event_orphan" ? 1U : 0U;
  for (const auto& shard : report.shards) {
    for (const auto& [word, count] : shard.left_off) more += count;
  }
  EXPECT_EQ(listed, 2U);
  EXPECT_EQ(more, 3U);
}

}  // namespace
}  // namespace ordo::testing
