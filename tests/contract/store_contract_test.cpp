// What every ShardStore means, sentence by sentence of broker/store/store.hpp. Both forms pass it,
// so that what is simulated in memory is what PostgreSQL does.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/contract/rows.hpp"
#include "tests/contract/shard_under_test.hpp"

namespace ordo::testing {
namespace {

using Kind = CommitResult::Kind;
using Why = CommitResult::Refused::Why;

class Store : public ::testing::TestWithParam<StoreForm> {
 protected:
  void SetUp() override {
    shard_ = GetParam().make();
    open();
  }

  /// Ends the session and takes the shard again.
  const Takeover& open() {
    session_.reset();
    session_ = shard_->session();
    auto taken = session_->open();
    EXPECT_TRUE(taken) << taken.error().message;
    takeover_ = std::move(taken.value());
    return takeover_;
  }

  CommitResult commit(const std::vector<StoreWrite>& writes) {
    std::vector<const StoreWrite*> batch;
    for (const auto& write : writes) batch.push_back(&write);
    return session_->commit(batch);
  }
  void commit_all(const std::vector<StoreWrite>& writes) {
    const auto result = commit(writes);
    ASSERT_EQ(result.kind, Kind::kCommitted) << result.message;
    ASSERT_TRUE(result.refused.empty()) << "write " << result.refused[0].write;
  }
  std::optional<OrderSnapshot> load(int n) {
    const OrderId id = order_id(n);
    auto found = session_->load({&id, 1});
    EXPECT_TRUE(found) << found.error().message;
    if (!found || found->empty()) return std::nullopt;
    return found->front();
  }
  Page page(const PageSpec& spec) {
    auto read = session_->page(spec);
    EXPECT_TRUE(read) << read.error().message;
    return read ? std::move(*read) : Page{};
  }
  std::vector<OrderRecord> query(const QuerySpec& spec) {
    auto records = shard_->reader()->query(spec);
    EXPECT_TRUE(records) << records.error().message;
    return records ? std::move(*records) : std::vector<OrderRecord>{};
  }
  static PageSpec backlog_spec(std::int64_t after = 0, std::uint32_t limit = 500) {
    PageSpec spec;
    spec.queue = "q";
    spec.after_seq = after;
    spec.limit = limit;
    return spec;
  }
  static PageSpec due_spec(Wall after, std::int64_t after_seq, Wall until) {
    PageSpec spec;
    spec.what = PageSpec::What::kDue;
    spec.due_after = after;
    spec.after_seq = after_seq;
    spec.due_until = until;
    return spec;
  }
  static std::vector<std::int64_t> seqs(const Page& page) {
    std::vector<std::int64_t> found;
    for (const auto& row : page.rows) found.push_back(row.task.seq);
    return found;
  }
  static std::vector<OrderId> ids(const std::vector<OrderRecord>& records) {
    std::vector<OrderId> found;
    for (const auto& record : records) found.push_back(record.order.id);
    return found;
  }

  std::unique_ptr<ShardUnderTest> shard_;
  std::unique_ptr<ShardStore> session_;
  Takeover takeover_;
};

using Seqs = std::vector<std::int64_t>;
using Ids = std::vector<OrderId>;

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

TEST_P(Store, LoadGivesTheOrdersThatExist) {
  commit_all({submit_of(1), submit_of(3)});
  const OrderId asked[] = {order_id(3), order_id(2), order_id(1)};
  auto found = session_->load(asked);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_NE((*found)[0].order.id, (*found)[1].order.id);
  EXPECT_NE((*found)[0].order.id, order_id(2));
}

// ---- takeover ----------------------------------------------------------------------------------

TEST_P(Store, ATakeoverFindsTheOrdersInHandAndNoOthers) {
  DeferredRow parked = backlog_row(1, 4);
  parked.task.key.step = 1;
  parked.state = TaskState::kParked;
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertTask{task_row(1)},
                           InsertTask{task_row(1, 2, 3)}, InsertDeferred{parked}}),
              write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{backlog_row(2, 5)}}),
              write_of(3, {InsertOrder{order_row(3)}})});
  const Takeover& taken = open();
  ASSERT_EQ(taken.orders.size(), 1u);
  EXPECT_EQ(taken.orders[0].order.id, order_id(1));
  EXPECT_EQ(taken.orders[0].tasks.size(), 2u);
  EXPECT_EQ(taken.orders[0].deferred.size(), 1u);
}

