// What every ShardStore keeps for steps that wait: signals, and rows that wait for them.
#include "tests/contract/store_fixture.hpp"

namespace ordo::testing {
namespace {

class StoreSignals : public StoreFixture {};

TEST_P(StoreSignals, AnEarlySignalComesBackWithItsOrder) {
  SignalRow second = signal_row(1, 6, "d2");
  second.payload = nullptr;
  commit_all({submit_of(1), submit_of(2)});
  commit_all({write_of(1, {InsertSignal{second}, InsertSignal{signal_row(1, 5, "d1")}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->knows_signals);
  EXPECT_TRUE(found->seen.empty());
  ASSERT_EQ(found->signals.size(), 2u);
  const SignalRow expected = signal_row(1, 5, "d1");
  const SignalRow& first = found->signals[0];
  EXPECT_EQ(first.order, expected.order);
  EXPECT_EQ(first.name, expected.name);
  EXPECT_EQ(first.seq, expected.seq);
  EXPECT_EQ(first.at, expected.at);
  EXPECT_EQ(first.dedup, expected.dedup);
  EXPECT_EQ(view(first.payload), "paid");
  EXPECT_EQ(first.note, expected.note);
  EXPECT_EQ(found->signals[1].dedup, "d2");
  EXPECT_EQ(view(found->signals[1].payload), "");
  EXPECT_TRUE(load(2)->signals.empty());
}

TEST_P(StoreSignals, OneThatWasTakenIsGone) {
  commit_all({submit_of(1)});
  commit_all({write_of(1, {InsertSignal{signal_row(1, 5, "d1")}})});
  commit_all({write_of(1, {DeleteSignal{order_id(1), 5}, AppendEvent{signalled_row(1, 7, "")}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->signals.empty());
  ASSERT_EQ(found->seen.size(), 1u);
  EXPECT_EQ(found->seen[0], (SeenSignal{"payment", "d7"}));
  ASSERT_EQ(found->done.size(), 1u);
  EXPECT_FALSE(found->done[0].is_skipped);
  EXPECT_EQ(view(found->done[0].result), "paid");
  EXPECT_EQ(found->done[0].context, R"({"paid":true})");
}

TEST_P(StoreSignals, ALateOneIsSeenAndEndsNoStep) {
  commit_all({submit_of(1)});
  EventRow late = signalled_row(1, 7, kLate);
  late.step.reset();
  commit_all({write_of(1, {AppendEvent{late}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->seen.size(), 1u);
  EXPECT_TRUE(found->done.empty());
}

TEST_P(StoreSignals, ASkippedStepIsDoneWithoutAResult) {
  EventRow skipped = event_row(1, 7, EventKind::kSkipped, 2);
  skipped.note = R"({"reason":"timeout"})";
  commit_all({submit_of(1), write_of(1, {AppendEvent{skipped}})});
  const auto found = load(1);
  ASSERT_TRUE(found);
  ASSERT_EQ(found->done.size(), 1u);
  EXPECT_EQ(found->done[0].step, 2);
  EXPECT_TRUE(found->done[0].is_skipped);
}

TEST_P(StoreSignals, OneThatIsNotThereLeavesTheWriteOut) {
  commit_all({submit_of(1), submit_of(2)});
  const auto result = commit({write_of(1, {DeleteSignal{order_id(1), 5}}),
                              write_of(2, {InsertSignal{signal_row(2, 6, "d1")}})});
  EXPECT_EQ(result.kind, Kind::kCommitted);
  ASSERT_EQ(result.refused.size(), 1u);
  EXPECT_EQ(result.refused[0].write, 0u);
  EXPECT_EQ(result.refused[0].why, CommitResult::Refused::Why::kMissing);
  EXPECT_EQ(load(2)->signals.size(), 1u);
}

TEST_P(StoreSignals, TheSameTwiceIsRejected) {
  commit_all({submit_of(1), write_of(1, {InsertSignal{signal_row(1, 5, "d1")}})});
  EXPECT_EQ(commit({write_of(1, {InsertSignal{signal_row(1, 6, "d1")}})}).kind, Kind::kRejected);
  commit_all({write_of(1, {DeleteSignal{order_id(1), 5}, InsertSignal{signal_row(1, 6, "d1")}})});
  EXPECT_EQ(load(1)->signals[0].seq, 6);
}

TEST_P(StoreSignals, OneWithoutItsOrderIsFoundByItsId) {
  SignalRow kept = signal_row(1, 5, "d1");
  kept.checks = 2;
  kept.next_at = start_time() + Millis{10};
  commit_all({write_of(1, {InsertSignal{kept}}), submit_of(2)});
  const auto found = load(1);
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->is_absent);
  EXPECT_TRUE(found->knows_signals);
  EXPECT_EQ(found->order.id, order_id(1));
  ASSERT_EQ(found->signals.size(), 1u);
  EXPECT_EQ(found->signals[0].checks, 2);
  EXPECT_EQ(found->signals[0].next_at, kept.next_at);
  EXPECT_FALSE(load(2)->is_absent);
  EXPECT_FALSE(load(3));
  commit_all({submit_of(1)});
  EXPECT_FALSE(load(1)->is_absent);
  EXPECT_EQ(load(1)->signals.size(), 1u);
}

TEST_P(StoreSignals, KeptOnesAreReadWhenTheyAreDue) {
  std::vector<StoreWrite> writes;
  for (int n = 1; n <= 4; ++n) {
    SignalRow row = signal_row(n, 10 + n, "d");
    if (n != 4) row.next_at = start_time() + Millis{10 * (4 - n)};  // the fourth is early
    writes.push_back(write_of(n, {InsertSignal{row}}));
  }
  commit_all(std::move(writes));
  const Takeover takeover = open();
  EXPECT_EQ(takeover.next_signal, start_time() + Millis{10});
  EXPECT_EQ(takeover.kept_signals, 3u);
  PageSpec spec{
      .what = PageSpec::What::kSignals, .due_until = start_time() + Millis{20}, .limit = 1};
  const Page first = page(spec);
  ASSERT_EQ(first.signals.size(), 1u);
  EXPECT_EQ(first.signals[0].order, order_id(3));
  EXPECT_EQ(first.signals[0].note, signal_row(3, 13, "d").note);
  EXPECT_EQ(view(first.signals[0].payload), "paid");
  EXPECT_FALSE(first.is_last);
  EXPECT_EQ(first.next_due, start_time() + Millis{20});
  spec.due_after = *first.signals[0].next_at;
  spec.after_seq = first.signals[0].seq;
  spec.limit = 10;
  const Page second = page(spec);
  ASSERT_EQ(second.signals.size(), 1u);
  EXPECT_EQ(second.signals[0].order, order_id(2));
  EXPECT_TRUE(second.is_last);
  EXPECT_EQ(second.next_due, start_time() + Millis{30});
  commit_all({write_of(3, {DeleteSignal{order_id(3), 13}})});
  EXPECT_EQ(open().kept_signals, 2u);
}

TEST_P(StoreSignals, KeptOnesAreListedByAge) {
  std::vector<StoreWrite> writes;
  for (int n = 1; n <= 3; ++n) {
    SignalRow row = signal_row(n, 20 - n, "d");
    if (n != 2) row.next_at = start_time();
    writes.push_back(write_of(n, {InsertSignal{row}}));
  }
  commit_all(std::move(writes));
  const auto all = query({.what = QuerySpec::What::kSignals, .customer = {}});
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].order.id, order_id(3));
  ASSERT_EQ(all[0].signals.size(), 1u);
  EXPECT_EQ(all[0].signals[0].seq, 17);
  EXPECT_EQ(all[1].order.id, order_id(1));
  const auto rest =
      query({.what = QuerySpec::What::kSignals, .customer = {}, .after_seq = 17, .limit = 1});
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].order.id, order_id(1));
}

TEST_P(StoreSignals, ARebuiltOrderKnowsThatItIsAndWhatWasMerged) {
  EventRow restored = event_row(1, 7, EventKind::kRestored);
  restored.step.reset();
  EventRow merged = event_row(1, 9, EventKind::kMerged);
  merged.step.reset();
  merged.detail = make_bytes("shoes");
  merged.note = R"({"hash":"18446744073709551615"})";
  commit_all({submit_of(1), submit_of(2), write_of(1, {AppendEvent{restored}})});
  EXPECT_TRUE(load(1)->is_restored);
  EXPECT_FALSE(load(1)->merged_hash);
  EXPECT_FALSE(load(2)->is_restored);
  commit_all({write_of(1, {AppendEvent{merged}})});
  EXPECT_EQ(load(1)->merged_hash, UINT64_MAX);
  EXPECT_TRUE(load(1)->done.empty());
}

TEST_P(StoreSignals, AWaitingTaskIsDueWhenItsPatienceEnds) {
  DeferredRow row = scheduled_row(1, 5, start_time() + Millis{10});
  row.state = TaskState::kWaiting;
  row.reason = "signal payment";
  commit_all({write_of(1, {InsertOrder{order_row(1)}, InsertDeferred{row}})});
  EXPECT_EQ(open().next_due, row.run_at);
  const Page found = page(due_spec(Wall{}, 0, start_time() + Millis{20}));
  ASSERT_EQ(found.rows.size(), 1u);
  EXPECT_EQ(found.rows[0], row);
  row.run_at.reset();
  row.task.key.order = order_id(2);
  EXPECT_EQ(commit({write_of(2, {InsertOrder{order_row(2)}, InsertDeferred{row}})}).kind,
            Kind::kRejected);
}

INSTANTIATE_TEST_SUITE_P(InMemory, StoreSignals, ::testing::Values(memory_form()), form_name);
#ifdef ORDO_WITH_POSTGRES
INSTANTIATE_TEST_SUITE_P(OnPostgres, StoreSignals, ::testing::Values(postgres_form()), form_name);
#endif

}  // namespace
}  // namespace ordo::testing
