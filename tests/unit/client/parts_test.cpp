#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "client/core/requests.hpp"
#include "client/core/shard_map.hpp"
#include "client/core/timers.hpp"

namespace ordo::client {
namespace {

TEST(Timers, FireAtMostOneBucketLate) {
  Timers timers;
  timers.arm(7, Steady{Micros{1'000'000}});
  std::vector<std::uint64_t> due;
  timers.collect(Steady{Micros{1'000'000}}, due);
  EXPECT_TRUE(due.empty());
  timers.collect(Steady{Micros{1'016'000}}, due);
  EXPECT_EQ(due, std::vector<std::uint64_t>{7});
  EXPECT_EQ(timers.next(), Steady::max());
}

TEST(Timers, NeverStandForForever) {
  Timers timers;
  timers.arm(7, Steady::max());
  EXPECT_EQ(timers.next(), Steady::max());
}

RC_GTEST_PROP(Timers, FireEachArmedTimerOnceNeverEarly, (std::vector<std::uint32_t> times)) {
  Timers timers;
  for (std::size_t i = 0; i < times.size(); ++i) timers.arm(i, Steady{Micros{times[i]}});
  std::map<std::uint64_t, Steady> fired;
  while (timers.next() != Steady::max()) {
    const Steady now = timers.next();
    std::vector<std::uint64_t> due;
    timers.collect(now, due);
    RC_ASSERT(!due.empty());
    for (const std::uint64_t number : due) RC_ASSERT(fired.emplace(number, now).second);
  }
  RC_ASSERT(fired.size() == times.size());
  for (const auto& [number, at] : fired) {
    const Steady wanted{Micros{times[number]}};
    RC_ASSERT(at >= wanted && at <= wanted + Micros{16'000});
  }
}

TEST(Requests, AreFoundByTheNumberOfAnyAttempt) {
  Requests requests;
  Pending& pending = requests.add();
  pending.request = wire::Get{};
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 5; ++i) {
    begin_attempt(pending);
    const std::uint64_t number = std::get<wire::Get>(pending.request).request;
    numbers.insert(number);
    EXPECT_TRUE(is_latest(pending, number));
    EXPECT_EQ(requests.find(number), &pending);
  }
  EXPECT_EQ(numbers.size(), 5U);
  EXPECT_FALSE(is_latest(pending, *numbers.begin()));
}

TEST(Requests, AreNotFoundOnceAnswered) {
  Requests requests;
  const std::uint64_t number = requests.add().number;
  requests.remove(*requests.find(number));
  EXPECT_EQ(requests.find(number), nullptr);
  EXPECT_NE(requests.add().number, number);  // the slot again, another serial
  EXPECT_EQ(requests.find(number), nullptr);
  EXPECT_EQ(requests.find(0), nullptr);
}

TEST(Requests, KeepTheOrderOfAsking) {
  Requests requests;
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(requests.add().number);
  requests.remove(*requests.find(numbers[0]));
  numbers.erase(numbers.begin());
  numbers.push_back(requests.add().number);
  EXPECT_EQ(requests.all(), numbers);
}

std::set<ShardNumber> drawn(const ShardMap& map, std::string_view key = {}) {
  Random chance(1);
  std::set<ShardNumber> shards;
  for (int i = 0; i < 200; ++i) {
    shards.insert(static_cast<ShardNumber>(map.draw(Wall{}, key, chance)->shard()));
  }
  return shards;
}

TEST(ShardMap, KeepsWhatOtherBrokersSaid) {
  ShardMap map;
  map.merge(0, {{0, 1, 0}, {1, 1, 0}});
  map.merge(1, {{3, 1, 1}, {2, 1, 1}});
  EXPECT_EQ(drawn(map), (std::set<ShardNumber>{0, 1, 2, 3})) << "none is there: any may be";
  map.merge(0, {{1, 1, 0}, {2, 1, 0}});
  ASSERT_EQ(map.homes().size(), 3U);
  EXPECT_EQ(map.find(0), nullptr) << "its broker names it no more";
  EXPECT_EQ(map.find(2)->link, 0U) << "it moved";
  EXPECT_EQ(map.find(3)->link, 1U);
}

TEST(ShardMap, DrawsAmongBrokersThatAreThereButLeavesKeysAtHome) {
  ShardMap map;
  map.merge(0, {{0, 1, 0}, {1, 1, 0}});
  map.merge(1, {{2, 1, 1}, {3, 0, 1}});
  const auto home = drawn(map, "cart-17");
  map.set_up(1, true);
  EXPECT_EQ(drawn(map), (std::set<ShardNumber>{2})) << "3 takes no new orders";
  map.move(1, 1);
  EXPECT_EQ(drawn(map), (std::set<ShardNumber>{1, 2})) << "its new broker is there";
  EXPECT_EQ(drawn(map, "cart-17"), home);
  map.set_up(1, false);
  EXPECT_EQ(drawn(map), (std::set<ShardNumber>{0, 1, 2}));
}

}  // namespace
}  // namespace ordo::client