TEST_P(Store, ATakeoverTellsWhatWaits) {
  EXPECT_TRUE(takeover_.backlog_queues.empty());
  EXPECT_FALSE(takeover_.next_due);
  const Wall due = start_time() + Seconds{60};
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{backlog_row(1, 1, "a")}}),
              write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{backlog_row(2, 2, "b")}}),
              write_of(3, {InsertOrder{order_row(3)}, InsertDeferred{backlog_row(3, 3, "b", 0)}}),
              write_of(4, {InsertOrder{order_row(4)}, InsertDeferred{scheduled_row(4, 4, due)}}),
              write_of(5, {InsertOrder{order_row(5)},
                           InsertDeferred{scheduled_row(5, 5, due + Seconds{1})}})});
  Takeover taken = open();
  std::sort(taken.backlog_queues.begin(), taken.backlog_queues.end());
  EXPECT_EQ(taken.backlog_queues, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(taken.next_due, due);
}

TEST_P(Store, ADeadlineRowIsDueAsWell) {
  DeferredRow deadline = scheduled_row(1, 4, start_time() + Seconds{5});
  deadline.task.key.kind = TaskKind::kDeadline;
  deadline.task.queue = "";
  commit_all({write_of(
      1, {InsertOrder{order_row(1)}, InsertTask{task_row(1)}, InsertDeferred{deadline}})});
  EXPECT_EQ(open().next_due, start_time() + Seconds{5});
  EXPECT_EQ(load(1)->deferred.at(0), deadline);
}

// ---- pages -------------------------------------------------------------------------------------

TEST_P(Store, BacklogPagesAscendBySeqBehindTheCursor) {
  for (const int n : {4, 2, 5, 1, 3}) {
    commit_all({write_of(n, {InsertOrder{order_row(n)}, InsertDeferred{backlog_row(n, n * 10)}})});
  }
  commit_all({write_of(6, {InsertOrder{order_row(6)}, InsertDeferred{backlog_row(6, 15, "other")}}),
              write_of(7, {InsertOrder{order_row(7)}, InsertDeferred{backlog_row(7, 16, "q", 4)}}),
              write_of(8, {InsertOrder{order_row(8)},
                           InsertDeferred{scheduled_row(8, 17, start_time())}})});
  const Page first = page(backlog_spec(0, 2));
  EXPECT_EQ(seqs(first), (Seqs{10, 20}));
  EXPECT_FALSE(first.is_last);
  ASSERT_EQ(first.orders.size(), 2u);
  const Page second = page(backlog_spec(20, 3));
  EXPECT_EQ(seqs(second), (Seqs{30, 40, 50}));
  EXPECT_TRUE(second.is_last);
  const Page third = page(backlog_spec(50));
  EXPECT_TRUE(third.rows.empty());
  EXPECT_TRUE(third.is_last);
}

TEST_P(Store, APageWritesNothing) {
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{backlog_row(1, 10)}})});
  EXPECT_EQ(seqs(page(backlog_spec())), (Seqs{10}));
  EXPECT_EQ(seqs(page(backlog_spec())), (Seqs{10}));
}

TEST_P(Store, APageBringsEachOrderOnceAndWhole) {
  DeferredRow second = backlog_row(1, 11);
  second.task.key.step = 1;
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{backlog_row(1, 10)},
                           InsertDeferred{second}, InsertTask{task_row(1, 2, 12)}})});
  const Page read = page(backlog_spec());
  EXPECT_EQ(seqs(read), (Seqs{10, 11}));
  ASSERT_EQ(read.orders.size(), 1u);
  EXPECT_EQ(read.orders[0].tasks.size(), 1u);
  EXPECT_EQ(read.orders[0].deferred.size(), 2u);
}

TEST_P(Store, APageStopsAtItsBytesButHasOneRow) {
  for (int n = 1; n <= 4; ++n) {
    commit_all({write_of(n, {InsertOrder{order_row(n, std::string(1000, 'x'))},
                             InsertDeferred{backlog_row(n, n * 10)}})});
  }
  PageSpec spec = backlog_spec();
  spec.limit_bytes = 1;
  const Page one = page(spec);
  EXPECT_EQ(seqs(one), (Seqs{10}));
  EXPECT_FALSE(one.is_last);
  spec.limit_bytes = 1u << 20;
  EXPECT_EQ(page(spec).rows.size(), 4u);
}

