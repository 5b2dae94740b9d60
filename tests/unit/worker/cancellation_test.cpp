// Who waits for a cancellation in a loop of its own.
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "ordo/worker.hpp"
#include "tests/support/wait.hpp"
#include "tests/unit/worker/fake_broker.hpp"

namespace ordo {
namespace {

using std::chrono::milliseconds;
using worker::FakeBroker;

TEST(CancellationToken, WakesWhoWaitsForACancellationAndNobodyElse) {
  FakeBroker broker;
  Worker worker({.brokers = {broker.endpoint()}});
  std::promise<void> begun;
  std::atomic<int> woken{0};
  std::atomic<int> wrong{0};
  std::atomic<bool> has_ended{false};
  worker.on("work", [&](Task& task) {
    const CancellationToken token = task.cancellation();
    std::promise<void> wake;
    const auto watch = token.on_cancel([&] {
      ++woken;
      wake.set_value();
    });
    token.on_cancel([&] { ++wrong; }).reset();  // gone before
    begun.set_value();
    wake.get_future().wait();
    const auto late = token.on_cancel([&] { ++woken; });
    has_ended = true;
    return succeeded();
  });
  ASSERT_TRUE(worker.start());
  wire::Offer offer;
  offer.key.order = OrderId::make(1'700'000'000'000, 0, 1);
  offer.fence = {1, 1, 1};
  offer.pipeline = "test";
  offer.step = offer.handler = offer.queue = "work";
  offer.timeout_ms = 30'000;
  broker.offer({offer});
  begun.get_future().wait();
  EXPECT_EQ(woken, 0);
  broker.send(wire::Revokes{{{offer.key, offer.fence, "cancelled"}}});
  EXPECT_TRUE(testing::wait_until(milliseconds(10'000), [&] { return has_ended.load(); }));
  EXPECT_EQ(woken, 2) << "at once, also where it was cancelled before";
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(CancellationToken().on_cancel([] {}), nullptr);
}

}  // namespace
}  // namespace ordo
