// What every ShardStore means, sentence by sentence of broker/store/store.hpp: ownership and
// commits. Both forms pass it, so that what is simulated in memory is what PostgreSQL does.
#include "tests/contract/store_fixture.hpp"

namespace ordo::testing {
namespace {

class Store : public StoreFixture {};

// ---- ownership ---------------------------------------------------------------------------------

TEST_P(Store, EachTakeoverHasTheNextEpoch) {
  const std::uint32_t first = takeover_.epoch;
  EXPECT_GE(first, 1u);
  EXPECT_EQ(open().epoch, first + 1);
  EXPECT_EQ(takeover_.timeline, 1u);
  EXPECT_GT(takeover_.database_now.time_since_epoch().count(), 0);
}

TEST_P(Store, ASecondOwnerIsBusyWhileTheFirstLives) {
  auto other = shard_->session();
  const auto refused = other->open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_TRUE(session_->probe());
  session_.reset();
  auto third = shard_->session();
  EXPECT_TRUE(third->open());
}

TEST_P(Store, ATerminatedOwnerIsLostInEveryCall) {
  shard_->terminate_owner();
  const StoreWrite write = submit_of(1);
  const StoreWrite* batch[] = {&write};
  EXPECT_EQ(session_->commit(batch).kind, Kind::kLost);
  const OrderId id = order_id(1);
  EXPECT_FALSE(session_->load({&id, 1}));
  EXPECT_FALSE(session_->page(backlog_spec()));
  EXPECT_FALSE(session_->probe());
}

TEST_P(Store, ATerminatedOwnerChangesNothingAfterItsSuccessor) {
  shard_->terminate_owner();
  auto successor = shard_->session();
  ASSERT_TRUE(successor->open());
  const StoreWrite write = submit_of(1);
  const StoreWrite* batch[] = {&write};
  EXPECT_EQ(session_->commit(batch).kind, Kind::kLost);
  const OrderId id = order_id(1);
  const auto found = successor->load({&id, 1});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
  EXPECT_TRUE(successor->probe());
}

TEST_P(Store, AProbeOfTheOwnerSucceeds) { EXPECT_TRUE(session_->probe()); }

// ---- commits -----------------------------------------------------------------------------------

TEST_P(Store, AnEmptyBatchIsCommitted) { EXPECT_EQ(commit({}).kind, Kind::kCommitted); }

TEST_P(Store, ReadsSeeWhatWasCommittedBefore) {
  commit_all({submit_of(1)});
  const auto found = load(1);
  ASSERT_TRUE(found);
  const OrderRow expected = order_row(1);
  EXPECT_EQ(found->order.id, expected.id);
  EXPECT_EQ(found->order.pipeline, 77);
  EXPECT_EQ(found->order.priority, 3);
  EXPECT_EQ(found->order.customer, "c1");
  EXPECT_EQ(found->order.key, "");
  EXPECT_EQ(found->order.labels, expected.labels);
  EXPECT_EQ(found->order.context, expected.context);
  EXPECT_EQ(view(found->order.payload), "{}");
  EXPECT_EQ(found->order.submit_hash, expected.submit_hash);
  EXPECT_EQ(found->order.deadline, std::nullopt);
  EXPECT_EQ(found->order.accepted, expected.accepted);
  EXPECT_EQ(found->status, OrderStatus::kRunning);
  EXPECT_FALSE(found->is_cancelled);
  ASSERT_EQ(found->tasks.size(), 1u);
  EXPECT_EQ(found->tasks[0], task_row(1, 0, 2));
  EXPECT_TRUE(found->deferred.empty());
  EXPECT_TRUE(found->done.empty());
}

TEST_P(Store, EveryFieldOfAnOrderComesBack) {
  OrderRow row = order_row(1, std::string("\0\xff bytes", 8));
  row.key = "cart-1";
  row.customer = "";
  row.labels = "";
  row.context = "";
  row.submit_hash = 0xfedcba9876543210ULL;
  row.deadline = start_time() + Millis{90'061};
  commit_all({write_of(1, {InsertOrder{row}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->order.key, "cart-1");
  EXPECT_EQ(found->order.customer, "");
  EXPECT_EQ(found->order.labels, "");
  EXPECT_EQ(found->order.context, "");
  EXPECT_EQ(view(found->order.payload), view(row.payload));
  EXPECT_EQ(found->order.submit_hash, row.submit_hash);
  EXPECT_EQ(found->order.deadline, row.deadline);
}

TEST_P(Store, EveryFieldOfATaskComesBack) {
  TaskRow task = task_row(1, 3, (5LL << 40) | 7);
  task.key.branch = 9;
  task.queue = "other";
  task.priority = 0;
  task.attempt = 4;
  task.failures = 2;
  task.losses = 1;
  task.maybe = true;
  DeferredRow parked;
  parked.task = task_row(1, 4, 8);
  parked.state = TaskState::kParked;
  parked.reason = "exhausted";
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertTask{task}, InsertDeferred{parked}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->tasks.size(), 1u);
  EXPECT_EQ(found->tasks[0], task);
  ASSERT_EQ(found->deferred.size(), 1u);
  EXPECT_EQ(found->deferred[0], parked);
}

TEST_P(Store, TheSameSubmitAgainIsADuplicateAndChangesNothing) {
  commit_all({submit_of(1)});
  StoreWrite again = submit_of(1);
  std::get<InsertTask>(again.changes[1]).row.key.step = 5;
  const auto result = commit({again});
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].write, 0u);
  EXPECT_EQ(result.refused[0].why, Why::kDuplicate);
  EXPECT_EQ(load(1)->tasks.size(), 1u);
}

TEST_P(Store, TheSameIdWithOtherContentIsAConflict) {
  commit_all({submit_of(1)});
  StoreWrite other = submit_of(1);
  std::get<InsertOrder>(other.changes[0]).row.submit_hash = 5;
  const auto result = commit({submit_of(2), other, submit_of(3)});
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].write, 1u);
  EXPECT_EQ(result.refused[0].why, Why::kConflict);
  EXPECT_EQ(load(1)->order.submit_hash, order_row(1).submit_hash);
  EXPECT_TRUE(load(2));
  EXPECT_TRUE(load(3));
}

TEST_P(Store, TwoSubmitsOfOneIdInABatchAreOneOrder) {
  StoreWrite other = submit_of(1);
  std::get<InsertOrder>(other.changes[0]).row.submit_hash = 5;
  const auto result = commit({submit_of(1), submit_of(1), other});
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 2u);
  EXPECT_EQ(result.refused[0].write, 1u);
  EXPECT_EQ(result.refused[0].why, Why::kDuplicate);
  EXPECT_EQ(result.refused[1].write, 2u);
  EXPECT_EQ(result.refused[1].why, Why::kConflict);
  EXPECT_EQ(load(1)->tasks.size(), 1u);
}

