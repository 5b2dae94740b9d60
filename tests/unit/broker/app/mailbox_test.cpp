#include "broker/app/mailbox.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <thread>

namespace ordo {
namespace {

bool can_be_read(int fd, int patience_ms) {
  pollfd item{fd, POLLIN, 0};
  return ::poll(&item, 1, patience_ms) > 0;
}

std::vector<Event> one_event() {
  std::vector<Event> events;
  events.emplace_back(event::TimePassed{});
  return events;
}

TEST(Mailbox, WakesASleeperOnceAndLeavesAWorkerAlone) {
  Mailbox mailbox;
  auto events = one_event();
  mailbox.post(events);
  EXPECT_TRUE(events.empty());
  EXPECT_FALSE(can_be_read(mailbox.wake_fd(), 0)) << "nobody sleeps";
  EXPECT_FALSE(mailbox.may_sleep()) << "something waits";
  std::vector<Event> taken;
  mailbox.take(taken);
  EXPECT_EQ(taken.size(), 1u);
  ASSERT_TRUE(mailbox.may_sleep());
  events = one_event();
  mailbox.post(events);
  EXPECT_TRUE(can_be_read(mailbox.wake_fd(), 0));
  mailbox.slept();
  EXPECT_FALSE(can_be_read(mailbox.wake_fd(), 0));
  mailbox.take(taken);
  EXPECT_EQ(taken.size(), 2u);
}

TEST(Mailbox, LosesNothingBetweenThreads) {
  Mailbox mailbox;
  constexpr std::size_t kEach = 20'000;
  std::vector<std::jthread> posters;
  for (int i = 0; i < 3; ++i) {
    posters.emplace_back([&mailbox] {
      for (std::size_t n = 0; n < kEach; ++n) {
        auto events = one_event();
        mailbox.post(events);
      }
    });
  }
  std::vector<Event> taken;
  while (taken.size() < 3 * kEach) {
    mailbox.take(taken);
    if (!mailbox.may_sleep()) continue;
    const bool was_woken = taken.size() >= 3 * kEach || can_be_read(mailbox.wake_fd(), 10'000);
    mailbox.slept();
    ASSERT_TRUE(was_woken) << "a wake-up was lost";
  }
  EXPECT_EQ(taken.size(), 3 * kEach);
}

}  // namespace
}  // namespace ordo
