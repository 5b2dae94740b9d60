#include "tests/unit/client/rig.hpp"

namespace ordo::client {
namespace {

TEST(ClientLinks, GreetAnewUnderAnotherSessionAfterABreak) {
  Rig rig;
  rig.tell(LinkUp{0});
  const auto first = rig.sent<wire::ClientHello>()[0].session;
  rig.effects.clear();
  rig.tell(LinkDown{0});
  rig.tell(LinkUp{0});
  EXPECT_NE(rig.sent<wire::ClientHello>()[0].session, first);
}

TEST(ClientLinks, IgnoreAWelcomeOfAnotherSession) {
  Rig rig;
  rig.tell(LinkUp{0});
  auto session = rig.sent<wire::ClientHello>()[0].session;
  session[0] ^= 1U;
  rig.submit(1);
  rig.welcome(0, session);
  EXPECT_FALSE(rig.core.is_connected());
  EXPECT_TRUE(rig.orders().empty());
}

TEST(ClientLinks, SendEverythingAgainUnderTheSameIdsAfterABreak) {
  Rig rig;
  rig.connect(0);
  for (Token token = 1; token <= 5; ++token) rig.submit(token);
  rig.tick();
  const auto before = rig.orders();
  rig.tell(LinkDown{0});
  rig.connect(0);
  const auto after = rig.orders();
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].id, before[i].id);
}

TEST(ClientLinks, SayHelloAgainToABrokerThatForgotThem) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  const auto id = rig.orders()[0].id;
  rig.effects.clear();
  rig.tell(Received{0, wire::SayHello{"unknown_session"}});
  rig.tell(Received{0, wire::SayHello{"unknown_session"}});
  const auto hellos = rig.sent<wire::ClientHello>();
  ASSERT_EQ(hellos.size(), 1U);
  rig.welcome(0, hellos[0].session);
  ASSERT_EQ(rig.orders().size(), 1U);
  EXPECT_EQ(rig.orders()[0].id, id);
}

TEST(ClientLinks, BeatEverySecondWithTheirCounts) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  rig.answer(0, ok(rig.orders()[0].request));
  rig.pass(Seconds{1});
  const auto beats = rig.sent<wire::Beat>();
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_EQ(beats[0].sent, 1U);
  EXPECT_EQ(beats[0].received, 1U);
}

