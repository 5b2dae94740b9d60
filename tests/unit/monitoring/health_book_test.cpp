#include "monitoring/health/health_book.hpp"

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

  HealthBook book_{"shop", "b1", Thresholds{}};
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