TEST_P(Store, DuePagesAscendByTimeThenSeqAndEndAtTheirTime) {
  const Wall base = start_time();
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{scheduled_row(1, 30, base)}}),
              write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{scheduled_row(2, 20, base)}}),
              write_of(3, {InsertOrder{order_row(3)},
                           InsertDeferred{scheduled_row(3, 10, base + Seconds{1})}}),
              write_of(4, {InsertOrder{order_row(4)},
                           InsertDeferred{scheduled_row(4, 40, base + Seconds{9})}})});
  const Page read = page(due_spec(Wall{}, 0, base + Seconds{1}));
  EXPECT_EQ(seqs(read), (Seqs{20, 30, 10}));
  EXPECT_TRUE(read.is_last);
  EXPECT_EQ(read.next_due, base + Seconds{9});
  const Page after = page(due_spec(base, 20, base + Seconds{1}));
  EXPECT_EQ(seqs(after), (Seqs{30, 10}));
  PageSpec small = due_spec(Wall{}, 0, base + Seconds{1});
  small.limit = 2;
  const Page cut = page(small);
  EXPECT_EQ(seqs(cut), (Seqs{20, 30}));
  EXPECT_FALSE(cut.is_last);
  EXPECT_EQ(cut.next_due, base + Seconds{1});
  EXPECT_EQ(page(due_spec(base + Seconds{9}, 40, base + Seconds{99})).next_due, std::nullopt);
}

// ---- settings ----------------------------------------------------------------------------------

TEST_P(Store, PipelinesAndQueueSettingsComeWithATakeover) {
  const PipelineRow pipeline{.id = -5, .name = "p", .version = 2, .source = "pipeline: p"};
  QueueSetting paused{.queue = "q", .is_paused = true, .who = "ann", .why = "stock-taking"};
  const OrderId none;
  commit_all({{.order = none, .changes = {PutPipeline{pipeline}}},
              {.order = none, .changes = {PutQueueSetting{paused}}}});
  const Takeover& taken = open();
  ASSERT_EQ(taken.pipelines.size(), 1u);
  EXPECT_EQ(taken.pipelines[0], pipeline);
  ASSERT_EQ(taken.queue_settings.size(), 1u);
  EXPECT_EQ(taken.queue_settings[0], paused);
  paused.is_paused = false;
  commit_all({{.order = none, .changes = {PutQueueSetting{paused}}}});
  EXPECT_EQ(open().queue_settings.at(0), paused);
}

TEST_P(Store, APipelineVersionIsImmutable) {
  const PipelineRow pipeline{.id = 5, .name = "p", .version = 1, .source = "one"};
  PipelineRow other = pipeline;
  other.id = 6;
  other.source = "two";
  const OrderId none;
  commit_all({{.order = none, .changes = {PutPipeline{pipeline}}}});
  commit_all({{.order = none, .changes = {PutPipeline{pipeline}}}});
  const auto result = commit({submit_of(1), {.order = none, .changes = {PutPipeline{other}}}});
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].write, 1u);
  EXPECT_EQ(result.refused[0].why, Why::kConflict);
  EXPECT_TRUE(load(1));
  EXPECT_EQ(open().pipelines.at(0), pipeline);
}

// ---- reads for people --------------------------------------------------------------------------

TEST_P(Store, AReaderFindsAnOrderWithItsHistory) {
  EventRow done = event_row(1, 8, EventKind::kSucceeded);
  done.detail = make_bytes("r");
  done.status = OrderStatus::kSucceeded;
  done.note = R"({"context":{"a":"b"}})";
  EventRow failed = event_row(1, 7, EventKind::kAttemptFailed);
  commit_all({submit_of(1), write_of(1, {AppendEvent{done}}), write_of(1, {AppendEvent{failed}})});
  const auto found =
      query({.what = QuerySpec::What::kOrder, .id = order_id(1), .customer = {}, .after = {}});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].status, OrderStatus::kSucceeded);
  EXPECT_EQ(found[0].order.submit_hash, order_row(1).submit_hash);
  EXPECT_EQ(found[0].tasks.size(), 1u);
  ASSERT_EQ(found[0].events.size(), 2u);
  EXPECT_EQ(found[0].events[0].seq, 7);
  const EventRow& event = found[0].events[1];
  EXPECT_EQ(event.seq, 8);
  EXPECT_EQ(event.kind, EventKind::kSucceeded);
  EXPECT_EQ(event.at, done.at);
  EXPECT_EQ(event.status, OrderStatus::kSucceeded);
  EXPECT_EQ(event.step, 0);
  EXPECT_EQ(event.attempt, 1u);
  EXPECT_EQ(event.worker, "w1");
  EXPECT_EQ(event.ms, 12u);
  EXPECT_EQ(view(event.detail), "r");
  EXPECT_EQ(event.note, done.note);
}

