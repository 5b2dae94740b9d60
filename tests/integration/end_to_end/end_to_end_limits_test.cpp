// The same order twice, another under its id, ids of another time, and what is too large: each gets
// a clear answer.
#include <algorithm>
#include <vector>

#include "schema/limits.hpp"
#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

class Submits : public EndToEnd {};

TEST_F(Submits, OfAKnownIdAreAnsweredFromTheRecord) {
  const auto id = client->draw_id();
  ASSERT_TRUE(id);
  const auto first = client->submit({.pipeline = "one", .payload = "ok", .id = *id});
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->was_known);
  // Another client knows nothing of the first one's answer.
  const auto again = connect()->submit({.pipeline = "one", .payload = "ok", .id = *id});
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->was_known);
  EXPECT_EQ(again->id, *id);
  const auto other = client->submit({.pipeline = "one", .payload = "other", .id = *id});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::kConflict);
  // Also when the order is long over.
  const auto worker = start_worker();
  EXPECT_EQ(end_of(*id), "succeeded");
  const auto late = client->submit({.pipeline = "one", .payload = "ok", .id = *id});
  ASSERT_TRUE(late);
  EXPECT_TRUE(late->was_known);
}

TEST_F(Submits, OfOneKeyLiveInOneShard) {
  for (const std::string key : {"cart-1", "cart-2", "cart-3", "cart-4"}) {
    const auto first = client->submit({.pipeline = "one", .payload = "ok", .key = key});
    ASSERT_TRUE(first) << first.error().message;
    const auto id = connect()->draw_id(key);
    ASSERT_TRUE(id) << id.error().message;
    EXPECT_EQ(id->shard(), first->id.shard()) << key;
    const auto order = client->get(first->id);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->key, key);
  }
}

TEST_F(Submits, OfIdsOfAnotherTimeAreRefused) {
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  constexpr std::int64_t kHour = 3'600'000;
  for (const std::int64_t at : {now - 25 * kHour, now + kHour}) {
    const auto refused =
        client->submit({.pipeline = "one", .payload = "ok", .id = OrderId::make(at, 0, 1)});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().reason, "id_time") << refused.error().message;
  }
  EXPECT_TRUE(client->submit(
      {.pipeline = "one", .payload = "ok", .id = OrderId::make(now - 23 * kHour, 0, 1)}));
}

TEST_F(Submits, OfWhatDoesNotExistOrDoesNotFitAreRefusedByName) {
  const auto unknown = client->submit({.pipeline = "nothing", .payload = "ok"});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().reason, "unknown_pipeline") << unknown.error().message;
  const auto context = client->submit({.pipeline = "one", .payload = "ok", .context = "[1]"});
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().code, Code::kMalformed);
}

TEST_F(Submits, OfPayloadsUpToTheBoundArriveWhole) {
  const auto worker = start_worker();
  for (const std::size_t bytes : {std::size_t{0}, limits::kPayloadBytes}) {
    const OrderId id = submit({.pipeline = "one", .payload = std::string(bytes, 'p')});
    EXPECT_EQ(end_of(id), "succeeded");
    const auto order = client->get(id);
    ASSERT_TRUE(order) << order.error().message;
    EXPECT_EQ(order->payload.size(), bytes);
  }
  const auto refused =
      client->submit({.pipeline = "one", .payload = std::string(limits::kPayloadBytes + 1, 'p')});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().reason, "too_large") << refused.error().message;
}

TEST_F(Submits, ManyLargePayloadsPassThroughOneWorker) {
  const auto worker = start_worker();
  std::vector<client::Order> orders;
  for (int i = 0; i < 24; ++i) {
    orders.push_back({.pipeline = "diamond", .payload = std::string(limits::kPayloadBytes, 'p')});
  }
  for (const auto& answer : client->submit_batch(std::move(orders))) {
    ASSERT_TRUE(answer.receipt) << answer.receipt.error().message;
    EXPECT_EQ(end_of(answer.id), "succeeded");
  }
}

TEST_F(Submits, OfResultsUpToTheBoundAreKeptAndLargerOnesAreLeftToAnOperator) {
  const auto worker = start_worker();
  const OrderId fits =
      submit({.pipeline = "one", .payload = "big:" + std::to_string(limits::kResultBytes)});
  EXPECT_EQ(end_of(fits), "succeeded");
  const auto order = client->get(fits);
  ASSERT_TRUE(order);
  EXPECT_EQ(order->tasks.at(0).result.size(), limits::kResultBytes);
  const OrderId large =
      submit({.pipeline = "one", .payload = "big:" + std::to_string(limits::kResultBytes + 1)});
  EXPECT_EQ(end_of(large), "parked");
  const auto parked = client->get(large);
  ASSERT_TRUE(parked);
  EXPECT_TRUE(std::any_of(parked->events.begin(), parked->events.end(), [](const auto& event) {
    return event.note.find("65537 bytes") != std::string::npos;
  }));
}

TEST_F(Submits, InABatchGetAnAnswerEach) {
  std::vector<client::Order> orders;
  for (int i = 0; i < 2000; ++i) {
    orders.push_back({.pipeline = i % 100 == 0 ? "nothing" : "one", .payload = "ok"});
  }
  const auto answers = client->submit_batch(std::move(orders));
  ASSERT_EQ(answers.size(), 2000U);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].receipt.has_value(), i % 100 != 0) << i;
  }
}

}  // namespace
}  // namespace ordo::testing
