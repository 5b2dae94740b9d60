#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

#include "client/core/requests.hpp"
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

}  // namespace
}  // namespace ordo::client