TEST_P(Store, ADeletedTaskIsGoneAndItsSuccessorIsThere) {
  commit_all({submit_of(1)});
  commit_all({write_of(1, {DeleteTask{task_row(1).key}, InsertTask{task_row(1, 1, 9)},
                           AppendEvent{event_row(1, 8, EventKind::kSucceeded)}})});
  const auto found = load(1);
  ASSERT_EQ(found->tasks.size(), 1u);
  EXPECT_EQ(found->tasks[0].key.step, 1);
  ASSERT_EQ(found->done.size(), 1u);
}

TEST_P(Store, AKeyMayLeaveAndComeBackInOneWrite) {
  commit_all({submit_of(1)});
  TaskRow next = task_row(1, 0, 9);
  next.attempt = 1;
  commit_all({write_of(1, {DeleteTask{next.key}, InsertTask{next}})});
  EXPECT_EQ(load(1)->tasks.at(0), next);
  commit_all({write_of(1, {DeleteTask{next.key}, InsertDeferred{backlog_row(1, 10)}})});
  commit_all({write_of(1, {DeleteDeferred{next.key}, InsertDeferred{backlog_row(1, 11)}})});
  EXPECT_EQ(load(1)->deferred.at(0).task.seq, 11);
}

TEST_P(Store, AMissingRowLeavesOutAllWritesOfItsOrderAndNoOthers) {
  commit_all({submit_of(1), submit_of(2)});
  const auto result = commit({
      write_of(1, {AppendEvent{event_row(1, 20, EventKind::kAttemptFailed)}}),
      write_of(2,
               {DeleteTask{task_row(2).key}, AppendEvent{event_row(2, 21, EventKind::kSucceeded)}}),
      write_of(1, {DeleteTask{task_row(1, 7).key}, InsertTask{task_row(1, 8, 22)}}),
      submit_of(3),
  });
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 2u);
  EXPECT_EQ(result.refused[0].write, 0u);
  EXPECT_EQ(result.refused[0].why, Why::kMissing);
  EXPECT_EQ(result.refused[1].write, 2u);
  EXPECT_EQ(result.refused[1].why, Why::kMissing);
  EXPECT_EQ(load(1)->tasks.size(), 1u);
  EXPECT_TRUE(
      query({.what = QuerySpec::What::kOrder, .id = order_id(1), .customer = {}, .after = {}})
          .at(0)
          .events.empty());
  EXPECT_TRUE(load(2)->tasks.empty());
  EXPECT_TRUE(load(3));
}

