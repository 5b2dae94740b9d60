#include "worker/core/worker_core.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/worker/core_harness.hpp"

namespace ordo::worker {
namespace {

TEST(WorkerCore, DialsEveryBrokerAndGreetsOnceConnected) {
  Settings settings = settings_of(4, 4);
  settings.links = 2;
  Harness harness(settings);
  EXPECT_EQ(harness.effects.connects, (std::vector<LinkIndex>{0, 1}));
  harness.step(event::Connected{1});
  const auto hellos = harness.sent<wire::WorkerHello>();
  ASSERT_EQ(hellos.size(), 1U);
  EXPECT_EQ(hellos[0].session, settings.session);
  EXPECT_EQ(hellos[0].slots, 4U) << "two brokers share what it can hold";
  EXPECT_EQ(hellos[0].queues, settings.queues);
}

TEST(WorkerCore, SaysHelloAgainUntilItIsWelcomeAndDialsAnewAfterSilence) {
  Harness harness;
  harness.step(event::Connected{0});
  harness.pass(Millis{1'500});
  EXPECT_EQ(harness.sent<wire::WorkerHello>().size(), 1U);
  EXPECT_TRUE(harness.effects.connects.empty());
  harness.pass(Millis{2'000});
  EXPECT_EQ(harness.effects.connects.size(), 1U);
}

TEST(WorkerCore, IgnoresAWelcomeOfAnotherSession) {
  Harness harness;
  harness.step(event::Connected{0});
  harness.receive(wire::Welcome{});
  EXPECT_EQ(harness.core.counts().welcome_links, 0U);
  EXPECT_EQ(harness.facts(FactKind::kFrameIgnored), 1U);
}

TEST(WorkerCore, CountsAnewAtEveryWelcomeOfHellosThatCrossed) {
  Harness harness;
  harness.step(event::Connected{0});
  harness.pass(Millis{1'000});
  ASSERT_EQ(harness.sent<wire::WorkerHello>().size(), 1U) << "the broker stalls: said again";
  // It goes on and takes both: what it offers in between is lost to it, and its counts are zero.
  wire::Welcome welcome;
  welcome.session = harness.session;
  harness.receive(welcome);
  harness.offer(task(1));
  harness.finish(task(1));
  harness.receive(welcome);
  harness.offer(task(2));
  harness.pass(Millis{1'000});
  const auto beats = harness.sent<wire::Beat>();
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_EQ(beats[0].received, 1U) << "the offer since the second welcome";
  EXPECT_GE(beats[0].sent, 1U) << "results left after the second hello, so they count";
}

TEST(WorkerCore, TellsADrainAgainAtTheSecondWelcome) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.step(event::DrainRequested{});
  wire::Welcome welcome;
  welcome.session = harness.session;
  harness.receive(welcome);
  EXPECT_EQ(harness.sent<wire::Drain>().size(), 1U) << "a hello makes the broker forget it";
}

TEST(WorkerCore, BeatsEverySecondWithWhatItGot) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.offer(task(2));
  harness.finish(task(1));
  harness.pass(Millis{1'000});
  const auto beats = harness.sent<wire::Beat>();
  ASSERT_EQ(beats.size(), 1U);
  EXPECT_EQ(beats[0].received, 2U);
  EXPECT_EQ(beats[0].sent, 1U);
}

TEST(WorkerCore, StartsAnOfferOnceHoweverOftenItComes) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  EXPECT_EQ(harness.effects.starts.size(), 1U);
  harness.offer(task(1));
  EXPECT_TRUE(harness.effects.starts.empty());
  harness.finish(task(1));
  harness.record(task(1));
  harness.offer(task(1));
  EXPECT_TRUE(harness.effects.starts.empty()) << "a copy that comes after the end";
  EXPECT_EQ(harness.facts(FactKind::kOfferRepeated), 1U);
}

TEST(WorkerCore, DropsOffersBetweenItsHelloAndTheWelcome) {
  Harness harness;
  harness.welcome();
  harness.receive(wire::SayHello{"lost_items"});
  harness.offer(task(1));
  EXPECT_TRUE(harness.effects.starts.empty()) << "the hello did not list it: it goes out again";
}

TEST(WorkerCore, RefusesOffersOfAnEarlierEpochOfTheirShardOnly) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(5));
  harness.offer(task(2), fence(4));
  EXPECT_TRUE(harness.effects.starts.empty());
  EXPECT_EQ(harness.facts(FactKind::kOfferRefused), 1U);
  harness.offer(task(3, 1), fence(4));
  EXPECT_EQ(harness.effects.starts.size(), 1U) << "another shard has its own epochs";
  harness.offer(task(4), Fence{0, 9, 1});
  EXPECT_TRUE(harness.effects.starts.empty()) << "an earlier timeline is older than any epoch";
}

TEST(WorkerCore, ANewerAttemptSupersedesTheOneThatRuns) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(1, 1));
  const RunId old_run = harness.runs.at(task(1));
  harness.offer(task(1), fence(1, 2));
  ASSERT_EQ(harness.effects.starts.size(), 1U);
  ASSERT_EQ(harness.effects.cancels.size(), 1U);
  EXPECT_EQ(harness.effects.cancels[0].run, old_run);
  harness.offer(task(1), fence(1, 1));
  EXPECT_TRUE(harness.effects.starts.empty());
  EXPECT_EQ(harness.core.fence_of(task(1)), fence(1, 2));
}

TEST(WorkerCore, KeepsAResultUntilItIsRecorded) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  Ending done;
  done.result = "done";
  harness.finish(task(1), done);
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].result, "done");
  harness.pass_with_beats(Millis{9'000});
  EXPECT_EQ(harness.results().size(), 2U) << "after 2 s, then after 4 s more";
  harness.record(task(1), fence(1, 9));
  EXPECT_EQ(harness.core.counts().results, 1U) << "a word about another attempt";
  harness.record(task(1));
  EXPECT_EQ(harness.core.counts().results, 0U);
  harness.pass_with_beats(Millis{30'000});
  EXPECT_TRUE(harness.results().empty());
}

TEST(WorkerCore, ForgetsAResultThatIsRefused) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.finish(task(1));
  harness.record(task(1), fence(1), static_cast<std::uint8_t>(Code::kStale));
  EXPECT_EQ(harness.core.counts().results, 0U);
  EXPECT_EQ(harness.facts(FactKind::kResultRefused), 1U);
}

TEST(WorkerCore, TellsABrokerThatForgotItWhatItHoldsAndSendsResultsAgain) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.offer(task(2));
  harness.finish(task(1));
  harness.receive(wire::SayHello{"restarted"});
  const auto hellos = harness.sent<wire::WorkerHello>();
  ASSERT_EQ(hellos.size(), 1U);
  ASSERT_EQ(hellos[0].held.size(), 2U);
  EXPECT_EQ(hellos[0].held[0].key, task(2));
  EXPECT_FALSE(hellos[0].held[0].has_result);
  EXPECT_EQ(hellos[0].held[1].key, task(1));
  EXPECT_TRUE(hellos[0].held[1].has_result);
  harness.receive(wire::SayHello{"restarted"});
  EXPECT_TRUE(harness.sent<wire::WorkerHello>().empty()) << "one hello answers a burst of them";
  wire::Welcome welcome;
  welcome.session = harness.session;
  harness.receive(welcome);
  EXPECT_TRUE(harness.results().empty()) << "a new fence may be on its way";
  harness.pass(Millis{300});
  EXPECT_EQ(harness.results().size(), 1U);
}

TEST(WorkerCore, GoesOnUnderTheNewFenceAfterARegrant) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(1));
  harness.offer(task(2), fence(1));
  harness.finish(task(1));
  harness.regrant(task(1), fence(1), fence(2));
  ASSERT_EQ(harness.results().size(), 1U) << "sent again at once";
  EXPECT_EQ(harness.results()[0].fence, fence(2));
  harness.regrant(task(2), fence(1), fence(2));
  harness.finish(task(2));
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].fence, fence(2));
  harness.offer(task(3), fence(1));
  EXPECT_TRUE(harness.effects.starts.empty()) << "the regrant told of the new epoch";
}

