#include "client/core/client_core.hpp"

#include <set>

#include "tests/unit/client/rig.hpp"

namespace ordo::client {
namespace {

Error busy(Millis after) { return {Code::kBusy, "inbox_full", "later", after}; }

TEST(ClientCore, DialsEveryEndpointOnItsFirstTick) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.tick();
  ASSERT_EQ(rig.effects.opens.size(), 2U);
  EXPECT_EQ(rig.effects.opens[1].endpoint, "tcp://b");
  rig.tick();
  EXPECT_TRUE(rig.effects.opens.empty());
}

TEST(ClientCore, HoldsRequestsUntilABrokerWelcomesIt) {
  Rig rig;
  rig.submit(1);
  rig.tick();
  EXPECT_TRUE(rig.orders().empty());
  rig.connect(0);
  ASSERT_EQ(rig.orders().size(), 1U);
  EXPECT_TRUE(rig.orders()[0].id.is_valid());
  EXPECT_EQ(rig.orders()[0].id.unix_ms(), to_ms(rig.now.wall));
}

TEST(ClientCore, PutsAllThatWaitsIntoOneFrame) {
  Rig rig;
  rig.connect(0);
  for (Token token = 1; token <= 500; ++token) rig.submit(token);
  rig.tick();
  ASSERT_EQ(rig.sent<wire::Submit>().size(), 1U);
  EXPECT_EQ(rig.orders().size(), 500U);
}

TEST(ClientCore, CutsFramesAtItemsAndBytes) {
  Rig rig;
  rig.connect(0);
  for (Token token = 1; token <= limits::kFrameItems + 1; ++token) rig.submit(token);
  rig.tick();
  EXPECT_EQ(rig.sent<wire::Submit>().size(), 2U);
  for (Token token = 1; token <= 10; ++token) {
    wire::OrderRequest order;
    order.pipeline = "p";
    order.payload.assign(100'000, 'x');
    rig.submit(10'000 + token, Seconds{10}, order);
  }
  rig.tick();
  EXPECT_EQ(rig.sent<wire::Submit>().size(), 5U);  // two of them fit below 256 KiB
}

TEST(ClientCore, AnswersEachAskOnceWithItsOwnAnswerInAnyOrder) {
  Rig rig;
  rig.connect(0);
  for (Token token = 1; token <= 3; ++token) rig.submit(token);
  rig.tick();
  const auto orders = rig.orders();
  rig.effects.clear();
  rig.answer(0, ok(orders[2].request));
  rig.answer(0, ok(orders[0].request, "duplicate"));
  rig.answer(0, ok(orders[0].request));
  rig.refuse(0, orders[1].request, {Code::kConflict, "submit_hash", "other payload", {}});
  ASSERT_EQ(rig.effects.dones.size(), 3U);
  EXPECT_EQ(rig.effects.dones[0].token, 3U);
  EXPECT_EQ(rig.effects.dones[0].id, orders[2].id);
  EXPECT_FALSE(rig.effects.dones[0].was_known);
  EXPECT_TRUE(rig.effects.dones[1].was_known);
  EXPECT_EQ(rig.effects.dones[2].error->code, Code::kConflict);
  EXPECT_EQ(rig.core.in_flight(), 0U);
  EXPECT_EQ(rig.core.bytes_in_flight(), 0U);
}

TEST(ClientCore, ComesBackAfterBusyNoEarlierThanItWasTold) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  const auto first = rig.orders()[0];
  rig.refuse(0, first.request, busy(Millis{400}));
  rig.pass(Millis{399});
  EXPECT_TRUE(rig.orders().empty());
  rig.pass(Millis{220});  // jitter stretches by at most a half
  ASSERT_EQ(rig.orders().size(), 1U);
  EXPECT_EQ(rig.orders()[0].id, first.id);
  EXPECT_NE(rig.orders()[0].request, first.request);
}

TEST(ClientCore, HandsTheFirstBusyToCallersWhoAskedForThat) {
  Rig rig;
  rig.connect(0);
  rig.retries_busy = false;
  rig.submit(1);
  rig.tick();
  rig.refuse(0, rig.orders()[0].request, busy(Millis{400}));
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kBusy);
  EXPECT_EQ(rig.effects.dones[0].error->retry_after, Millis{400});
}

TEST(ClientCore, SaysBusyAtOnceWhereTheWaitIsLongerThanTheCallersPatience) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Millis{100});
  rig.tick();
  rig.refuse(0, rig.orders()[0].request, busy(Millis{400}));
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kBusy);
}

