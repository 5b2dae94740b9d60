#include "broker/app/store_thread.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "base/clock.hpp"
#include "broker/store/memory_store.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

class StoreThreadTest : public ::testing::Test {
 protected:
  StoreThreadTest() : cells_(book_, 0) {
    thread_.emplace(
        0,
        [this] {
          database_.set_now(wall_now());
          return std::make_unique<MeasuredStore>(std::make_unique<MemoryStore>(database_), cells_,
                                                 nullptr);
        },
        cells_, mailbox_);
  }

  void push(StoreOperation operation) {
    std::vector<StoreOperation> operations;
    operations.push_back(std::move(operation));
    thread_->push(operations);
  }
  void push_write(std::uint64_t number) {
    auto write = std::make_unique<Write>();
    write->number = number;
    QueueSetting setting;
    setting.queue = "q";
    write->store.changes.emplace_back(PutQueueSetting{setting});
    push({0, std::move(write)});
  }

  /// The next events, waiting for them as the loop does.
  std::vector<Event> events() {
    std::vector<Event> taken;
    while (taken.empty()) {
      mailbox_.take(taken);
      if (!taken.empty() || !mailbox_.may_sleep()) continue;
      pollfd item{mailbox_.wake_fd(), POLLIN, 0};
      const int ready = ::poll(&item, 1, 10'000);
      mailbox_.slept();
      if (ready <= 0) break;
    }
    return taken;
  }

  MetricBook book_;
  StoreMetrics cells_;
  Mailbox mailbox_;
  MemoryDatabase database_{0};
  std::optional<StoreThread> thread_;
};

TEST_F(StoreThreadTest, OpensCommitsAndTellsTheOutcomes) {
  push({0, OpenShard{1}});
  auto opened = events();
  ASSERT_EQ(opened.size(), 1u);
  EXPECT_EQ(std::get<event::ShardOpened>(opened[0]).takeover.epoch, 1u);
  for (std::uint64_t i = 1; i <= 100; ++i) push_write(i);
  std::uint64_t next = 1;
  while (next <= 100) {
    for (auto& event : events()) {
      for (auto& item : std::get<event::WritesDone>(event).items) {
        EXPECT_EQ(item.write->number, next++);
        EXPECT_EQ(item.outcome, event::WritesDone::Outcome::kDurable);
      }
    }
  }
}

TEST_F(StoreThreadTest, ProvesOwnershipWhileIdleAndTellsALoss) {
  push({0, OpenShard{1}});
  ASSERT_EQ(events().size(), 1u);
  const auto probed = events();
  ASSERT_EQ(probed.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<event::ShardProbed>(probed[0]));
  push({0, OpenShard{2}});
  ASSERT_TRUE(std::holds_alternative<event::ShardOpened>(events().at(0)));
}

TEST_F(StoreThreadTest, EndsWhileOperationsWait) {
  push({0, OpenShard{1}});
  for (std::uint64_t i = 1; i <= 1000; ++i) push_write(i);
  thread_->stop();
  thread_.reset();
}

}  // namespace
}  // namespace ordo
