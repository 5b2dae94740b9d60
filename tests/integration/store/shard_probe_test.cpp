// What the probe counts in the tables of a shard.
#include "broker/store/shard_probe.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/shard_database.hpp"

namespace ordo::testing {
namespace {

const OrderId kOld = OrderId::make(1'700'000'000'000, 0, 1);
const OrderId kNew = OrderId::make(1'700'000'060'000, 0, 2);

std::string row(const OrderId& order, int step, const std::string& queue, const std::string& rest) {
  return "('" + order.to_string() + "', " + std::to_string(step) + ", 0, 0, '" + queue + "', 5, " +
         std::to_string(step) + ", 1, 0, 0, false, " + rest + ")";
}

TEST(ShardProbe, CountsWhatIsScheduledAndParkedByQueue) {
  ShardDatabase database;
  ShardProbe probe(database.dsn(), 0, "b1", "tcp://here:1");
  const auto empty = probe.census();
  ASSERT_TRUE(empty) << empty.error().message;
  EXPECT_TRUE(empty->empty());
  const std::string parked = "'parked', null, 'exhausted'";
  const std::string scheduled = "'scheduled', now() + interval '1 hour', 'delayed'";
  database.run("insert into deferred values " + row(kNew, 0, "pay", parked) + ", " +
               row(kOld, 1, "pay", parked) + ", " + row(kNew, 2, "pay", scheduled) + ", " +
               row(kNew, 3, "ship", scheduled) + ", " + row(kNew, 4, "ship", scheduled) + ", " +
               row(kNew, 5, "ship", "'backlog', null, null"));
  auto found = probe.census();
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  std::sort(found->begin(), found->end(),
            [](const auto& a, const auto& b) { return a.queue < b.queue; });
  const QueueCensus& pay = found->front();
  EXPECT_EQ(pay.queue, "pay");
  EXPECT_EQ(pay.parked, 2U);
  EXPECT_EQ(pay.scheduled, 1U);
  EXPECT_EQ(pay.oldest_parked, kOld);
  const QueueCensus& ship = found->back();
  EXPECT_EQ(ship.queue, "ship");
  EXPECT_EQ(ship.parked, 0U);
  EXPECT_EQ(ship.scheduled, 2U);
  EXPECT_EQ(ship.oldest_parked, std::nullopt);
}

}  // namespace
}  // namespace ordo::testing