TEST(ClientCore, TakesBusyOnARetryForNoRejection) {
  Rig rig;
  rig.connect(0);
  rig.retries_busy = false;
  rig.submit(1, Seconds{2});
  rig.tick();
  const auto first = rig.orders()[0];
  rig.refuse(0, first.request, {Code::kUnknown, "in_doubt", "the commit is in doubt", {}});
  rig.pass(Millis{40});
  ASSERT_EQ(rig.orders().size(), 1U);
  EXPECT_EQ(rig.orders()[0].id, first.id);
  rig.refuse(0, rig.orders()[0].request, busy(Millis{10}));
  EXPECT_TRUE(rig.effects.dones.empty());
  rig.effects.clear();
  rig.live(Seconds{3});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kUnknown);
  EXPECT_EQ(rig.effects.dones[0].id, first.id);
}

TEST(ClientCore, SaysNothingWasSentWhereNothingWasSent) {
  Rig rig;
  rig.tick();
  rig.effects.clear();
  rig.submit(1, Seconds{1});
  rig.live(Millis{1100});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kUnavailable);
  EXPECT_EQ(rig.effects.dones[0].error->reason, "not_connected");
  EXPECT_NE(rig.effects.dones[0].error->message.find("tcp://a"), std::string::npos);
}

TEST(ClientCore, SaysUnknownWhereAnAttemptGotNoAnswer) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Seconds{1});
  rig.tick();
  const OrderId id = rig.orders()[0].id;
  rig.effects.clear();
  rig.live(Millis{1100});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kUnknown);
  EXPECT_EQ(rig.effects.dones[0].id, id);
  EXPECT_NE(rig.effects.dones[0].error->message.find(id.to_string()), std::string::npos);
}

TEST(ClientCore, AnswersWithinABucketOfTheDeadline) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Millis{500});
  rig.tick();
  rig.pass(Millis{499});
  EXPECT_TRUE(rig.effects.dones.empty());
  rig.pass(Millis{17});
  EXPECT_EQ(rig.effects.dones.size(), 1U);
}

TEST(ClientCore, AsksAgainWhenAHealthyBrokerDoesNotAnswer) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Seconds{20});
  rig.tick();
  const auto first = rig.orders()[0];
  rig.effects.clear();
  rig.live(Millis{5'100});
  ASSERT_EQ(rig.orders().size(), 1U);
  EXPECT_EQ(rig.orders()[0].id, first.id);
}

TEST(ClientCore, IgnoresALateRefusalOfAnEarlierAttempt) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Seconds{20});
  rig.tick();
  const auto first = rig.orders()[0];
  rig.effects.clear();
  rig.live(Millis{5'100});
  const auto second = rig.orders()[0];
  rig.effects.clear();
  rig.refuse(0, first.request, busy(Millis{10}));
  rig.pass(Millis{100});
  EXPECT_TRUE(rig.orders().empty());  // the second attempt is still under way
  rig.answer(0, ok(second.request));
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_FALSE(rig.effects.dones[0].error);
}

TEST(ClientCore, RefusesWhatIsOutOfBoundsWithoutSendingIt) {
  Rig rig;
  rig.connect(0);
  wire::OrderRequest order;
  order.pipeline = "p";
  order.payload.assign(limits::kPayloadBytes + 1, 'x');
  rig.submit(1, Seconds{1}, order);
  order.payload.clear();
  order.priority = 10;
  rig.submit(2, Seconds{1}, order);
  rig.core.step(rig.now, Tick{}, rig.effects);
  ASSERT_EQ(rig.effects.dones.size(), 2U);
  EXPECT_EQ(rig.effects.dones[0].error->reason, "too_large");
  EXPECT_EQ(rig.effects.dones[1].error->code, Code::kMalformed);
  EXPECT_TRUE(rig.orders().empty());
}

TEST(ClientCore, RefusesRequestsPastItsBounds) {
  Rig rig({.endpoints = {"tcp://a"}, .max_in_flight = 2});
  for (Token token = 1; token <= 3; ++token) rig.submit(token);
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].token, 3U);
  EXPECT_EQ(rig.effects.dones[0].error->reason, "client_full");
}

TEST(ClientCore, DrawsShardsByWeightAndSparesThoseOfWeightZero) {
  Rig rig;
  rig.connect(0, {{0, 3, ""}, {1, 1, ""}, {2, 0, ""}});
  for (Token token = 1; token <= 4000; ++token) rig.submit(token);
  rig.tick();
  std::array<int, 3> counts{};
  std::set<OrderId> ids;
  for (const auto& order : rig.orders()) {
    ++counts.at(order.id.shard());
    ids.insert(order.id);
  }
  EXPECT_EQ(ids.size(), 4000U);
  EXPECT_NEAR(counts[0], 3000, 150);
  EXPECT_NEAR(counts[1], 1000, 150);
  EXPECT_EQ(counts[2], 0);
}

