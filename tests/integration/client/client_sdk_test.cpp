// The SDK against a broker with real sockets: what callers see when things go well and when not.
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <thread>

#include "ordo/client.hpp"
#include "tests/integration/client/fake_broker.hpp"

namespace ordo::client {
namespace {

using test::FakeBroker;
using test::ok;

Options options_for(const FakeBroker& broker) {
  Options options;
  options.endpoints = {broker.endpoint()};
  options.name = "test";
  return options;
}

Order order_with(std::string payload) {
  Order order;
  order.pipeline = "one";
  order.payload = std::move(payload);
  return order;
}

TEST(ClientSdk, SubmitsAndReadsBack) {
  FakeBroker broker;
  Client client(options_for(broker));
  const auto receipt = client.submit(order_with("hello"));
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_TRUE(receipt->id.is_valid());
  EXPECT_FALSE(receipt->was_known);
  const auto view = client.get(receipt->id);
  ASSERT_TRUE(view) << view.error().message;
  EXPECT_EQ(view->payload, "hello");
  EXPECT_EQ(view->tasks.at(0).step, "only");
}

TEST(ClientSdk, KnowsTheSecondSubmitOfAnId) {
  FakeBroker broker;
  Client client(options_for(broker));
  Order order = order_with("x");
  order.id = client.draw_id().value();
  EXPECT_FALSE(client.submit(order).value().was_known);
  EXPECT_TRUE(client.submit(order).value().was_known);
  EXPECT_EQ(broker.orders.load(), 1U);
}

TEST(ClientSdk, CarriesManyThreadsOverOneConnection) {
  FakeBroker broker;
  Client client(options_for(broker));
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) good += client.submit(order_with("x")).has_value() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 800);
  EXPECT_EQ(broker.orders.load(), 800U);
  EXPECT_EQ(broker.hellos.load(), 1U);
}

TEST(ClientSdk, MatchesAnswersThatComeOutOfOrder) {
  FakeBroker broker([](const wire::OrderRequest& order, int) -> std::optional<wire::Answer> {
    if (order.payload != "bad") return ok(order.request);
    return wire::to_answer(order.request, {Code::kMalformed, "unknown_pipeline", "no", {}});
  });
  broker.answers_backwards = true;
  Client client(options_for(broker));
  std::vector<Order> orders;
  for (int i = 0; i < 1000; ++i) orders.push_back(order_with(i % 7 == 0 ? "bad" : "good"));
  const auto answers = client.submit_batch(std::move(orders));
  ASSERT_EQ(answers.size(), 1000U);
  std::set<OrderId> ids;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].receipt.has_value(), i % 7 != 0) << i;
    ids.insert(answers[i].id);
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(ClientSdk, SurvivesABrokersRestartWithoutDoublingOrLosing) {
  FakeBroker broker;
  Client client(options_for(broker));
  ASSERT_TRUE(client.ready(milliseconds{5'000}));
  std::vector<std::future<Submitted>> answers;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 300; ++i) answers.push_back(client.submit_async(order_with("x")));
    broker.stop();
    for (int i = 0; i < 300; ++i) answers.push_back(client.submit_async(order_with("x")));
    broker.start();
  }
  std::set<OrderId> ids;
  for (auto& answer : answers) {
    const Submitted submitted = answer.get();
    ASSERT_TRUE(submitted.receipt) << submitted.receipt.error().message;
    ids.insert(submitted.id);
  }
  EXPECT_EQ(ids.size(), answers.size());
  EXPECT_EQ(broker.orders.load(), answers.size());
}

TEST(ClientSdk, AsksAgainUnderTheSameIdAfterUnknown) {
  FakeBroker broker([](const wire::OrderRequest& order, int times) -> std::optional<wire::Answer> {
    if (times == 2) return ok(order.request);
    return wire::to_answer(order.request, {Code::kUnknown, "in_doubt", "?", {}});
  });
  Client client(options_for(broker));
  ASSERT_TRUE(client.submit(order_with("x")));
  EXPECT_EQ(broker.submits.load(), 3U);
  EXPECT_EQ(broker.orders.load(), 1U);
}

TEST(ClientSdk, WaitsAsLongAsBusySays) {
  FakeBroker broker([](const wire::OrderRequest& order, int times) -> std::optional<wire::Answer> {
    if (times == 1) return ok(order.request);
    return wire::to_answer(order.request, {Code::kBusy, "inbox_full", "later", milliseconds{150}});
  });
  Client client(options_for(broker));
  const auto start = std::chrono::steady_clock::now();
  ASSERT_TRUE(client.submit(order_with("x")));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds{150});
  const auto refused = client.submit(order_with("x"), {.timeout = {}, .retries_busy = false});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  EXPECT_EQ(refused.error().retry_after, milliseconds{150});
}

TEST(ClientSdk, SaysUnknownWhenNoAnswerComes) {
  FakeBroker broker([](const wire::OrderRequest&, int) { return std::nullopt; });
  Client client(options_for(broker));
  const auto answer = client.submit_async(order_with("x"), {.timeout = milliseconds{200}}).get();
  ASSERT_FALSE(answer.receipt);
  EXPECT_EQ(answer.receipt.error().code, Code::kUnknown);
  EXPECT_TRUE(answer.id.is_valid());
}

