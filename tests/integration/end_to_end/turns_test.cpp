// Tasks of one value of `limit_key`, over a real broker and PostgreSQL: one at work at a time, with
// a retry between, and over a broker that starts anew.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "tests/integration/end_to_end/platform.hpp"

namespace ordo::testing {
namespace {

constexpr const char* kStock = R"(
pipeline: stock
version: 1
steps:
  take: { limit_key: sku, fair_by: shop, retry: { attempts: 9, first: 50ms, factor: 1, cap: 50ms } }
)";

class Turns : public EndToEnd {
 protected:
  Turns() {
    const auto stored = client->put_pipeline(kStock);
    EXPECT_TRUE(stored) << stored.error().message;
    worker_.options().brokers = {broker.endpoints().workers};
    worker_.options().name = "w";
    worker_.options().slots = 8;
    worker_.on("take", [this](Task& task) { return take(task); });
    EXPECT_TRUE(worker_.start());
  }
  ~Turns() override {
    worker_.stop();
    worker_.wait();
  }

  /// Everything fails once, so that there are turns to lose.
  TaskOutcome take(Task& task) {
    const std::string sku(task.payload());
    {
      const std::lock_guard lock(mutex_);
      beside_ |= ++running_[sku] > 1;
      if (task.attempt() == 1) began_[sku].push_back(task.order().to_string());
      most_ = std::max(most_, ++all_);
    }
    static_cast<void>(task.cancellation().wait_for(5ms));  // it works
    const std::lock_guard lock(mutex_);
    --running_[sku];
    --all_;
    if (task.attempt() == 1) return transient("once more");
    ended_[sku].push_back(task.order().to_string());
    return succeeded();
  }
  OrderId order(const std::string& sku) {
    return submit(
        {.pipeline = "stock", .payload = sku, .context = R"({"sku":")" + sku + R"(","shop":"s"})"});
  }

  std::mutex mutex_;
  std::map<std::string, int> running_;
  std::map<std::string, std::vector<std::string>> began_, ended_;
  int all_ = 0;
  int most_ = 0;
  bool beside_ = false;

 private:
  Worker worker_;
};

TEST_F(Turns, AreKeptOverRetriesAndOtherValuesGoOn) {
  std::vector<OrderId> ids;
  for (int i = 0; i < 24; ++i) ids.push_back(order("sku" + std::to_string(i % 4)));
  for (const auto& id : ids) EXPECT_EQ(end_of(id), "succeeded");
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(beside_) << "two of one value were at work";
  EXPECT_GT(most_, 1) << "other values go on beside it";
  for (const auto& [sku, began] : began_) EXPECT_EQ(began, ended_[sku]) << "nobody was passed";
}

TEST_F(Turns, OutliveTheBroker) {
  std::vector<OrderId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(order("hot"));
  EXPECT_TRUE(wait_until(kPatience, [&] {
    const std::lock_guard lock(mutex_);
    return !ended_["hot"].empty();
  }));
  broker.kill9_and_restart();
  for (const auto& id : ids) EXPECT_EQ(end_of(id), "succeeded");
  const std::lock_guard lock(mutex_);
  EXPECT_FALSE(beside_) << "two of one value were at work";
}

}  // namespace
}  // namespace ordo::testing