TEST_P(Store, AMissingDeferredRowIsMissingToo) {
  commit_all({submit_of(1)});
  const auto result = commit({write_of(1, {DeleteDeferred{task_row(1).key}})});
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].why, Why::kMissing);
}

TEST_P(Store, ARejectedBatchHappenedNotAtAllAndTheSessionLivesOn) {
  commit_all({submit_of(1)});
  const auto result = commit({submit_of(2), write_of(1, {InsertTask{task_row(1, 0, 30)}})});
  EXPECT_EQ(result.kind, Kind::kRejected);
  EXPECT_FALSE(result.message.empty());
  EXPECT_FALSE(load(2));
  EXPECT_TRUE(session_->probe());
  commit_all({submit_of(2)});
}

TEST_P(Store, ChecksTieColumnsToStates) {
  DeferredRow row = backlog_row(1, 5);
  row.run_at = start_time();
  EXPECT_EQ(commit({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{row}})}).kind,
            Kind::kRejected);
  row = scheduled_row(1, 5, start_time());
  row.run_at.reset();
  EXPECT_EQ(commit({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{row}})}).kind,
            Kind::kRejected);
  row = backlog_row(1, 5);
  row.state = TaskState::kLeased;
  EXPECT_EQ(commit({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{row}})}).kind,
            Kind::kRejected);
  EventRow ended = event_row(1, 6, EventKind::kEnded);
  EXPECT_EQ(commit({write_of(1, {InsertOrder{order_row(1)}, AppendEvent{ended}})}).kind,
            Kind::kRejected);
  EXPECT_FALSE(load(1));
}

TEST_P(Store, AnEventIsWrittenOnce) {
  commit_all({submit_of(1), write_of(1, {AppendEvent{event_row(1, 8, EventKind::kWorkerLost)}})});
  EXPECT_EQ(commit({write_of(1, {AppendEvent{event_row(1, 8, EventKind::kWorkerLost)}})}).kind,
            Kind::kRejected);
}

TEST_P(Store, ALargeBatchIsOneCommit) {
  std::vector<StoreWrite> writes;
  for (int n = 0; n < 1000; ++n) writes.push_back(submit_of(n));
  commit_all(writes);
  writes.clear();
  for (int n = 0; n < 1000; ++n) {
    writes.push_back(write_of(n, {DeleteTask{task_row(n).key},
                                  AppendEvent{event_row(n, 2000 + n, EventKind::kSucceeded)}}));
  }
  commit_all(writes);
  EXPECT_TRUE(open().orders.empty());
  EXPECT_EQ(load(999)->done.size(), 1u);
}

// ---- what an order is --------------------------------------------------------------------------

TEST_P(Store, StatusIsTheLastOneThatAnEventCarries) {
  EventRow parked = event_row(1, 8, EventKind::kParked);
  parked.status = OrderStatus::kParked;
  EventRow retried = event_row(1, 9, EventKind::kOperatorRetry);
  retried.status = OrderStatus::kRunning;
  EventRow failed = event_row(1, 10, EventKind::kAttemptFailed);
  commit_all({submit_of(1)});
  EXPECT_EQ(load(1)->status, OrderStatus::kRunning);
  commit_all({write_of(1, {AppendEvent{parked}})});
  EXPECT_EQ(load(1)->status, OrderStatus::kParked);
  commit_all({write_of(1, {AppendEvent{retried}, AppendEvent{failed}})});
  EXPECT_EQ(load(1)->status, OrderStatus::kRunning);
  EventRow ended = event_row(1, 11, EventKind::kEnded);
  ended.step.reset();
  ended.status = OrderStatus::kCancelled;
  commit_all({write_of(1, {AppendEvent{ended}})});
  EXPECT_EQ(load(1)->status, OrderStatus::kCancelled);
}

