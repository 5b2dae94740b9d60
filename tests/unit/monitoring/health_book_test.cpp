#include "monitoring/health/health_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace ordo::health {
namespace {

const std::string kPipeline = "books";
const std::string kStep = "pay";

class HealthBooks : public ::testing::Test {
 protected:
  HealthBooks() {
    fact(FactKind::kShardOpened, 0, "");
    sample_.commits[0] = {};
    sample_.queues.push_back({});
    sample_.queues[0].queue = "pay";
    join(1, "pay-1");
  }

  void fact(FactKind kind, std::uint64_t worker, std::string text) {
    Fact made;
    made.kind = kind;
    made.pipeline = &kPipeline;
    made.step = &kStep;
    made.dependency = uses_;
    made.worker = worker;
    made.took = Millis{10};
    made.text = std::move(text);
    book_.observe(made);
  }
  void join(std::uint64_t number, const std::string& name) {
    fact(FactKind::kWorkerJoined, number, name);
    wire::WorkerView view;
    view.name = name;
    view.queues = {"pay"};
    sample_.workers.push_back(view);
    sample_.queues[0].workers = static_cast<std::uint32_t>(sample_.workers.size());
  }
  void lose(std::uint64_t number, const std::string& name) {
    fact(FactKind::kWorkerLost, number, name);
    std::erase_if(sample_.workers, [&](const auto& view) { return view.name == name; });
    sample_.queues[0].workers = static_cast<std::uint32_t>(sample_.workers.size());
  }
  const Tree& tick(int seconds = 1) {
    for (int i = 0; i < seconds; ++i) {
      sample_.at += Seconds{1};
      sample_.now += Seconds{1};
      tree_ = book_.sample(sample_);
    }
    return tree_;
  }
  const Node* node(const std::string& id) const {
    const auto found = std::find_if(tree_.nodes.begin(), tree_.nodes.end(),
                                    [&](const Node& one) { return one.id() == id; });
    return found == tree_.nodes.end() ? nullptr : &*found;
  }
  Colour colour(const std::string& id) const {
    const Node* found = node(id);
    return found == nullptr ? Colour::kUnknown : found->verdict.colour;
  }

  void client(const std::string& name, std::uint64_t answers, std::uint64_t busy,
              std::uint64_t failed) {
    ClientCounts counts{.name = name, .answers = answers, .busy = busy, .failed = failed};
    counts.session[0] = static_cast<std::uint8_t>(sample_.clients.size());
    counts.session[1] = static_cast<std::uint8_t>(sample_.clients.size() >> 8);
    sample_.clients.push_back(counts);
  }

