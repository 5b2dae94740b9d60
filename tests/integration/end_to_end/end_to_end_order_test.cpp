// The life of an order as its client sees it.
#include <algorithm>

#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

class Orders : public EndToEnd {};

TEST_F(Orders, AreShownAsTheyWereSubmittedAndAsTheyEnded) {
  const auto worker = start_worker();
  const OrderId id = submit({.pipeline = "diamond",
                             .payload = "ok",
                             .priority = 3,
                             .customer = "c7",
                             .labels = R"({"shop":"north"})",
                             .context = R"({"cart":1})"});
  EXPECT_EQ(end_of(id), "succeeded");
  const auto order = client->get(id);
  ASSERT_TRUE(order) << order.error().message;
  EXPECT_EQ(order->pipeline, "diamond");
  EXPECT_EQ(order->version, 1U);
  EXPECT_EQ(order->priority, 3);
  EXPECT_EQ(order->customer, "c7");
  EXPECT_EQ(order->payload, "ok");
  EXPECT_EQ(order->labels, R"({"shop":"north"})");
  ASSERT_EQ(order->tasks.size(), 4U);
  for (const auto& task : order->tasks) {
    EXPECT_EQ(task.state, "succeeded") << task.step;
    EXPECT_EQ(task.result, task.step + " done");
  }
  EXPECT_EQ(std::count_if(order->events.begin(), order->events.end(),
                          [](const auto& event) { return event.kind == "succeeded"; }),
            4);
}

TEST_F(Orders, OpenAStepOnceAllBeforeItAreDone) {
  const auto worker = start_worker();
  const OrderId id = submit({.pipeline = "diamond", .payload = "once"});
  EXPECT_EQ(end_of(id), "succeeded");
  EXPECT_TRUE(has_begun(id, "last"));
  const std::string of = id.to_string() + "/";
  ASSERT_EQ(order_of_begin.size(), 5U);
  EXPECT_EQ(order_of_begin[0], of + "first");
  EXPECT_EQ(order_of_begin[1], of + "first");  // the retry
  EXPECT_EQ(order_of_begin.back(), of + "last");
}

TEST_F(Orders, AreWaitedForUntilAStepOrTheEnd) {
  const auto worker = start_worker();
  const auto step = client->submit_and_wait(
      {.pipeline = "diamond", .payload = "ok"},
      {.until = client::Until::kStep, .step = "left", .timeout = kPatience});
  ASSERT_TRUE(step) << step.error().message;
  EXPECT_FALSE(step->timed_out);
  EXPECT_EQ(step->step_state, "succeeded");
  EXPECT_EQ(step->result, "left done");
  const auto end =
      client->submit_and_wait({.pipeline = "one", .payload = "ok"}, {.timeout = kPatience});
  ASSERT_TRUE(end);
  EXPECT_EQ(end->status, "succeeded");
  const auto durable = client->submit_and_wait({.pipeline = "one", .payload = "ok"},
                                               {.until = client::Until::kDurable});
  ASSERT_TRUE(durable);
  EXPECT_EQ(durable->status, "");
}

TEST_F(Orders, ThatTakeTooLongAreKeptOrCancelledAsTheWaiterSaid) {
  const auto worker = start_worker();
  const auto kept =
      client->submit_and_wait({.pipeline = "one", .payload = "slow"}, {.timeout = 300ms});
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_TRUE(kept->timed_out);
  EXPECT_FALSE(kept->was_cancelled);
  EXPECT_EQ(status_of(kept->id), "running");
  const auto dropped =
      client->submit_and_wait({.pipeline = "one", .payload = "slow"},
                              {.timeout = 300ms, .on_timeout = client::OnTimeout::kCancel});
  ASSERT_TRUE(dropped) << dropped.error().message;
  EXPECT_TRUE(dropped->was_cancelled);
  EXPECT_EQ(end_of(dropped->id), "cancelled");
  gate = true;
  EXPECT_EQ(end_of(kept->id), "succeeded");
}

