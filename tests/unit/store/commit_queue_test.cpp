#include "broker/store/commit_queue.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "broker/store/memory_store.hpp"

namespace ordo {
namespace {

using Fate = event::WritesDone::Outcome;
using Numbers = std::vector<std::uint64_t>;

OrderId order(int n) { return OrderId::make(1000 + n, 0, 1); }

/// A queue over a shard in memory, whose store can be told what to answer.
class CommitQueueTest : public ::testing::Test {
 protected:
  CommitQueueTest() { open(1); }

  void open(std::uint32_t incarnation) {
    queue_.push({0, OpenShard{incarnation}});
    ASSERT_TRUE(std::holds_alternative<CommitQueue::Open>(queue_.next()));
    queue_.opened(Takeover{}, out_);
  }
  std::unique_ptr<Write> write(int n, Write::Class of = Write::Class::kProgress,
                               std::vector<Change> changes = {}) {
    auto made = std::make_unique<Write>();
    made->number = ++number_;
    made->write_class = of;
    made->store.order = order(n);
    made->store.changes = std::move(changes);
    return made;
  }
  std::uint64_t push(int n, Write::Class of = Write::Class::kProgress,
                     std::vector<Change> changes = {}) {
    queue_.push({0, write(n, of, std::move(changes))});
    return number_;
  }
  std::uint64_t submit(int n) { return push(n, Write::Class::kSubmit); }

  /// The numbers of the next batch; empty when the next work is no commit.
  Numbers next_batch() {
    const auto work = queue_.next();
    Numbers numbers;
    if (const auto* commit = std::get_if<CommitQueue::Commit>(&work)) {
      for (const StoreWrite* store : commit->batch) {
        numbers.push_back(static_cast<std::uint64_t>(store->order.unix_ms() - 1000));
      }
    }
    return numbers;
  }
  void answer(CommitResult::Kind kind, std::vector<CommitResult::Refused> refused = {}) {
    queue_.committed({kind, std::move(refused), "because"}, out_);
  }
  /// The database refuses for a reason that lies with the moment, such as a lock.
  void answer_later() {
    queue_.committed({CommitResult::Kind::kRejected, {}, "lock timeout", true}, out_);
  }
  /// Commits batch by batch; those with an order of `culprits` are rejected. How many commits it
  /// took.
  int drain(const std::vector<int>& culprits) {
    int commits = 0;
    while (true) {
      const Numbers batch = next_batch();
      if (batch.empty()) return commits;
      ++commits;
      bool is_bad = false;
      for (const auto n : batch) {
        for (const int culprit : culprits) is_bad |= n == static_cast<std::uint64_t>(culprit);
      }
      answer(is_bad ? CommitResult::Kind::kRejected : CommitResult::Kind::kCommitted);
    }
  }
  std::optional<Fate> fate(std::uint64_t number) const {
    for (const Event& event : out_) {
      const auto* done = std::get_if<event::WritesDone>(&event);
      if (done == nullptr) continue;
      for (const auto& item : done->items) {
        if (item.write->number == number) return item.outcome;
      }
    }
    return std::nullopt;
  }
  const event::ShardLost* lost() const {
    for (const Event& event : out_) {
      if (const auto* found = std::get_if<event::ShardLost>(&event)) return found;
    }
    return nullptr;
  }