  HealthBook book_{"shop", "b1", Thresholds{}};
  const std::string* uses_ = nullptr;  ///< the dependency of the step that facts speak of
  Sample sample_;
  Tree tree_;
};

TEST_F(HealthBooks, ASystemThatIsWellIsGreenWithItsEdges) {
  tick();
  EXPECT_EQ(tree_.system, "shop");
  EXPECT_EQ(tree_.colour(), Colour::kGreen);
  EXPECT_EQ(tree_.nodes.size(), 4u);
  EXPECT_EQ(tree_.edges, (std::vector<Edge>{{"broker/b1", "shard/0"},
                                            {"broker/b1", "queue/pay"},
                                            {"queue/pay", "worker/pay-1"}}));
}

TEST_F(HealthBooks, AStepThatFailsColoursItsWorkerAndNamesTheStep) {
  tick();
  for (int i = 0; i < 6; ++i) fact(FactKind::kTaskEnded, 1, "transient");
  fact(FactKind::kTaskEnded, 1, "permanent");  // a business refusal
  tick();
  ASSERT_EQ(colour("worker/pay-1"), Colour::kRed);
  EXPECT_EQ(node("worker/pay-1")->verdict.interface, "books.pay");
  EXPECT_EQ(node("worker/pay-1")->verdict.text, "6 of 7 calls failed within 3 s (normal: none).");
  EXPECT_TRUE(node("worker/pay-1")->is_root_cause);
  EXPECT_EQ(colour("queue/pay"), Colour::kGreen);
  tick(6);
  EXPECT_EQ(colour("worker/pay-1"), Colour::kGreen);
}

TEST_F(HealthBooks, TimeoutsCountAndBusinessRefusalsDoNot) {
  tick();
  for (int i = 0; i < 9; ++i) fact(FactKind::kTaskEnded, 1, "permanent");
  tick();
  EXPECT_EQ(colour("worker/pay-1"), Colour::kGreen);
  fact(FactKind::kTaskTimedOut, 1, "");
  tick();
  EXPECT_EQ(colour("worker/pay-1"), Colour::kYellow);
}

TEST_F(HealthBooks, ALostWorkerStaysRedUntilItIsReplaced) {
  tick();
  sample_.queues[0].ready = 3;
  lose(1, "pay-1");
  tick(2);
  EXPECT_EQ(colour("worker/pay-1"), Colour::kRed);
  EXPECT_TRUE(node("worker/pay-1")->is_root_cause);
  ASSERT_EQ(colour("queue/pay"), Colour::kRed);
  EXPECT_FALSE(node("queue/pay")->is_root_cause);
  join(2, "pay-2");
  tick(4);
  EXPECT_EQ(node("worker/pay-1"), nullptr);
  EXPECT_EQ(tree_.colour(), Colour::kGreen);
}

TEST_F(HealthBooks, ALostWorkerIsForgottenAfterAMinute) {
  tick();
  lose(1, "pay-1");
  tick(61);
  EXPECT_EQ(colour("worker/pay-1"), Colour::kRed);
  tick();
  EXPECT_EQ(node("worker/pay-1"), nullptr);
}

TEST_F(HealthBooks, AWorkerThatSaysGoodbyeIsNoTrouble) {
  join(2, "pay-2");
  tick();
  fact(FactKind::kWorkerLeft, 1, "pay-1");
  sample_.workers.erase(sample_.workers.begin());
  tick();
  EXPECT_EQ(node("worker/pay-1"), nullptr);
  EXPECT_EQ(tree_.colour(), Colour::kGreen);
}

TEST_F(HealthBooks, ADependencyThatFailsIsTheCauseAndNotTheWorkersThatCallIt) {
  const std::string bank = "bank";
  join(2, "pay-2");
  tick();
  uses_ = &bank;
  for (std::uint64_t worker : {1u, 2u}) {
    for (int i = 0; i < 6; ++i) fact(FactKind::kTaskEnded, worker, "transient");
  }
  tick();
  ASSERT_EQ(colour("dependency/bank"), Colour::kRed);
  EXPECT_EQ(node("dependency/bank")->verdict.interface, "books.pay");
  EXPECT_EQ(node("dependency/bank")->verdict.text,
            "12 of 12 calls failed within 3 s (normal: none).");
  EXPECT_TRUE(node("dependency/bank")->is_root_cause);
  ASSERT_EQ(colour("worker/pay-1"), Colour::kRed);
  EXPECT_FALSE(node("worker/pay-1")->is_root_cause);
  EXPECT_FALSE(node("worker/pay-2")->is_root_cause);
  tick(6);
  EXPECT_EQ(tree_.colour(), Colour::kGreen) << "and it stays in sight";
  EXPECT_EQ(colour("dependency/bank"), Colour::kGreen);
}

TEST_F(HealthBooks, ABreakerSaysMoreThanTheCallsThatItLetsThrough) {
  const std::string bank = "bank";
  uses_ = &bank;
  fact(FactKind::kDependencyState, 0, "closed");
  fact(FactKind::kTaskEnded, 1, "succeeded");
  tick(4);
  EXPECT_EQ(colour("dependency/bank"), Colour::kGreen);
  fact(FactKind::kDependencyState, 0, "open");
  tick();
  ASSERT_EQ(colour("dependency/bank"), Colour::kRed);
  EXPECT_EQ(node("dependency/bank")->verdict.reason, Reason::kBreaker);
  fact(FactKind::kDependencyState, 0, "probing");
  tick(4);
  EXPECT_EQ(colour("dependency/bank"), Colour::kRed);
  fact(FactKind::kDependencyState, 0, "ramping");
  tick();
  EXPECT_EQ(colour("dependency/bank"), Colour::kGreen);
  EXPECT_THAT(node("dependency/bank")->verdict.text, ::testing::HasSubstr("ramping"));
  fact(FactKind::kDependencyState, 0, "closed");
  tick();
  EXPECT_EQ(colour("dependency/bank"), Colour::kGreen);
  EXPECT_EQ(node("dependency/bank")->verdict.text, "");
}

TEST_F(HealthBooks, AStepWithoutADependencyBlamesNoOther) {
  const std::string bank = "bank";
  uses_ = &bank;
  fact(FactKind::kTaskEnded, 1, "succeeded");
  uses_ = nullptr;
  const Edge edge{"worker/pay-1", "dependency/bank"};
  EXPECT_THAT(tick().edges, ::testing::Contains(edge));
  fact(FactKind::kTaskEnded, 1, "succeeded");
  EXPECT_THAT(tick().edges, ::testing::Not(::testing::Contains(edge)));
}

TEST_F(HealthBooks, SlotsThatDoNotComeBackAreYellowAndAllOfThemRed) {
  sample_.workers[0].slots = 4;
  sample_.workers[0].hung = 1;
  tick();
  ASSERT_EQ(colour("worker/pay-1"), Colour::kYellow);
  EXPECT_EQ(node("worker/pay-1")->verdict.reason, Reason::kHung);
  sample_.workers[0].hung = 4;
  tick();
  EXPECT_EQ(colour("worker/pay-1"), Colour::kRed);
}

TEST_F(HealthBooks, AClientThatIsSentAwayIsYellowAndOneThatGetsErrorsRed) {
  client("shop", 10, 0, 0);
  tick();
  EXPECT_EQ(colour("client/shop"), Colour::kGreen);
  EXPECT_EQ(tree_.edges.front(), (Edge{"client/shop", "broker/b1"}));
  sample_.clients[0].answers = 20;
  sample_.clients[0].busy = 3;
  tick();
  ASSERT_EQ(colour("client/shop"), Colour::kYellow);
  EXPECT_EQ(node("client/shop")->verdict.text,
            "It is sent away as too busy (3 times in a second).");
  sample_.clients[0].answers = 30;
  sample_.clients[0].failed = 10;
  tick();
  EXPECT_EQ(colour("client/shop"), Colour::kRed);
  sample_.clients[0] = {.session = sample_.clients[0].session, .name = "shop", .answers = 1};
  tick(6);
  EXPECT_EQ(colour("client/shop"), Colour::kGreen) << "it said hello again and counts from zero";
  sample_.clients.clear();
  tick();
  EXPECT_EQ(node("client/shop"), nullptr);
}

TEST_F(HealthBooks, NamesOfClientsAndOfLostWorkersAreBounded) {
  for (int i = 0; i < 60; ++i) client("c" + std::to_string(i), 1, 0, 0);
  for (std::uint64_t i = 10; i < 300; ++i) {
    join(i, "w" + std::to_string(i));
    tick();
    lose(i, "w" + std::to_string(i));
  }
  tick();
  const auto count = [&](NodeType type) {
    return std::count_if(tree_.nodes.begin(), tree_.nodes.end(),
                         [&](const Node& one) { return one.type == type; });
  };
  EXPECT_EQ(count(NodeType::kClient), 51);
  EXPECT_NE(node("client/others"), nullptr);
  EXPECT_LE(count(NodeType::kWorker), 101);
}

TEST_F(HealthBooks, ACommitThatIsNotAnsweredColoursItsShardAndNoOther) {
  sample_.commits[1] = {};
  fact(FactKind::kShardOpened, 0, "");
  tick();
  sample_.commits[0].asked = sample_.now;
  tick(2);
  EXPECT_EQ(colour("shard/0"), Colour::kGreen);
  tick();
  ASSERT_EQ(colour("shard/0"), Colour::kRed);
  EXPECT_EQ(node("shard/0")->verdict.reason, Reason::kStalled);
  sample_.commits[0].asked = {};
  tick(4);
  EXPECT_EQ(colour("shard/0"), Colour::kGreen);
}

TEST_F(HealthBooks, AShardThatAnotherBrokerOwnsIsForThatOneToJudge) {
  sample_.commits[1] = {};
  Fact refused;
  refused.kind = FactKind::kShardRefused;
  refused.shard = 1;
  refused.count = 1;
  refused.text = "another session owns shard 1";
  book_.observe(refused);
  tick(20);
  ASSERT_EQ(colour("shard/1"), Colour::kUnknown);
  EXPECT_EQ(node("shard/1")->verdict.reason, Reason::kClosed);
  EXPECT_EQ(tree_.colour(), Colour::kGreen);
}

TEST_F(HealthBooks, AShardThatNobodyOwnsIsTheCause) {
  sample_.commits[1] = {};
  tick(5);
  ASSERT_EQ(colour("shard/1"), Colour::kUnknown) << "it is about to be opened";
  tick();
  ASSERT_EQ(colour("shard/1"), Colour::kRed);
  EXPECT_EQ(node("shard/1")->verdict.reason, Reason::kClosed);
  EXPECT_TRUE(node("shard/1")->is_root_cause);
  EXPECT_EQ(colour("shard/0"), Colour::kGreen);
  fact(FactKind::kShardLost, 0, "connection refused");
  tick();
  EXPECT_EQ(node("shard/0")->verdict.text, "The broker does not own it: connection refused.");
}

TEST_F(HealthBooks, CommitsThatTakeTenTimesTheirNormalAreRed) {
  tick();
  for (int second = 0; second < 8; ++second) {
    sample_.commits[0].commits += 10;
    sample_.commits[0].time += Millis{10 * 4};
    tick();
  }
  EXPECT_EQ(colour("shard/0"), Colour::kGreen);
  sample_.commits[0].commits += 10;
  sample_.commits[0].time += Millis{10 * 200};
  tick();
  EXPECT_EQ(colour("shard/0"), Colour::kRed);
  EXPECT_EQ(node("shard/0")->verdict.reason, Reason::kSlow);
}

TEST_F(HealthBooks, ABrokerThatSendsOrdersAwayIsYellow) {
  fact(FactKind::kBusy, 0, "queue_full");
  tick();
  EXPECT_EQ(colour("broker/b1"), Colour::kYellow);
  EXPECT_EQ(node("broker/b1")->verdict.reason, Reason::kOverLimit);
  tick(3);
  EXPECT_EQ(colour("broker/b1"), Colour::kGreen);
}

}  // namespace
}  // namespace ordo::health
