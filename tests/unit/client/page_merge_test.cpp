#include "client/net/page_merge.hpp"

#include <gtest/gtest.h>

namespace ordo::client {
namespace {

OrderId id(int n) { return OrderId::make(1'700'000'000'000 + n, 0, 1); }

wire::OrderPage page(std::initializer_list<int> orders, bool is_last, int after = 0) {
  wire::OrderPage page;
  for (const int n : orders) page.orders.push_back({.id = id(n)});
  page.is_last = is_last;
  if (after != 0) page.after = id(after);
  return page;
}

std::vector<int> numbers(const OrderPage& page) {
  std::vector<int> found;
  for (const auto& order : page.orders) {
    for (int n = 0; n < 100; ++n) {
      if (order.id == id(n)) found.push_back(n);
    }
  }
  return found;
}

using Numbers = std::vector<int>;

TEST(PageMerge, TakesTheFirstOfAllShards) {
  PageMerge merge(false);
  merge.add(page({1, 4, 7}, true));
  merge.add(page({2, 3, 9}, true));
  const OrderPage taken = merge.take(4, {});
  EXPECT_EQ(numbers(taken), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(taken.after, id(4));
  EXPECT_FALSE(taken.is_last);
}

TEST(PageMerge, ShowsNothingBehindWhereAShardStopped) {
  PageMerge merge(true);
  merge.add(page({9, 8}, false, 5));  // looked as far as 5, and there is more
  merge.add(page({7, 4, 3}, true));
  const OrderPage taken = merge.take(100, {});
  EXPECT_EQ(numbers(taken), (Numbers{9, 8, 7}));
  EXPECT_EQ(taken.after, id(5));
  EXPECT_FALSE(taken.is_last);
}

TEST(PageMerge, GoesOnOverAPageThatShowsNothing) {
  PageMerge merge(true);
  merge.add(page({}, false, 50));
  merge.add(page({}, false, 40));
  const OrderPage taken = merge.take(10, id(90));
  EXPECT_TRUE(taken.orders.empty());
  EXPECT_EQ(taken.after, id(50));
  EXPECT_FALSE(taken.is_last);
}

TEST(PageMerge, ABrokerThatNamesNoPlaceLookedAtWhatItShows) {
  PageMerge merge(false);
  merge.add(page({1, 2}, false));
  merge.add(page({3}, true));
  const OrderPage taken = merge.take(10, {});
  EXPECT_EQ(numbers(taken), (Numbers{1, 2}));
  EXPECT_EQ(taken.after, id(2));
}

TEST(PageMerge, TheEndIsSaidOnce) {
  PageMerge merge(false);
  merge.add(page({}, true));
  const OrderPage taken = merge.take(10, id(7));
  EXPECT_TRUE(taken.is_last);
  EXPECT_EQ(taken.after, id(7));
}

}  // namespace
}  // namespace ordo::client