TEST(ClientSdk, SaysUnreachableWhenNobodyListens) {
  Options options;
  options.endpoints = {"127.0.0.1:1"};
  options.timeout = milliseconds{200};
  Client client(options);
  const auto answer = client.submit(order_with("x"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_EQ(answer.error().reason, "not_connected");
  EXPECT_EQ(client.ready(milliseconds{50}).error().reason, "not_connected");
}

TEST(ClientSdk, NamesAnEndpointThatIsNone) {
  Options options;
  options.endpoints = {"tcp://no port"};
  Client client(options);
  const auto answer = client.submit(order_with("x"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason, "bad_endpoint");
  EXPECT_EQ(client.ready(milliseconds{5'000}).error().reason, "bad_endpoint");
}

TEST(ClientSdk, AnswersEverythingWhenItIsClosed) {
  FakeBroker broker([](const wire::OrderRequest&, int) { return std::nullopt; });
  std::vector<std::future<Submitted>> answers;
  {
    Client client(options_for(broker));
    for (int i = 0; i < 100; ++i) answers.push_back(client.submit_async(order_with("x")));
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get().receipt.error().reason, "closed");
}

TEST(ClientSdk, RefusesAtItsBoundWithAClearBusy) {
  FakeBroker broker([](const wire::OrderRequest&, int) { return std::nullopt; });
  Options options = options_for(broker);
  options.max_in_flight = 10;
  Client client(options);
  std::vector<std::future<Submitted>> answers;
  for (int i = 0; i < 10; ++i) {
    answers.push_back(client.submit_async(order_with("x"), {.timeout = milliseconds{300}}));
  }
  EXPECT_EQ(client.submit_async(order_with("x")).get().receipt.error().reason, "client_full");
  for (auto& answer : answers) EXPECT_EQ(answer.get().receipt.error().code, Code::kUnknown);
  EXPECT_EQ(client.in_flight(), 0U);
}

TEST(ClientSdk, BatchesMoreThanItsBound) {
  FakeBroker broker;
  Options options = options_for(broker);
  options.max_in_flight = 100;
  Client client(options);
  std::vector<Order> orders(1000, order_with("x"));
  for (const Submitted& one : client.submit_batch(std::move(orders))) EXPECT_TRUE(one.receipt);
  EXPECT_EQ(broker.orders.load(), 1000U);
}

TEST(ClientSdk, WaitsForTheEndOrAStepOrGivesUp) {
  FakeBroker broker;
  Client client(options_for(broker));
  WaitOptions until;
  const auto ended = client.submit_and_wait(order_with("x"), until);
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->status, "succeeded");
  until.until = Until::kStep;
  until.step = "only";
  EXPECT_EQ(client.submit_and_wait(order_with("x"), until)->result, "42");
  until.timeout = milliseconds{100};
  until.on_timeout = OnTimeout::kCancel;
  const auto late = client.submit_and_wait(order_with("slow"), until);
  ASSERT_TRUE(late) << late.error().message;
  EXPECT_TRUE(late->timed_out);
  EXPECT_TRUE(late->was_cancelled);
}

TEST(ClientSdk, WatchesAnOrderToItsEnd) {
  FakeBroker broker;
  Client client(options_for(broker));
  const OrderId id = client.submit(order_with("x"))->id;
  Watch watch = client.watch(id, 2);
  const auto page = watch.next(milliseconds{5'000});
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->events.at(0).seq, 3);
  EXPECT_TRUE(page->is_last);
  EXPECT_EQ(watch.next(milliseconds{10}).error().reason, "watch_ended");
  Watch idle = client.watch(id, 0);
  EXPECT_TRUE(idle.next(milliseconds{5'000}));
  EXPECT_EQ(idle.next(milliseconds{10}).error().reason, "wait_timeout");
}

TEST(ClientSdk, MergesTheShardsOfAList) {
  FakeBroker broker;
  Client client(options_for(broker));
  std::set<OrderId> ids;
  for (int i = 0; i < 25; ++i) ids.insert(client.submit(order_with("x"))->id);
  std::vector<OrderId> listed;
  Query query;
  query.limit = 10;
  for (;;) {
    const auto page = client.list(query);
    ASSERT_TRUE(page) << page.error().message;
    for (const OrderView& order : page->orders) listed.push_back(order.id);
    if (page->is_last) break;
    query.after = page->after;
  }
  EXPECT_EQ(listed, std::vector<OrderId>(ids.begin(), ids.end()));
}

TEST(ClientSdk, TellsNotFoundFromUnreachable) {
  FakeBroker broker;
  Client client(options_for(broker));
  const OrderId stranger = client.draw_id().value();
  EXPECT_EQ(client.get(stranger).error().code, Code::kNotFound);
  EXPECT_EQ(client.cancel(stranger, {"me", "test"}).error().code, Code::kNotFound);
}

TEST(ClientSdk, RefusesToWaitInsideACallback) {
  FakeBroker broker;
  Client client(options_for(broker));
  std::promise<std::string> reason;
  client.submit_async(order_with("x"), [&](const Submitted& submitted) {
    reason.set_value(client.get(submitted.id).error().reason);
  });
  EXPECT_EQ(reason.get_future().get(), "in_callback");
}

}  // namespace
}  // namespace ordo::client
