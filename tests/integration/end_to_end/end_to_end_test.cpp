// What operators do, and what becomes of orders when workers leave.
#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

class Operations : public EndToEnd {
 protected:
  /// An order whose first step has used up its retries.
  OrderId park(const std::string& pipeline) {
    const OrderId id = submit({.pipeline = pipeline, .payload = "never"});
    EXPECT_EQ(end_of(id), "parked");
    return id;
  }
  bool has_event(const OrderId& id, const std::string& kind) {
    const auto order = client->get(id);
    if (!order) return false;
    for (const auto& event : order->events) {
      if (event.kind == kind) return true;
    }
    return false;
  }
};

TEST_F(Operations, RetryAParkedTask) {
  const auto worker = start_worker();
  const OrderId id = park("one");
  ASSERT_TRUE(client->retry({id, "work"}, operator_of_test()));
  // It goes out again, fails again, and is parked again: never dropped.
  ASSERT_TRUE(wait_until(kPatience, [&] {
    const auto order = client->get(id);
    return order && order->tasks.at(0).attempt >= 3;
  }));
  EXPECT_EQ(end_of(id), "parked");
  EXPECT_TRUE(has_event(id, "operator_retry"));
}

TEST_F(Operations, SkipAParkedTask) {
  const auto worker = start_worker();
  const OrderId id = park("diamond");
  ASSERT_TRUE(client->skip({id, "first"}, operator_of_test()));
  EXPECT_EQ(end_of(id), "succeeded");
  const auto order = client->get(id);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).state, "skipped");
  EXPECT_EQ(order->tasks.at(3).state, "succeeded");
}

TEST_F(Operations, CompleteAParkedTaskWithAResult) {
  const auto worker = start_worker();
  const OrderId id = park("diamond");
  ASSERT_TRUE(client->complete({id, "first"}, "done by hand", operator_of_test()));
  EXPECT_EQ(end_of(id), "succeeded");
  const auto order = client->get(id);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).result, "done by hand");
  EXPECT_TRUE(has_event(id, "operator_complete"));
}

TEST_F(Operations, CancelAParkedOrder) {
  const auto worker = start_worker();
  const OrderId id = park("diamond");
  ASSERT_TRUE(client->cancel(id, operator_of_test()));
  EXPECT_EQ(end_of(id), "cancelled");
}

TEST_F(Operations, AreRefusedWhereTheyDoNotFit) {
  const OrderId id = submit({.pipeline = "one", .payload = "ok"});
  const auto skipped = client->skip({id, "work"}, operator_of_test());
  ASSERT_FALSE(skipped);
  EXPECT_EQ(skipped.error().code, Code::kConflict) << skipped.error().message;
  const auto unknown_step = client->retry({id, "nothing"}, operator_of_test());
  ASSERT_FALSE(unknown_step);
  EXPECT_EQ(unknown_step.error().code, Code::kNotFound) << unknown_step.error().message;
  const auto id_of_nobody = client->draw_id();
  ASSERT_TRUE(id_of_nobody);
  const auto nobody = client->get(*id_of_nobody);
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Code::kNotFound);
}

TEST_F(Operations, PauseAndResumeAQueue) {
  const auto worker = start_worker();
  ASSERT_EQ(end_of(submit({.pipeline = "one", .payload = "ok"})), "succeeded");
  ASSERT_TRUE(client->pause("work", operator_of_test()));
  const OrderId id = submit({.pipeline = "one", .payload = "ok"});
  const OrderId other = submit({.pipeline = "diamond", .payload = "ok"});
  EXPECT_EQ(end_of(other), "succeeded") << "other queues go on";
  EXPECT_FALSE(has_begun(id, "work"));
  const auto queues = client->queues();
  ASSERT_TRUE(queues);
  for (const auto& queue : *queues) EXPECT_EQ(queue.paused, queue.queue == "work") << queue.queue;
  // A pause outlives its broker.
  broker.kill9_and_restart();
  ASSERT_TRUE(broker.wait_until_ready());
  ASSERT_EQ(end_of(submit({.pipeline = "diamond", .payload = "ok"})), "succeeded");
  EXPECT_FALSE(has_begun(id, "work"));
  ASSERT_TRUE(client->resume("work", operator_of_test()));
  EXPECT_EQ(end_of(id), "succeeded");
}

TEST_F(Operations, ListWorkersWithTheirQueuesAndSlots) {
  const auto worker = start_worker("my-worker", 3);
  ASSERT_TRUE(wait_until(kPatience, [&] {
    const auto workers = client->workers();
    return workers && workers->size() == 1 && workers->at(0).name == "my-worker";
  }));
  const auto workers = client->workers();
  ASSERT_TRUE(workers);
  EXPECT_EQ(workers->at(0).slots, 3U);
  EXPECT_THAT(workers->at(0).queues,
              ::testing::UnorderedElementsAre("work", "first", "left", "right", "last"));
}

TEST_F(Operations, AWorkerThatDrainsFinishesWhatRunsAndOthersGoOn) {
  auto leaving = start_worker("leaving", 1);
  const OrderId running = submit({.pipeline = "one", .payload = "slow"});
  ASSERT_TRUE(wait_until(kPatience, [&] { return has_begun(running, "work"); }));
  leaving->stop();
  const OrderId later = submit({.pipeline = "one", .payload = "ok"});
  const auto staying = start_worker("staying", 1);
  EXPECT_EQ(end_of(later), "succeeded");
  gate = true;
  EXPECT_EQ(leaving->wait(), 0);
  EXPECT_EQ(end_of(running), "succeeded");
  const auto order = client->get(running);
  ASSERT_TRUE(order);
  ASSERT_FALSE(order->events.empty());
  EXPECT_EQ(order->events.back().worker, "leaving");
  EXPECT_EQ(order->tasks.at(0).attempt, 1U) << "nothing was done twice";
}

TEST_F(Operations, ABrokerDrainsOnSigtermAndTheNextGoesOn) {
  const auto worker = start_worker();
  const OrderId running = submit({.pipeline = "one", .payload = "slow"});
  ASSERT_TRUE(wait_until(kPatience, [&] { return has_begun(running, "work"); }));
  broker.process().signal(SIGTERM);
  const auto code = broker.process().wait(20s);
  ASSERT_TRUE(code) << broker.log();
  EXPECT_EQ(*code, 0) << broker.log();
  broker.kill9_and_restart();
  ASSERT_TRUE(broker.wait_until_ready()) << broker.log();
  gate = true;
  EXPECT_EQ(end_of(running), "succeeded");
  const auto order = client->get(running);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).attempt, 1U) << "what runs is adopted, not begun again";
}

}  // namespace
}  // namespace ordo::testing
