// What every ShardStore means, sentence by sentence of broker/store/store.hpp: what is read back.
// Both forms pass it, so that what is simulated in memory is what PostgreSQL does.
#include "tests/contract/store_fixture.hpp"

namespace ordo::testing {
namespace {

class StoreReads : public StoreFixture {};

TEST_P(StoreReads, LoadGivesTheOrdersThatExist) {
  commit_all({submit_of(1), submit_of(3)});
  const OrderId asked[] = {order_id(3), order_id(2), order_id(1)};
  auto found = session_->load(asked);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_NE((*found)[0].order.id, (*found)[1].order.id);
  EXPECT_NE((*found)[0].order.id, order_id(2));
}

/// An order's trace stands at the head of its labels, and is found there as text.
TEST_P(StoreReads, LabelsComeBackAsTheTextThatTheyWereWhereverAnOrderIsRead) {
  const std::string labels =
      R"({"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",)"
      R"("tracestate":"a=\"\\", "b": 2 , "a":1})";
  OrderRow in_hand = order_row(1), waiting = order_row(2);
  in_hand.labels = waiting.labels = labels;
  commit_all({write_of(1, {InsertOrder{in_hand}, InsertTask{task_row(1)}}),
              write_of(2, {InsertOrder{waiting}, InsertDeferred{backlog_row(2, 5)}})});
  EXPECT_EQ(load(1)->order.labels, labels);
  EXPECT_EQ(open().orders.at(0).order.labels, labels) << "by the next owner";
  EXPECT_EQ(page(backlog_spec()).orders.at(0).order.labels, labels);
  QuerySpec one;
  one.id = order_id(1);
  EXPECT_EQ(query(one).at(0).order.labels, labels);
}

// ---- takeover ----------------------------------------------------------------------------------

TEST_P(StoreReads, ATakeoverFindsTheOrdersInHandAndNoOthers) {
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

TEST_P(StoreReads, ATakeoverTellsWhatWaits) {
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

TEST_P(StoreReads, ADeadlineRowIsDueAsWell) {
  DeferredRow deadline = scheduled_row(1, 4, start_time() + Seconds{5});
  deadline.task.key.kind = TaskKind::kDeadline;
  deadline.task.queue = "";
  commit_all({write_of(
      1, {InsertOrder{order_row(1)}, InsertTask{task_row(1)}, InsertDeferred{deadline}})});
  EXPECT_EQ(open().next_due, start_time() + Seconds{5});
  EXPECT_EQ(load(1)->deferred.at(0), deadline);
}

// ---- pages -------------------------------------------------------------------------------------

TEST_P(StoreReads, BacklogPagesAscendBySeqBehindTheCursor) {
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

TEST_P(StoreReads, WhatIsHeldIsReadByItsHolderAndQueue) {
  const auto held = [](int n, std::int64_t seq, const char* holder, const char* queue) {
    DeferredRow row = backlog_row(n, seq, queue);
    row.state = TaskState::kHeld;
    row.reason = holder;
    return write_of(n, {InsertOrder{order_row(n)}, InsertDeferred{row}});
  };
  commit_all({held(1, 30, "dependency a", "q"), held(2, 10, "dependency a", "q"),
              held(3, 20, "dependency a", "other"), held(4, 15, "dependency b", "q"),
              held(5, 20, "dependency a", "q"),
              write_of(6, {InsertOrder{order_row(6)}, InsertDeferred{backlog_row(6, 12)}})});
  PageSpec spec;
  spec.what = PageSpec::What::kHeld;
  spec.holder = "dependency a";
  spec.queue = "q";
  spec.limit = 2;
  const Page first = page(spec);
  EXPECT_EQ(seqs(first), (Seqs{10, 20}));
  EXPECT_FALSE(first.is_last);
  EXPECT_EQ(first.orders.size(), 2u);
  spec.after_seq = 20;
  const Page second = page(spec);
  EXPECT_EQ(seqs(second), (Seqs{30}));
  EXPECT_TRUE(second.is_last);
  using Lines = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(open().held_lines,
            (Lines{{"dependency a", "other"}, {"dependency a", "q"}, {"dependency b", "q"}}));
}

TEST_P(StoreReads, TurnsThatScheduledTasksKeepAreReadWhenAShardIsTaken) {
  const auto scheduled = [](int n, std::int64_t seq, const char* reason) {
    DeferredRow row = backlog_row(n, seq, "q");
    row.state = TaskState::kScheduled;
    row.run_at = Wall{Seconds{seq}};
    row.reason = reason;
    return write_of(n, {InsertOrder{order_row(n)}, InsertDeferred{row}});
  };
  commit_all({scheduled(1, 30, "retry, keeps the turn of \"a, b\""), scheduled(2, 10, "retry"),
              scheduled(3, 20, "snoozed, keeps the turn of 7")});
  const auto key = [](int n) { return backlog_row(n, 1, "q").task.key; };
  EXPECT_EQ(open().turns, (std::vector<KeptTurn>{{key(3), "q", "7"}, {key(1), "q", "\"a, b\""}}));
  commit_all({write_of(3, {DeleteDeferred{key(3)}})});
  EXPECT_EQ(open().turns, (std::vector<KeptTurn>{{key(1), "q", "\"a, b\""}}));
}

TEST_P(StoreReads, APageWritesNothing) {
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{backlog_row(1, 10)}})});
  EXPECT_EQ(seqs(page(backlog_spec())), (Seqs{10}));
  EXPECT_EQ(seqs(page(backlog_spec())), (Seqs{10}));
}