TEST(ClientCore, DrawsAKeysIdForTheSameShardEveryTime) {
  Rig rig;
  rig.connect(0);
  wire::OrderRequest order;
  order.pipeline = "p";
  order.key = "cart-17";
  for (Token token = 1; token <= 50; ++token) rig.submit(token, Seconds{10}, order);
  rig.tick();
  std::set<unsigned> shards;
  for (const auto& sent : rig.orders()) shards.insert(sent.id.shard());
  EXPECT_EQ(shards.size(), 1U);
}

TEST(ClientCore, TellsToSetTheClockWhenAnIdsTimeIsRefused) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  rig.refuse(0, rig.orders()[0].request, {Code::kMalformed, "id_time", "the id is too old", {}});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_NE(rig.effects.dones[0].error->message.find("clock"), std::string::npos);
}

TEST(ClientCore, ClosesWithAnAnswerForEverything) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  rig.submit(2);
  rig.effects.clear();
  rig.tell(Close{});
  ASSERT_EQ(rig.effects.dones.size(), 2U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kUnknown);      // was sent
  EXPECT_EQ(rig.effects.dones[1].error->code, Code::kUnavailable);  // was not
  EXPECT_EQ(rig.effects.dones[1].error->reason, "closed");
}

TEST(ClientCore, RepeatsReadsButNeverAnOperatorsVerb) {
  Rig rig;
  rig.connect(0);
  const OrderId id = OrderId::make(to_ms(rig.now.wall), 0, 7);
  rig.ask(1, wire::Get{0, id});
  wire::Operate verb;
  verb.id = id;
  verb.step = "s";
  rig.ask(2, verb);
  rig.tick();
  EXPECT_EQ(rig.sent<wire::Get>().size(), 1U);
  EXPECT_EQ(rig.sent<wire::Operate>().size(), 1U);
  rig.effects.clear();
  rig.tell(LinkDown{0});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].token, 2U);
  EXPECT_EQ(rig.effects.dones[0].error->code, Code::kUnknown);
  rig.connect(0);
  EXPECT_EQ(rig.sent<wire::Get>().size(), 1U);
  EXPECT_TRUE(rig.sent<wire::Operate>().empty());
}

wire::Answer page(std::uint64_t request, std::vector<std::int64_t> seqs, bool is_last) {
  wire::EventPage words;
  for (const std::int64_t seq : seqs) words.events.emplace_back().seq = seq;
  words.is_last = is_last;
  wire::Answer answer = ok(request);
  answer.body = wire::encode_body(words);
  return answer;
}

TEST(ClientCore, ResumesAWatchBehindTheLastEventItGot) {
  Rig rig;
  rig.connect(0);
  const OrderId id = OrderId::make(to_ms(rig.now.wall), 0, 7);
  rig.tell(Ask{1, wire::Watch{0, id, 0}, Steady::max(), true});
  rig.tick();
  const auto first = rig.sent<wire::Watch>()[0];
  rig.effects.clear();
  rig.answer(0, page(first.request, {10, 11}, false));
  ASSERT_EQ(rig.effects.pages.size(), 1U);
  EXPECT_TRUE(rig.effects.dones.empty());
  rig.tell(LinkDown{0});
  rig.connect(0);
  const auto second = rig.sent<wire::Watch>()[0];
  EXPECT_EQ(second.after_seq, 11);
  rig.effects.clear();
  rig.answer(0, page(second.request, {11, 12}, true));
  ASSERT_EQ(rig.effects.pages.size(), 1U);
  ASSERT_EQ(rig.effects.pages[0].page.events.size(), 1U);
  EXPECT_EQ(rig.effects.pages[0].page.events[0].seq, 12);
  EXPECT_EQ(rig.effects.dones.size(), 1U);
}

TEST(ClientCore, RenewsWaitsAsASlowPoll) {
  Rig rig;
  rig.connect(0);
  rig.tell(
      Ask{1, wire::Wait{0, OrderId::make(to_ms(rig.now.wall), 0, 7), ""}, Steady::max(), true});
  rig.tick();
  const auto first = rig.sent<wire::Wait>()[0];
  rig.effects.clear();
  rig.live(Millis{60'100});
  ASSERT_EQ(rig.sent<wire::Unwait>().size(), 1U);
  EXPECT_EQ(rig.sent<wire::Unwait>()[0].request, first.request);
  EXPECT_EQ(rig.sent<wire::Wait>().size(), 1U);
}

TEST(ClientCore, TakesAWaitBackWhenItsTimeIsOver) {
  Rig rig;
  rig.connect(0);
  rig.ask(1, wire::Wait{0, OrderId::make(to_ms(rig.now.wall), 0, 7), ""}, Seconds{1});
  rig.tick();
  rig.effects.clear();
  rig.live(Millis{1'100});
  ASSERT_EQ(rig.effects.dones.size(), 1U);
  EXPECT_EQ(rig.effects.dones[0].error->reason, "wait_timeout");
  EXPECT_EQ(rig.sent<wire::Unwait>().size(), 1U);
}

}  // namespace
}  // namespace ordo::client