TEST_F(Orders, AreWatchedFromTheFirstEventToTheLast) {
  const OrderId id = submit({.pipeline = "diamond", .payload = "once"});
  client::Watch watch = client->watch(id);
  const auto worker = start_worker();
  std::vector<std::string> kinds;
  std::vector<std::int64_t> seqs;
  std::string status;
  wait_until(kPatience, [&] {
    const auto page = watch.next(1s);
    if (!page) return page.error().reason != "wait_timeout";
    for (const auto& event : page->events) {
      kinds.push_back(event.kind);
      seqs.push_back(event.seq);
    }
    status = page->status;
    return page->is_last;
  });
  EXPECT_EQ(status, "succeeded");
  EXPECT_THAT(kinds, ::testing::ElementsAre("attempt_failed", "succeeded", "succeeded", "succeeded",
                                            "succeeded"));
  EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
  EXPECT_EQ(std::adjacent_find(seqs.begin(), seqs.end()), seqs.end());
  // The same again from the middle: what was seen does not come twice.
  client::Watch rest = client->watch(id, seqs.at(2));
  const auto page = rest.next(kPatience);
  ASSERT_TRUE(page) << page.error().message;
  ASSERT_FALSE(page->events.empty());
  EXPECT_EQ(page->events.front().seq, seqs.at(3));
}

TEST_F(Orders, AreListedByCustomerByOpenAndByParkedInPages) {
  std::vector<std::string> mine;
  for (int i = 0; i < 25; ++i) {
    mine.push_back(submit({.pipeline = "one", .payload = "ok", .customer = "c1"}).to_string());
    submit({.pipeline = "one", .payload = "never", .customer = "c2"});
  }
  std::vector<std::string> listed;
  client::Query query{.which = client::Which::kOfCustomer, .customer = "c1", .limit = 10};
  for (bool is_last = false; !is_last;) {
    const auto page = client->list(query);
    ASSERT_TRUE(page) << page.error().message;
    ASSERT_LE(page->orders.size(), 10U);
    for (const auto& order : page->orders) listed.push_back(order.id.to_string());
    query.after = page->after;
    is_last = page->is_last;
    ASSERT_LE(listed.size(), mine.size());
  }
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(mine));

  const auto open = client->list({.which = client::Which::kOpen, .limit = 1000});
  ASSERT_TRUE(open) << open.error().message;
  EXPECT_EQ(open->orders.size(), 50U);

  const auto worker = start_worker();
  ASSERT_TRUE(wait_until(kPatience, [&] {
    const auto parked = client->list({.which = client::Which::kParked, .limit = 1000});
    return parked && parked->orders.size() == 25;
  }));
  for (const std::string& id : mine) EXPECT_EQ(end_of(*OrderId::parse(id)), "succeeded");
}

TEST_F(Orders, FailForGoodWithTheirReason) {
  const auto worker = start_worker();
  const OrderId id = submit({.pipeline = "diamond", .payload = "no"});
  EXPECT_EQ(end_of(id), "failed");
  const auto order = client->get(id);
  ASSERT_TRUE(order);
  const auto failed = std::find_if(order->events.begin(), order->events.end(),
                                   [](const auto& event) { return event.kind == "failed"; });
  ASSERT_NE(failed, order->events.end());
  EXPECT_THAT(failed->note, ::testing::HasSubstr("refused"));
  EXPECT_THAT(failed->note, ::testing::HasSubstr("it says no"));
  EXPECT_FALSE(has_begun(id, "left"));
}

TEST_F(Orders, ThatAreDelayedStartNoEarlier) {
  const auto worker = start_worker();
  const auto before = std::chrono::steady_clock::now();
  const OrderId id = submit({.pipeline = "one", .payload = "ok", .delay = 1500ms});
  const auto order = client->get(id);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).state, "scheduled");
  EXPECT_GT(order->tasks.at(0).run_in_ms, 0);
  EXPECT_EQ(end_of(id), "succeeded");
  EXPECT_GE(std::chrono::steady_clock::now() - before, 1400ms);
}