TEST_P(StoreReads, APageBringsEachOrderOnceAndWhole) {
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

TEST_P(StoreReads, AnUntouchedRowIsTakenForTheWholeOrderUnlessSomebodyMayHaveHadIt) {
  DeferredRow untouched = backlog_row(1, 10);
  untouched.reason = kUntouched;
  DeferredRow touched = backlog_row(2, 11);
  // That a row tells the truth is the writer's: the second row of order 1 shows who believes it.
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{untouched},
                           InsertTask{task_row(1, 2, 12)}}),
              write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{touched},
                           InsertTask{task_row(2, 2, 13)}})});
  const auto tasks_of = [](const Page& read, int n) {
    const auto is_it = [&](const OrderSnapshot& one) { return one.order.id == order_id(n); };
    const auto found = std::find_if(read.orders.begin(), read.orders.end(), is_it);
    EXPECT_EQ(found->deferred.size(), 1u);
    return found->tasks.size();
  };
  PageSpec spec = backlog_spec();
  Page read = page(spec);
  ASSERT_EQ(read.orders.size(), 2u);
  EXPECT_EQ(tasks_of(read, 1), 0u);
  EXPECT_EQ(tasks_of(read, 2), 1u);
  spec.is_suspect = true;
  read = page(spec);
  ASSERT_EQ(read.orders.size(), 2u);
  EXPECT_EQ(tasks_of(read, 1), 1u);
  EXPECT_EQ(tasks_of(read, 2), 1u);
}