TEST_P(Store, AReaderAnswersWithNothingForWhatIsNotThere) {
  EXPECT_TRUE(
      query({.what = QuerySpec::What::kOrder, .id = order_id(1), .customer = {}, .after = {}})
          .empty());
}

TEST_P(Store, EventsAreReadBehindACursor) {
  commit_all({submit_of(1), write_of(1, {AppendEvent{event_row(1, 7, EventKind::kAttemptFailed)},
                                         AppendEvent{event_row(1, 8, EventKind::kAttemptFailed)},
                                         AppendEvent{event_row(1, 9, EventKind::kSucceeded)}})});
  const auto found = query({.what = QuerySpec::What::kEvents,
                            .id = order_id(1),
                            .customer = {},
                            .after = {},
                            .after_seq = 7});
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].events.size(), 2u);
  EXPECT_EQ(found[0].events[0].seq, 8);
  EXPECT_EQ(found[0].events[1].seq, 9);
}

TEST_P(Store, ACustomersOrdersComeNewestFirstPageByPage) {
  for (int n = 1; n <= 6; ++n) commit_all({submit_of(n)});
  QuerySpec spec{.what = QuerySpec::What::kByCustomer,
                 .id = {},
                 .customer = "c1",
                 .after = {},
                 .after_seq = 0,
                 .limit = 2};
  const auto first = query(spec);
  EXPECT_EQ(ids(first), (Ids{order_id(5), order_id(3)}));
  spec.after = order_id(3);
  EXPECT_EQ(ids(query(spec)), (Ids{order_id(1)}));
  spec.after = order_id(1);
  EXPECT_TRUE(query(spec).empty());
}

TEST_P(Store, OpenOrdersAreThoseThatHaveNotEnded) {
  EventRow done = event_row(2, 8, EventKind::kSucceeded);
  done.status = OrderStatus::kSucceeded;
  commit_all({submit_of(1), submit_of(2), submit_of(3)});
  commit_all({write_of(2, {DeleteTask{task_row(2).key}, AppendEvent{done}})});
  QuerySpec spec{.what = QuerySpec::What::kOpen, .id = {}, .customer = {}, .after = {}};
  auto open_ids = ids(query(spec));
  std::sort(open_ids.begin(), open_ids.end());
  EXPECT_EQ(open_ids, (Ids{order_id(1), order_id(3)}));
  Ids paged;
  spec.limit = 1;
  for (auto page = query(spec); !page.empty(); page = query(spec)) {
    paged.push_back(page.at(0).order.id);
    spec.after = page.at(0).order.id;
    ASSERT_LE(paged.size(), 3u);
  }
  std::sort(paged.begin(), paged.end());
  EXPECT_EQ(paged, (Ids{order_id(1), order_id(3)}));
}

TEST_P(Store, ParkedOrdersAreThoseWithAParkedTask) {
  DeferredRow parked = backlog_row(2, 5);
  parked.state = TaskState::kParked;
  parked.reason = "exhausted";
  commit_all({submit_of(1), write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{parked}}),
              write_of(3, {InsertOrder{order_row(3)}, InsertDeferred{backlog_row(3, 6)}})});
  EXPECT_EQ(ids(query({.what = QuerySpec::What::kParked, .id = {}, .customer = {}, .after = {}})),
            (Ids{order_id(2)}));
}

std::string form_name(const ::testing::TestParamInfo<StoreForm>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(InMemory, Store, ::testing::Values(memory_form()), form_name);
#ifdef ORDO_WITH_POSTGRES
INSTANTIATE_TEST_SUITE_P(OnPostgres, Store, ::testing::Values(postgres_form()), form_name);
#endif

}  // namespace
}  // namespace ordo::testing