TEST(WorkerCore, IgnoresARegrantOfAnotherFence) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(2, 3));
  harness.regrant(task(1), fence(2, 2), fence(3, 2));
  EXPECT_EQ(harness.core.fence_of(task(1)), fence(2, 3));
}

TEST(WorkerCore, CancelsWhatIsRevokedAndSendsTheLateResultAsEvidence) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.revoke(task(1));
  ASSERT_EQ(harness.effects.cancels.size(), 1U);
  EXPECT_EQ(harness.core.counts().open, 0U);
  EXPECT_EQ(harness.core.counts().fenced, 1U);
  harness.finish(task(1));
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].fence, fence(1));
  harness.record(task(1), fence(1), static_cast<std::uint8_t>(Code::kStale));
  EXPECT_EQ(harness.core.counts().fenced, 0U);
}

TEST(WorkerCore, TellsTheBrokerWhenTheSlotOfARevokedTaskIsFree) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.revoke(task(1));
  harness.step(event::Ended{{RunEnded{harness.runs.at(task(1)), false, {}}}});
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].outcome, static_cast<std::uint8_t>(Outcome::kUnknown));
}

TEST(WorkerCore, TakesARevokedTaskBackFromABrokerThatRegrantsIt) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.revoke(task(1));
  harness.receive(wire::SayHello{"restarted"});
  ASSERT_EQ(harness.sent<wire::WorkerHello>()[0].held.size(), 1U) << "it still keeps its slot";
  harness.regrant(task(1), fence(1), fence(2));
  EXPECT_EQ(harness.core.fence_of(task(1)), fence(2));
  EXPECT_EQ(harness.core.counts().fenced, 0U);
  harness.welcome();
  harness.pass(Millis{300});
  harness.finish(task(1));
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].fence, fence(2));
}