TEST_P(Store, ACancelRequestShowsInTheSnapshot) {
  EventRow cancel = event_row(1, 8, EventKind::kCancelRequested);
  cancel.step.reset();
  cancel.status = OrderStatus::kCompensating;
  commit_all({submit_of(1), write_of(1, {AppendEvent{cancel}})});
  EXPECT_TRUE(load(1)->is_cancelled);
  EXPECT_EQ(load(1)->status, OrderStatus::kCompensating);
}

TEST_P(Store, AnEndComesWithItsCauseAndWhatItCut) {
  EventRow failed = event_row(1, 8, EventKind::kFailed, 1);
  failed.status = OrderStatus::kCompensating;
  EventRow cut = event_row(1, 10, EventKind::kCut, 3);
  cut.branch = 7;
  EventRow parked = event_row(1, 11, EventKind::kParked, 0);
  parked.task_kind = TaskKind::kCompensate;
  parked.status = OrderStatus::kParked;
  commit_all({submit_of(1)});
  EXPECT_FALSE(load(1)->is_ending);
  commit_all({write_of(1, {AppendEvent{failed}, AppendEvent{event_row(1, 9, EventKind::kFailed, 2)},
                           AppendEvent{cut}})});
  auto found = load(1);
  EXPECT_TRUE(found->is_ending);
  EXPECT_FALSE(found->is_cancelled);
  EXPECT_EQ(found->failed_step, 1);
  const std::pair<StepIndex, BranchIndex> where{3, 7};
  EXPECT_EQ(found->cut, std::vector{where});
  commit_all({write_of(1, {AppendEvent{parked}})});
  EXPECT_EQ(load(1)->status, OrderStatus::kParked);
  EXPECT_TRUE(load(1)->is_ending);

  EventRow given_up = event_row(2, 8, EventKind::kOperatorCompensate, 4);
  given_up.status = OrderStatus::kFailed;
  commit_all({submit_of(2), write_of(2, {AppendEvent{given_up}})});
  EXPECT_EQ(load(2)->failed_step, 4);
  EXPECT_FALSE(load(2)->is_ending);
}

TEST_P(Store, WhatUndoesAStepIsATaskBesideIt) {
  TaskRow undo = task_row(1, 0, 30);
  undo.key.kind = TaskKind::kCompensate;
  undo.queue = "release";
  undo.maybe = true;
  EventRow done = event_row(1, 8, EventKind::kSucceeded, 1);
  done.task_kind = TaskKind::kCompensate;
  commit_all({submit_of(1), write_of(1, {InsertTask{undo}, AppendEvent{done}})});
  const auto found = load(1);
  ASSERT_EQ(found->tasks.size(), 2U);
  EXPECT_EQ(found->tasks[1], undo);
  ASSERT_EQ(found->done.size(), 1U);
  EXPECT_EQ(found->done[0].kind, TaskKind::kCompensate);
  commit_all({write_of(1, {DeleteTask{undo.key}})});
  EXPECT_EQ(load(1)->tasks.at(0).key.kind, TaskKind::kForward);
}

TEST_P(Store, DoneStepsComeWithResultContextAndAttempt) {
  EventRow done = event_row(1, 8, EventKind::kSucceeded, 0);
  done.attempt = 3;
  done.detail = make_bytes("result");
  done.note = R"({"context":{"level":"gold","note":"a \"}\" b"}})";
  EventRow skipped = event_row(1, 9, EventKind::kOperatorSkip, 1);
  skipped.note = R"({"who":"ann","why":"not needed"})";
  EventRow completed = event_row(1, 10, EventKind::kOperatorComplete, 2);
  completed.detail = make_bytes("by hand");
  commit_all(
      {submit_of(1), write_of(1, {AppendEvent{done}, AppendEvent{skipped}, AppendEvent{completed},
                                  AppendEvent{event_row(1, 11, EventKind::kAttemptFailed, 3)}})});
  auto found = load(1);
  ASSERT_TRUE(found);
  std::sort(found->done.begin(), found->done.end(),
            [](const DoneStep& a, const DoneStep& b) { return a.step < b.step; });
  ASSERT_EQ(found->done.size(), 3u);
  EXPECT_EQ(found->done[0].attempt, 3u);
  EXPECT_EQ(view(found->done[0].result), "result");
  EXPECT_EQ(found->done[0].context, R"({"level":"gold","note":"a \"}\" b"})");
  EXPECT_FALSE(found->done[0].is_skipped);
  EXPECT_TRUE(found->done[1].is_skipped);
  EXPECT_EQ(found->done[1].context, "");
  EXPECT_EQ(view(found->done[2].result), "by hand");
}