TEST_F(Orders, ThatMissTheirDeadlineFailAndTheirHandlersAreTold) {
  const auto worker = start_worker();
  const OrderId running = submit({.pipeline = "one", .payload = "slow", .deadline = 1s});
  const OrderId waiting =
      submit({.pipeline = "one", .payload = "ok", .delay = 3600s, .deadline = 1s});
  EXPECT_EQ(end_of(running), "failed");
  EXPECT_EQ(end_of(waiting), "failed");
  const auto order = client->get(running);
  ASSERT_TRUE(order);
  EXPECT_TRUE(std::any_of(order->events.begin(), order->events.end(),
                          [](const auto& event) { return event.kind == "deadline_missed"; }));
  ASSERT_TRUE(wait_until(kPatience, [&] { return worker->stats().ended >= 1; }));
}

TEST_F(Orders, OfHigherPriorityGoFirst) {
  // More than a worker takes, all waiting before it comes.
  std::vector<OrderId> low;
  std::vector<OrderId> high;
  for (int i = 0; i < 40; ++i)
    low.push_back(submit({.pipeline = "one", .payload = "ok", .priority = 9}));
  for (int i = 0; i < 40; ++i)
    high.push_back(submit({.pipeline = "one", .payload = "ok", .priority = 0}));
  const auto worker = start_worker("w", 1);
  for (const OrderId& id : low) EXPECT_EQ(end_of(id), "succeeded");
  for (const OrderId& id : high) EXPECT_EQ(end_of(id), "succeeded");
  EXPECT_TRUE(has_begun(low.back(), "work"));
  const auto place_sum = [&](const std::vector<OrderId>& ids) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < order_of_begin.size(); ++i) {
      for (const OrderId& id : ids) sum += order_of_begin[i] == id.to_string() + "/work" ? i : 0;
    }
    return sum;
  };
  // Weighted shares, nobody starves: on average the urgent ones stand far before the others.
  EXPECT_LT(place_sum(high) * 3, place_sum(low) * 2);
}

TEST_F(Orders, AreCancelledWaitingAndRunning) {
  const OrderId waiting = submit({.pipeline = "one", .payload = "ok"});
  ASSERT_TRUE(client->cancel(waiting, operator_of_test()));
  EXPECT_EQ(end_of(waiting), "cancelled");
  const auto worker = start_worker();
  const OrderId running = submit({.pipeline = "diamond", .payload = "slow"});
  ASSERT_TRUE(wait_until(kPatience, [&] { return has_begun(running, "first"); }));
  ASSERT_TRUE(client->cancel(running, operator_of_test()));
  EXPECT_EQ(end_of(running), "cancelled");
  EXPECT_FALSE(has_begun(running, "left"));
  EXPECT_FALSE(has_begun(waiting, "work"));
  const auto order = client->get(running);
  ASSERT_TRUE(order);
  const auto asked =
      std::find_if(order->events.begin(), order->events.end(),
                   [](const auto& event) { return event.kind == "cancel_requested"; });
  ASSERT_NE(asked, order->events.end());
  EXPECT_THAT(asked->note, ::testing::HasSubstr("because the test says so"));
  // The answer to a cancel may be lost: asked again, it is the same. What ended otherwise stays.
  EXPECT_TRUE(client->cancel(running, operator_of_test()));
  const OrderId done = submit({.pipeline = "one", .payload = "ok"});
  EXPECT_EQ(end_of(done), "succeeded");
  const auto late = client->cancel(done, operator_of_test());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kConflict);
}

TEST_F(Orders, ExplainWhyTheyDoNotMove) {
  const OrderId id = submit({.pipeline = "one", .payload = "ok"});
  const auto why = client->explain(id);
  ASSERT_TRUE(why) << why.error().message;
  EXPECT_FALSE(why->sentence.empty());
  EXPECT_FALSE(why->facts.empty());
}

}  // namespace
}  // namespace ordo::testing