TEST(WorkerCore, LetsGoOfEvidenceThatNobodyAnswers) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.revoke(task(1));
  harness.finish(task(1));
  harness.pass_with_beats(Millis{60'000});
  EXPECT_EQ(harness.core.counts().fenced, 0U);
}

TEST(WorkerCore, CancelsAtTheTimeoutEvenWithoutABroker) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(1), 300);
  harness.step(event::Disconnected{0});
  harness.pass(Millis{299});
  EXPECT_TRUE(harness.effects.cancels.empty());
  harness.pass(Millis{1});
  ASSERT_EQ(harness.effects.cancels.size(), 1U);
  EXPECT_EQ(harness.effects.cancels[0].reason, "timeout");
}

TEST(WorkerCore, WhatStoodInTheLineUntilItsTimeoutIsAFailedAttempt) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1), fence(1), 300);
  harness.pass(Millis{300});
  harness.step(event::Ended{{RunEnded{harness.runs.at(task(1)), false, {}}}});
  ASSERT_EQ(harness.results().size(), 1U);
  EXPECT_EQ(harness.results()[0].outcome, static_cast<std::uint8_t>(Outcome::kTransient));
}

TEST(WorkerCore, DialsAnewWhenTheBrokerIsSilent) {
  Harness harness;
  harness.welcome();
  harness.pass(Millis{2'900});
  EXPECT_TRUE(harness.effects.connects.empty());
  harness.pass(Millis{200});
  EXPECT_EQ(harness.effects.connects.size(), 1U);
}

TEST(WorkerCore, DialsAnewWhenTheBrokerBeatsButReceivesNothing) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.finish(task(1));
  std::size_t dials = 0;
  for (int i = 0; i < 12; ++i) {
    harness.pass(Millis{500});
    dials += harness.effects.connects.size();
    harness.receive(wire::Beat{});
  }
  EXPECT_EQ(dials, 1U);
}

TEST(WorkerCore, ResultsWaitForTheConnectionToComeBack) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.step(event::Disconnected{0});
  harness.finish(task(1));
  EXPECT_TRUE(harness.results().empty());
  harness.welcome();
  harness.pass(Millis{300});
  EXPECT_EQ(harness.results().size(), 1U);
}