TEST_P(StoreReads, APageStopsAtItsBytesButHasOneRow) {
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

TEST_P(StoreReads, DuePagesAscendByTimeThenSeqAndEndAtTheirTime) {
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

TEST_P(StoreReads, PipelinesAndQueueSettingsComeWithATakeover) {
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

TEST_P(StoreReads, APipelineVersionIsImmutable) {
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

TEST_P(StoreReads, AReaderFindsAnOrderWithItsHistory) {
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

TEST_P(StoreReads, AReaderAnswersWithNothingForWhatIsNotThere) {
  EXPECT_TRUE(
      query({.what = QuerySpec::What::kOrder, .id = order_id(1), .customer = {}, .after = {}})
          .empty());
}

TEST_P(StoreReads, EventsAreReadBehindACursor) {
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

TEST_P(StoreReads, ACustomersOrdersComeNewestFirstPageByPage) {
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

TEST_P(StoreReads, OpenOrdersAreThoseThatHaveNotEnded) {
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

TEST_P(StoreReads, ParkedOrdersAreThoseWithAParkedTask) {
  DeferredRow parked = backlog_row(2, 5);
  parked.state = TaskState::kParked;
  parked.reason = "exhausted";
  commit_all({submit_of(1), write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{parked}}),
              write_of(3, {InsertOrder{order_row(3)}, InsertDeferred{backlog_row(3, 6)}})});
  EXPECT_EQ(ids(query({.what = QuerySpec::What::kParked, .id = {}, .customer = {}, .after = {}})),
            (Ids{order_id(2)}));
}

TEST_P(StoreReads, AParkedOrderIsListedWithTheLastFailureOfItsParkedTask) {
  DeferredRow parked = backlog_row(1, 5);
  parked.task.key.step = 1;
  parked.state = TaskState::kParked;
  parked.reason = "exhausted";
  const auto event = [](int seq, StepIndex step, EventKind kind) {
    EventRow row = event_row(1, seq, kind);
    row.step = step;
    row.note = R"({"error":")" + std::to_string(seq) + R"("})";
    return AppendEvent{row};
  };
  AppendEvent of_undoing = event(10, 1, EventKind::kAttemptFailed);
  of_undoing.row.task_kind = TaskKind::kCompensate;
  commit_all(
      {write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{parked}, of_undoing}),
       write_of(1, {event(6, 1, EventKind::kAttemptFailed), event(7, 1, EventKind::kParked),
                    event(8, 0, EventKind::kAttemptFailed), event(9, 1, EventKind::kLateResult)})});
  QuerySpec spec{.what = QuerySpec::What::kParked, .id = {}, .customer = {}, .after = {}};
  const auto found = query(spec);
  ASSERT_EQ(found.size(), 1u);
  ASSERT_EQ(found[0].events.size(), 1u);
  EXPECT_EQ(found[0].events[0].seq, 7);
  EXPECT_EQ(found[0].events[0].note, R"({"error":"7"})");
  spec.what = QuerySpec::What::kOpen;
  EXPECT_TRUE(query(spec).at(0).events.empty());
}

TEST_P(StoreReads, RecentOrdersAreAllNewestFirstPageByPage) {
  EventRow done = event_row(2, 8, EventKind::kSucceeded);
  done.status = OrderStatus::kSucceeded;
  for (int n = 1; n <= 5; ++n) commit_all({submit_of(n)});
  commit_all({write_of(2, {DeleteTask{task_row(2).key}, AppendEvent{done}})});
  QuerySpec spec{.what = QuerySpec::What::kRecent,
                 .id = {},
                 .customer = {},
                 .after = {},
                 .after_seq = 0,
                 .limit = 3};
  const auto first = query(spec);
  EXPECT_EQ(ids(first), (Ids{order_id(5), order_id(4), order_id(3)}));
  spec.after = order_id(3);
  const auto second = query(spec);
  EXPECT_EQ(ids(second), (Ids{order_id(2), order_id(1)}));
  EXPECT_EQ(second.at(0).status, OrderStatus::kSucceeded);
  EXPECT_TRUE(view(second.at(0).order.payload).empty());
  spec.after = order_id(1);
  EXPECT_TRUE(query(spec).empty());
}

INSTANTIATE_TEST_SUITE_P(InMemory, StoreReads, ::testing::Values(memory_form()), form_name);
#ifdef ORDO_WITH_POSTGRES
INSTANTIATE_TEST_SUITE_P(OnPostgres, StoreReads, ::testing::Values(postgres_form()), form_name);
#endif

}  // namespace
}  // namespace ordo::testing