TEST(ClientLinks, AreDialedAnewAfterASilence) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Seconds{30});
  rig.tick();
  rig.pass(Millis{2'999});
  EXPECT_TRUE(rig.effects.resets.empty());
  rig.pass(Millis{1});
  ASSERT_EQ(rig.effects.resets.size(), 1U);
  EXPECT_FALSE(rig.core.is_connected());
  rig.connect(0);
  EXPECT_EQ(rig.orders().size(), 1U);
}

TEST(ClientLinks, RepeatAHelloThatGotNoWelcomeAndGiveUpAfterASilence) {
  Rig rig;
  rig.tell(LinkUp{0});
  rig.pass(Millis{500});
  EXPECT_EQ(rig.sent<wire::ClientHello>().size(), 1U);
  rig.pass(Millis{2'500});
  EXPECT_EQ(rig.effects.resets.size(), 1U);
}

TEST(ClientLinks, StartAnewWhenTheBrokerSentMoreThanArrived) {
  Rig rig;
  rig.connect(0);
  rig.submit(1);
  rig.tick();
  rig.effects.clear();
  rig.tell(Received{0, wire::Beat{1, 1, {}}});
  // The answer may be right behind the beat.
  EXPECT_TRUE(rig.sent<wire::ClientHello>().empty());
  rig.tell(Received{0, wire::Beat{1, 1, {}}});
  EXPECT_EQ(rig.sent<wire::ClientHello>().size(), 1U);
}

TEST(ClientLinks, StartAnewWhenTheBrokerMissesWhatWasSentLongAgo) {
  Rig rig;
  rig.connect(0);
  rig.submit(1, Seconds{60});
  rig.tick();
  int hellos = 0;
  for (int second = 0; second < 5; ++second) {
    rig.tell(Received{0, wire::Beat{0, 0, {}}});
    hellos += static_cast<int>(rig.sent<wire::ClientHello>().size());
    rig.pass(Seconds{1});
  }
  rig.tell(Received{0, wire::Beat{0, 0, {}}});
  hellos += static_cast<int>(rig.sent<wire::ClientHello>().size());
  EXPECT_EQ(hellos, 1);
}

TEST(ClientLinks, GreetAgainAfterAFrameThatIsNoMessage) {
  Rig rig;
  rig.connect(0);
  rig.effects.clear();
  rig.tell(Garbled{0, Error{Code::kMalformed, "not_msgpack", "?", {}}});
  EXPECT_EQ(rig.sent<wire::ClientHello>().size(), 1U);
}

TEST(ClientLinks, LeadOrdersToTheOwnerOfTheirShard) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.tick();
  rig.connect(0, {{0, 1, ""}, {1, 1, "tcp://b"}});
  rig.connect(1, {{0, 1, "tcp://a"}, {1, 1, ""}});
  for (Token token = 1; token <= 20; ++token) rig.submit(token);
  rig.tick();
  EXPECT_EQ(rig.orders(0).size() + rig.orders(1).size(), 20U);
  for (const auto& order : rig.orders(0)) EXPECT_EQ(order.id.shard(), 0U);
  for (const auto& order : rig.orders(1)) EXPECT_EQ(order.id.shard(), 1U);
}

TEST(ClientLinks, FollowNotOwnerToAnEndpointTheyDidNotKnow) {
  Rig rig;
  rig.tick();
  rig.connect(0, {{0, 1, ""}});
  rig.submit(1);
  rig.tick();
  rig.refuse(0, rig.orders()[0].request, {Code::kNotOwner, "moved", "tcp://new", {}});
  rig.tick();
  ASSERT_EQ(rig.effects.opens.size(), 1U);
  EXPECT_EQ(rig.effects.opens[0].endpoint, "tcp://new");
  rig.connect(1, {{0, 1, ""}});
  rig.pass(Millis{40});
  EXPECT_EQ(rig.orders(1).size(), 1U);
}

TEST(ClientLinks, SpreadNewOrdersOverTheShardsOfEveryBroker) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.tick();
  rig.connect(0, {{0, 1, ""}, {1, 1, ""}});
  rig.connect(1, {{2, 1, ""}, {3, 1, ""}});
  for (Token token = 1; token <= 200; ++token) rig.submit(token);
  rig.tick();
  EXPECT_GT(rig.orders(0).size(), 50U);
  EXPECT_GT(rig.orders(1).size(), 50U);
  for (const auto& order : rig.orders(0)) EXPECT_LT(order.id.shard(), 2U);
  for (const auto& order : rig.orders(1)) EXPECT_GE(order.id.shard(), 2U);
}

TEST(ClientLinks, DrawNewOrdersForShardsWhoseBrokerIsThere) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.tick();
  rig.connect(0, {{0, 1, ""}, {1, 1, ""}});
  rig.connect(1, {{2, 1, ""}, {3, 1, ""}});
  rig.tell(LinkDown{0});
  for (Token token = 1; token <= 50; ++token) rig.submit(token);
  rig.tick();
  ASSERT_EQ(rig.orders(1).size(), 50U);
  for (const auto& order : rig.orders(1)) EXPECT_GE(order.id.shard(), 2U);
  // It comes back with one shard: the other one is gone from the map.
  rig.connect(0, {{0, 1, ""}});
  for (Token token = 51; token <= 150; ++token) rig.submit(token);
  rig.tick();
  EXPECT_GT(rig.orders(0).size(), 10U);
  for (const auto& order : rig.orders(0)) EXPECT_EQ(order.id.shard(), 0U);
}

TEST(ClientLinks, UseAnotherBrokerWhenTheOwnerIsAway) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.tick();
  rig.connect(0, {{0, 1, ""}});
  rig.connect(1, {{0, 1, "tcp://a"}});
  rig.tell(LinkDown{0});
  rig.submit(1);
  rig.tick();
  EXPECT_EQ(rig.orders(1).size(), 1U);
}

TEST(ClientLinks, AskTheNextBrokerWhenOneHasTheShardClosedAndRememberWhoHadIt) {
  Rig rig({.endpoints = {"tcp://a", "tcp://b"}});
  rig.connect(0);
  rig.connect(1);  // the last welcome says that everything lives there, and is wrong
  rig.submit(1);
  rig.tick();
  ASSERT_EQ(rig.orders(1).size(), 1U);
  const OrderId id = rig.orders(1)[0].id;
  const Error closed{Code::kUnavailable, "shard_closed", "not open", {}};
  rig.refuse(1, rig.orders(1)[0].request, closed);
  rig.pass(Millis{50});
  ASSERT_EQ(rig.orders(0).size(), 1U);
  EXPECT_EQ(rig.orders(0)[0].id, id);
  rig.answer(0, ok(rig.orders(0)[0].request));
  ASSERT_EQ(rig.effects.dones.size(), 1U);

  wire::OrderRequest same_shard;
  same_shard.id = OrderId::make(to_ms(rig.now.wall), id.shard(), 99);
  rig.submit(2, Seconds{10}, same_shard);
  rig.tick();
  EXPECT_EQ(rig.orders(0).size(), 1U);
  EXPECT_TRUE(rig.orders(1).empty());
}

}  // namespace
}  // namespace ordo::client