TEST_P(Store, SkippedStepsAreDoneWithoutAResult) {
  EventRow skipped = event_row(1, 8, EventKind::kSkipped, 2);
  skipped.note = R"({"reason":"when","when":"a > 1"})";
  commit_all({submit_of(1), write_of(1, {AppendEvent{skipped}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->done.size(), 1u);
  EXPECT_EQ(found->done[0].step, 2);
  EXPECT_TRUE(found->done[0].is_skipped);
  EXPECT_EQ(view(found->done[0].result), "");
}

TEST_P(Store, AStepThatFannedOutComesWithItsList) {
  EventRow fanned = event_row(1, 8, EventKind::kFannedOut, 3);
  fanned.detail = make_bytes(R"([{"sku":1},"b",3])");
  EventRow branch = event_row(1, 9, EventKind::kSucceeded, 3);
  branch.branch = 2;
  branch.detail = make_bytes("third");
  commit_all({submit_of(1), write_of(1, {AppendEvent{fanned}, AppendEvent{branch}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->fanned.size(), 1u);
  EXPECT_EQ(found->fanned[0].step, 3);
  EXPECT_EQ(view(found->fanned[0].elements), R"([{"sku":1},"b",3])");
  ASSERT_EQ(found->done.size(), 1u);
  EXPECT_EQ(found->done[0].branch, 2);
}

TEST_P(Store, AFallbackIsATaskOfItsOwn) {
  TaskRow own = task_row(1);
  TaskRow fallback = own;
  fallback.key.kind = TaskKind::kFallback;
  fallback.maybe = true;
  DeferredRow parked{
      .task = fallback, .state = TaskState::kParked, .run_at = {}, .reason = "exhausted"};
  parked.task.key.branch = 7;
  EventRow fell = event_row(1, 8, EventKind::kFellBack);
  EventRow done = event_row(1, 9, EventKind::kSucceeded);
  done.task_kind = TaskKind::kFallback;
  commit_all({submit_of(1)});
  commit_all({write_of(
      1, {DeleteTask{own.key}, AppendEvent{fell}, InsertTask{fallback}, InsertDeferred{parked}})});
  auto found = load(1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->tasks.size(), 1u);
  EXPECT_EQ(found->tasks[0], fallback);
  ASSERT_EQ(found->deferred.size(), 1u);
  EXPECT_EQ(found->deferred[0], parked);
  EXPECT_TRUE(found->done.empty());
  commit_all({write_of(1, {DeleteTask{fallback.key}, AppendEvent{done}})});
  found = load(1);
  ASSERT_EQ(found->done.size(), 1u);
  EXPECT_EQ(found->done[0].kind, TaskKind::kFallback);
}

TEST_P(Store, AnEndedOrderMayHaveTasksLeft) {
  EventRow done = event_row(1, 8, EventKind::kSucceeded, 0);
  done.status = OrderStatus::kSucceeded;
  const TaskRow async = task_row(1, 1, 2);
  commit_all({submit_of(1)});
  commit_all({write_of(1, {DeleteTask{task_row(1).key}, AppendEvent{done}, InsertTask{async}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, OrderStatus::kSucceeded);
  EXPECT_EQ(found->tasks.size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(InMemory, Store, ::testing::Values(memory_form()), form_name);
#ifdef ORDO_WITH_POSTGRES
INSTANTIATE_TEST_SUITE_P(OnPostgres, Store, ::testing::Values(postgres_form()), form_name);
#endif

}  // namespace
}  // namespace ordo::testing
