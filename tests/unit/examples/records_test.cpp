// Ledgers and logs of acks are read as they were written; the examples' pipelines and their worker
// fit each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "examples/demo/ack_log.hpp"
#include "examples/shop/ledger.hpp"
#include "examples/shop/shop_steps.hpp"
#include "schema/pipeline.hpp"

namespace ordo {
namespace {

namespace fs = std::filesystem;

class Records : public ::testing::Test {
 protected:
  Records() : folder_(fs::temp_directory_path() / ("ordo_records_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~Records() override { fs::remove_all(folder_); }
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }

 private:
  fs::path folder_;
};

TEST_F(Records, OfALedgerAreReadBack) {
  const shop::Effect effect{"id/pay/0/forward", 3, "shop-1", 17, 29, "succeeded"};
  {
    auto ledger = shop::Ledger::open(path("ledger"));
    ASSERT_TRUE(ledger);
    (*ledger)->append(effect);
  }
  auto again = shop::Ledger::open(path("ledger"));
  ASSERT_TRUE(again);
  (*again)->append(effect);
  EXPECT_THAT(*shop::read_ledger(path("ledger")), ::testing::ElementsAre(effect, effect));
}

TEST_F(Records, OfManyThreadsAreAllThere) {
  constexpr int kThreads = 8;
  constexpr std::uint32_t kEach = 50;
  auto ledger = shop::Ledger::open(path("ledger"));
  ASSERT_TRUE(ledger);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint32_t i = 1; i <= kEach; ++i) {
        (*ledger)->append({"t" + std::to_string(t), i, "w", 0, 0, "succeeded"});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(shop::read_ledger(path("ledger"))->size(), kThreads * kEach);
}

TEST_F(Records, OfALineWithoutItsEndDoNotCount) {
  std::ofstream(path("ledger")) << "id/pay/0/forward 1 w 1 2 succeeded\nid/pay/0/forw";
  EXPECT_EQ(shop::read_ledger(path("ledger"))->size(), 1U);
  std::ofstream(path("ledger")) << "rubbish\n";
  EXPECT_FALSE(shop::read_ledger(path("ledger")));
  EXPECT_FALSE(shop::read_ledger(path("nowhere")));
}

TEST_F(Records, OfAcksAreReadBack) {
  const OrderId one = OrderId::make(1, 0, 1);
  const OrderId two = OrderId::make(2, 1, 2);
  auto log = demo::AckLog::open(path("acks"));
  ASSERT_TRUE(log);
  (*log)->tried(one);
  (*log)->tried(two);
  (*log)->acked(one);
  (*log)->refused(two, "too_large");
  ASSERT_TRUE((*log)->sync());
  const auto acks = demo::read_acks(path("acks"));
  ASSERT_TRUE(acks);
  EXPECT_EQ(acks->tried.size(), 2U);
  EXPECT_THAT(acks->acked, ::testing::ElementsAre(one.to_string()));
  EXPECT_THAT(acks->refused, ::testing::ElementsAre(two.to_string()));
}

TEST(ExamplePipelines, AreTakenByTheEngineAndKnownToTheShop) {
  for (const char* name : {"digital", "3c", "hello"}) {
    std::ifstream file("examples/pipelines/" + std::string(name) + ".yaml");
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const auto pipeline = parse_pipeline(text);
    ASSERT_TRUE(pipeline) << name << ": " << pipeline.error().front().to_string(name);
    EXPECT_EQ(pipeline->name, name);
    EXPECT_THAT(unsupported(*pipeline), ::testing::IsEmpty());
    for (const Step& step : pipeline->steps) {
      EXPECT_NE(shop::find_step(name, step.name), nullptr) << name << " " << step.name;
    }
  }
}

TEST(ShopSteps, TakeTheTimesAndFailAtTheRatesOfTheirEntry) {
  const shop::ShopStep step{"p", "s", "", "", 100, 1000, 50, 20};
  Random random(42);
  constexpr int kDraws = 20'000;
  int slower_than_median = 0;
  int slower_than_p99 = 0;
  int transient = 0;
  int permanent = 0;
  for (int i = 0; i < kDraws; ++i) {
    const shop::Draw draw = shop::draw(step, random);
    slower_than_median += draw.ms > 100 ? 1 : 0;
    slower_than_p99 += draw.ms > 1000 ? 1 : 0;
    transient += draw.fate == shop::Fate::kTransient ? 1 : 0;
    permanent += draw.fate == shop::Fate::kPermanent ? 1 : 0;
  }
  EXPECT_NEAR(slower_than_median, kDraws / 2, 300);
  EXPECT_NEAR(slower_than_p99, kDraws / 100, 50);
  EXPECT_NEAR(transient, kDraws / 20, 120);
  EXPECT_NEAR(permanent, kDraws / 50, 80);
}

}  // namespace
}  // namespace ordo