TEST(WorkerCore, TriesTheNextBrokerWithAResultThatStaysWithoutAnAnswer) {
  Settings settings = settings_of(2, 2);
  settings.links = 2;
  Harness harness(settings);
  harness.welcome(0);
  harness.welcome(1);
  harness.offer(task(1));
  harness.finish(task(1));
  std::vector<LinkIndex> ways;
  const auto note = [&] {
    for (const Send& send : harness.effects.sends) {
      if (std::holds_alternative<wire::Results>(send.message)) ways.push_back(send.link);
    }
  };
  note();
  for (int i = 0; i < 26; ++i) {
    harness.pass(Millis{500});
    note();
    harness.beat(0);
    harness.beat(1);
  }
  EXPECT_THAT(ways, ::testing::ElementsAre(0, 0, 1, 1, 0));
}

TEST(WorkerCore, CarriesTheLastProgressNoteWithItsBeat) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.step(event::Noted{{{harness.runs.at(task(1)), "1 of 2"}}});
  harness.step(event::Noted{{{harness.runs.at(task(1)), "2 of 2"}}});
  harness.pass(Millis{1'000});
  ASSERT_EQ(harness.sent<wire::Beat>().size(), 1U);
  ASSERT_EQ(harness.sent<wire::Beat>()[0].progress.size(), 1U);
  EXPECT_EQ(harness.sent<wire::Beat>()[0].progress[0].note, "2 of 2");
  harness.beat();
  harness.pass(Millis{1'000});
  EXPECT_TRUE(harness.sent<wire::Beat>()[0].progress.empty()) << "told once";
}

TEST(WorkerCore, DrainsByHandingBackFinishingAndSayingGoodbye) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.offer(task(2));
  harness.step(event::DrainRequested{});
  EXPECT_TRUE(harness.effects.withdraw);
  EXPECT_EQ(harness.sent<wire::Drain>().size(), 1U) << "offers stop at once";
  harness.step(event::Ended{{RunEnded{harness.runs.at(task(2)), false, {}}}});
  ASSERT_EQ(harness.sent<wire::Drain>().size(), 1U);
  ASSERT_EQ(harness.sent<wire::Drain>()[0].hand_back.size(), 1U);
  EXPECT_EQ(harness.sent<wire::Drain>()[0].hand_back[0].key, task(2));
  harness.offer(task(3));
  EXPECT_TRUE(harness.effects.starts.empty());
  EXPECT_EQ(harness.sent<wire::Drain>()[0].hand_back[0].key, task(3)) << "one that was under way";
  harness.finish(task(1));
  EXPECT_FALSE(harness.effects.exit);
  harness.record(task(1));
  EXPECT_EQ(harness.sent<wire::Goodbye>().size(), 1U);
  EXPECT_EQ(harness.effects.exit, kExitDrained);
  EXPECT_FALSE(harness.core.next_deadline());
}

TEST(WorkerCore, SaysGoodbyeToABrokerWhoseWelcomeIsOnItsWay) {
  Harness harness;
  harness.step(event::Connected{0});
  harness.step(event::DrainRequested{});
  EXPECT_EQ(harness.sent<wire::Goodbye>().size(), 1U);
  EXPECT_EQ(harness.effects.exit, kExitDrained);
}

TEST(WorkerCore, TellsANewBrokerThatItIsDraining) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.step(event::DrainRequested{});
  harness.welcome();
  EXPECT_EQ(harness.sent<wire::Drain>().size(), 1U);
}

TEST(WorkerCore, LeavesAtTheDrainTimeoutAndTellsHandlersBefore) {
  Harness harness;
  harness.welcome();
  harness.offer(task(1));
  harness.step(event::DrainRequested{});
  harness.pass_with_beats(Millis{9'500});
  ASSERT_EQ(harness.effects.cancels.size(), 1U);
  EXPECT_EQ(harness.effects.cancels[0].reason, "draining");
  EXPECT_FALSE(harness.effects.exit);
  harness.pass_with_beats(Millis{500});
  EXPECT_EQ(harness.effects.exit, kExitDrainTimedOut);
}

TEST(WorkerCore, GoesOnWhileOneSlotIsFreeOfHungHandlers) {
  Harness harness(settings_of(2, 0));
  harness.welcome();
  harness.offer(task(1), fence(1), 100);
  harness.pass_with_beats(Millis{6'000});
  EXPECT_TRUE(harness.effects.look);
  harness.step(event::Looked{{harness.runs.at(task(1))}});
  EXPECT_EQ(harness.core.counts().hung, 1U);
  EXPECT_FALSE(harness.core.counts().is_draining);
  harness.offer(task(2), fence(1), 100);
  EXPECT_EQ(harness.effects.starts.size(), 1U);
  harness.finish(task(1));
  EXPECT_EQ(harness.core.counts().hung, 0U) << "it came back after all";
}

TEST(WorkerCore, LeavesWith70WhenEverySlotHangs) {
  Harness harness(settings_of(2, 1));
  harness.welcome();
  harness.offer(task(1), fence(1), 100);
  harness.offer(task(2), fence(1), 100);
  harness.offer(task(3), fence(1), 3'600'000);
  harness.revoke(task(1));
  harness.pass_with_beats(Millis{6'000});
  ASSERT_TRUE(harness.effects.look);
  harness.step(event::Looked{{harness.runs.at(task(1)), harness.runs.at(task(2))}});
  EXPECT_TRUE(harness.core.counts().is_draining);
  EXPECT_TRUE(harness.effects.withdraw);
  EXPECT_FALSE(harness.effects.exit) << "the third is handed back first";
  harness.step(event::Ended{{RunEnded{harness.runs.at(task(3)), false, {}}}});
  EXPECT_EQ(harness.sent<wire::Drain>().size(), 1U);
  EXPECT_EQ(harness.effects.exit, kExitHung);
}

TEST(WorkerCore, DropsWhatIsFarPastItsCredit) {
  Harness harness(settings_of(1, 0));
  harness.welcome();
  std::size_t started = 0;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    harness.offer(task(i));
    started += harness.effects.starts.size();
  }
  EXPECT_LT(started, 100U);
}

TEST(WorkerCore, ListsWhatFitsIntoAHelloWithWhatRunsFirst) {
  Harness harness(settings_of(8, 8));
  harness.welcome();
  constexpr std::uint64_t kResults = limits::kFrameHeld + 100;
  for (std::uint64_t i = 0; i < kResults; ++i) {
    harness.offer(task(i));
    harness.finish(task(i));
  }
  harness.offer(task(kResults));
  ASSERT_EQ(harness.effects.starts.size(), 1U) << "results on their way take no slot";
  harness.receive(wire::SayHello{"restarted"});
  ASSERT_EQ(harness.sent<wire::WorkerHello>().size(), 1U);
  const auto hello = harness.sent<wire::WorkerHello>()[0];
  EXPECT_EQ(hello.held.size(), limits::kFrameHeld);
  EXPECT_EQ(hello.held.front().key, task(kResults));
}

TEST(WorkerCore, CutsResultsIntoFramesWithinTheirBounds) {
  Harness harness(settings_of(8, 8));
  harness.welcome();
  event::Ended ended;
  for (std::uint64_t i = 0; i < 16; ++i) {
    harness.offer(task(i));
    Ending ending;
    ending.result = std::string(limits::kResultBytes, 'x');
    ended.runs.push_back({harness.runs.at(task(i)), true, std::move(ending)});
  }
  harness.step(std::move(ended));
  const auto frames = harness.sent<wire::Results>();
  EXPECT_EQ(harness.results().size(), 16U);
  EXPECT_GE(frames.size(), 3U);
  for (const auto& frame : frames) {
    EXPECT_LE(frame.items.size() * limits::kResultBytes,
              limits::kFrameTargetBytes + limits::kResultBytes);
  }
}

}  // namespace
}  // namespace ordo::worker