  CommitQueue queue_{0};
  std::vector<Event> out_;
  std::uint64_t number_ = 0;
};

TEST_F(CommitQueueTest, TakesEverythingThatWaitsInOneBatch) {
  for (int n = 0; n < 10; ++n) push(n);
  EXPECT_EQ(next_batch().size(), 10u);
  answer(CommitResult::Kind::kCommitted);
  EXPECT_TRUE(next_batch().empty());
  EXPECT_EQ(fate(1), Fate::kDurable);
  EXPECT_EQ(fate(10), Fate::kDurable);
}

TEST_F(CommitQueueTest, PutsProgressBeforeSubmits) {
  submit(1);
  push(2);
  submit(3);
  push(4);
  EXPECT_EQ(next_batch(), (Numbers{2, 4, 1, 3}));
}

TEST_F(CommitQueueTest, KeepsAShareOfAFullBatchForSubmits) {
  submit(5000);
  for (int n = 0; n < 3000; ++n)
    push(n, Write::Class::kProgress, {DeleteTask{{order(n), 0, 0, {}}}});
  const Numbers batch = next_batch();
  EXPECT_LE(batch.size(), limits::kBatchRows);
  EXPECT_NE(std::find(batch.begin(), batch.end(), 5000u), batch.end());
}

TEST_F(CommitQueueTest, BoundsABatchInRowsAndBytes) {
  for (int n = 0; n < 3000; ++n) push(n);
  EXPECT_EQ(next_batch().size(), limits::kBatchRows);
  answer(CommitResult::Kind::kCommitted);
  drain({});
  for (int n = 0; n < 3; ++n) {
    auto large = write(n);
    large->bytes = limits::kBatchBytes;
    queue_.push({0, std::move(large)});
  }
  EXPECT_EQ(next_batch().size(), 1u);
}

TEST_F(CommitQueueTest, KeepsTheOrderOfOneOrdersWrites) {
  submit(1);
  push(2);
  push(1);
  EXPECT_EQ(next_batch(), (Numbers{2, 1, 1}));
}

TEST_F(CommitQueueTest, WritesThatTouchOneTaskTwiceAreTwoCommits) {
  const TaskKey key{order(1), 0, 0, TaskKind::kForward};
  push(1, Write::Class::kProgress, {InsertTask{.row = {.key = key, .queue = "q"}}});
  push(1, Write::Class::kProgress, {DeleteTask{key}});
  push(2);
  EXPECT_EQ(next_batch(), (Numbers{1}));
  answer(CommitResult::Kind::kCommitted);
  EXPECT_EQ(next_batch(), (Numbers{1, 2}));
}

TEST_F(CommitQueueTest, AReadSeesEveryWriteBeforeItAndNoneAfter) {
  push(1);
  queue_.push({0, LoadOrders{1, {order(7)}}});
  submit(2);
  push(3);
  queue_.push({0, LoadPage{1, {}}});
  EXPECT_EQ(next_batch(), (Numbers{1}));
  answer(CommitResult::Kind::kCommitted);
  const auto load = queue_.next();
  ASSERT_TRUE(std::holds_alternative<CommitQueue::Load>(load));
  EXPECT_EQ(std::get<CommitQueue::Load>(load).ids[0], order(7));
  queue_.loaded({}, out_);
  EXPECT_EQ(next_batch(), (Numbers{3, 2}));
  answer(CommitResult::Kind::kCommitted);
  EXPECT_TRUE(std::holds_alternative<CommitQueue::ReadPage>(queue_.next()));
  queue_.paged(Page{}, out_);
  EXPECT_TRUE(std::holds_alternative<CommitQueue::Idle>(queue_.next()));
}

TEST_F(CommitQueueTest, HalvesARejectedBatchUntilTheCulpritStandsAlone) {
  for (int n = 1; n <= 64; ++n) push(n);
  const int commits = drain({37});
  EXPECT_EQ(fate(37), Fate::kRejected);
  for (std::uint64_t n = 1; n <= 64; ++n) {
    if (n != 37) {
      EXPECT_EQ(fate(n), Fate::kDurable) << n;
    }
  }
  EXPECT_LE(commits, 2 * 7);
  EXPECT_TRUE(queue_.is_open());
}

TEST_F(CommitQueueTest, FindsEveryCulprit) {
  for (int n = 1; n <= 16; ++n) push(n);
  drain({1, 8, 9, 16});
  int rejected = 0;
  for (std::uint64_t n = 1; n <= 16; ++n) rejected += fate(n) == Fate::kRejected ? 1 : 0;
  EXPECT_EQ(rejected, 4);
}

TEST_F(CommitQueueTest, TriesABatchAgainThatMayPassLater) {
  push(1);
  push(2);
  for (int tries = 0; tries < 3; ++tries) {
    ASSERT_EQ(next_batch(), (Numbers{1, 2})) << tries;
    answer_later();
  }
  ASSERT_EQ(next_batch(), (Numbers{1, 2}));
  answer(CommitResult::Kind::kCommitted);
  EXPECT_EQ(fate(2), Fate::kDurable);
  // What passed counts no more: the next batch has its own tries.
  push(3);
  ASSERT_EQ(next_batch(), (Numbers{3}));
  answer_later();
  EXPECT_EQ(lost(), nullptr);
  EXPECT_EQ(next_batch(), (Numbers{3}));
}

TEST_F(CommitQueueTest, GivesTheSessionUpWhenABatchNeverPasses) {
  push(1);
  for (int tries = 0; tries < 4; ++tries) {
    ASSERT_EQ(lost(), nullptr) << tries;
    ASSERT_EQ(next_batch(), (Numbers{1})) << tries;
    answer_later();
  }
  ASSERT_NE(lost(), nullptr);
  EXPECT_EQ(lost()->unfinished.size(), 1u);
  EXPECT_EQ(fate(1), std::nullopt);
}

TEST_F(CommitQueueTest, WhatFollowsACulpritInItsOrderFallsWithIt) {
  push(1);
  push(2);
  const auto second = push(1);
  ASSERT_EQ(next_batch().size(), 3u);
  const auto queued = push(1);
  answer(CommitResult::Kind::kRejected);
  drain({1});
  EXPECT_EQ(fate(1), Fate::kRejected);
  EXPECT_EQ(fate(second), Fate::kRejected);
  EXPECT_EQ(fate(queued), Fate::kRejected);
  EXPECT_EQ(fate(2), Fate::kDurable);
}

TEST_F(CommitQueueTest, WhatAWriteBeforeTheCulpritDidStays) {
  const auto good = push(1);
  const auto bad = push(1);
  ASSERT_EQ(next_batch().size(), 2u);
  answer(CommitResult::Kind::kRejected);
  ASSERT_EQ(next_batch().size(), 1u);
  answer(CommitResult::Kind::kCommitted);
  ASSERT_EQ(next_batch().size(), 1u);
  answer(CommitResult::Kind::kRejected);
  EXPECT_EQ(fate(good), Fate::kDurable);
  EXPECT_EQ(fate(bad), Fate::kRejected);
}

TEST_F(CommitQueueTest, TellsWhatWasLeftOut) {
  const auto first = push(1);
  const auto second = submit(2);
  ASSERT_EQ(next_batch().size(), 2u);
  const auto later = push(1);
  answer(CommitResult::Kind::kCommitted,
         {{0, CommitResult::Refused::Why::kMissing}, {1, CommitResult::Refused::Why::kConflict}});
  EXPECT_EQ(fate(first), Fate::kMissing);
  EXPECT_EQ(fate(second), Fate::kConflict);
  EXPECT_EQ(fate(later), Fate::kMissing);
  EXPECT_TRUE(next_batch().empty());
}

TEST_F(CommitQueueTest, GivesBackEverythingAfterALossAndDropsWhatComesLater) {
  submit(1);
  push(2);
  ASSERT_EQ(next_batch().size(), 2u);
  push(3);
  queue_.push({0, LoadOrders{1, {order(7)}}});
  submit(4);
  answer(CommitResult::Kind::kLost);
  ASSERT_NE(lost(), nullptr);
  ASSERT_EQ(lost()->unfinished.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(lost()->unfinished[i]->number, i + 1);
  EXPECT_EQ(lost()->incarnation, 1u);
  push(5);
  EXPECT_TRUE(std::holds_alternative<CommitQueue::Idle>(queue_.next()));
  EXPECT_EQ(queue_.size(), 0u);
  open(2);
  push(6);
  EXPECT_EQ(next_batch(), (Numbers{6}));
}

TEST_F(CommitQueueTest, AFailedReadOrProbeIsALoss) {
  queue_.push({0, LoadOrders{1, {order(7)}}});
  push(1);
  (void)queue_.next();
  queue_.loaded(fail(Code::kUnavailable, "lost", "gone"), out_);
  ASSERT_NE(lost(), nullptr);
  EXPECT_EQ(lost()->unfinished.size(), 1u);
  out_.clear();
  open(2);
  queue_.probed({}, out_);
  EXPECT_EQ(lost(), nullptr);
  queue_.probed(fail(Code::kUnavailable, "lost", "gone"), out_);
  EXPECT_NE(lost(), nullptr);
  EXPECT_FALSE(queue_.is_open());
}

TEST_F(CommitQueueTest, ARefusedOpenLeavesItClosed) {
  queue_.push({0, OpenShard{2}});
  (void)queue_.next();
  out_.clear();
  queue_.opened(fail(Code::kBusy, "owned", "wait"), out_);
  ASSERT_EQ(out_.size(), 1u);
  EXPECT_EQ(std::get<event::ShardRefused>(out_[0]).incarnation, 2u);
  push(1);
  EXPECT_TRUE(std::holds_alternative<CommitQueue::Idle>(queue_.next()));
}

TEST_F(CommitQueueTest, OpeningAgainGivesBackWhatTheOldTermLeft) {
  push(1);
  ASSERT_EQ(next_batch().size(), 1u);
  push(2);
  queue_.push({0, OpenShard{2}});
  out_.clear();
  answer(CommitResult::Kind::kCommitted);
  ASSERT_NE(lost(), nullptr);
  EXPECT_EQ(lost()->incarnation, 1u);
  EXPECT_EQ(lost()->unfinished.size(), 2u);
  ASSERT_TRUE(std::holds_alternative<CommitQueue::Open>(queue_.next()));
  queue_.opened(Takeover{}, out_);
  EXPECT_TRUE(queue_.is_open());
}

TEST_F(CommitQueueTest, PerformNextDrivesASession) {
  MemoryDatabase database(0);
  CommitQueue queue(0);
  std::unique_ptr<ShardStore> session;
  const MakeStore make = [&] { return std::make_unique<MemoryStore>(database); };
  std::vector<Event> out;
  EXPECT_FALSE(perform_next(queue, session, make, out));
  queue.push({0, OpenShard{1}});
  EXPECT_TRUE(perform_next(queue, session, make, out));
  auto made = write(1, Write::Class::kSubmit);
  OrderRow row;
  row.id = order(1);
  made->store.changes.emplace_back(InsertOrder{row});
  queue.push({0, std::move(made)});
  queue.push({0, LoadOrders{1, {order(1)}}});
  while (perform_next(queue, session, make, out)) {
  }
  ASSERT_EQ(out.size(), 3u);
  EXPECT_EQ(std::get<event::OrdersLoaded>(out[2]).found.size(), 1u);
  perform_probe(queue, session, out);
  EXPECT_TRUE(std::holds_alternative<event::ShardProbed>(out.back()));
  database.terminate_owner();
  perform_probe(queue, session, out);
  EXPECT_TRUE(std::holds_alternative<event::ShardLost>(out.back()));
  EXPECT_EQ(session, nullptr);
}

}  // namespace
}  // namespace ordo
