#include "monitoring/probe/metric_book.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace ordo {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<std::int64_t, 2> kBounds{1000, 1'000'000};
constexpr MetricFamily kCount{"ordo_test_total", MetricType::kCounter, "a,b", "Counts.", {}};
constexpr MetricFamily kTook{
    "ordo_test_seconds", MetricType::kHistogram, "", "Takes.", kBounds, 1e6};

TEST(MetricBook, ShowsWhatPrometheusReads) {
  MetricBook book;
  book.counter(kCount, {"x", "y\"\n"}).add(3);
  auto& took = book.histogram(kTook);
  took.observe(Micros{1000});
  took.observe(Micros{1001});
  took.observe(Micros{5'000'000});
  const std::string text = book.text();
  EXPECT_THAT(
      text,
      HasSubstr("# TYPE ordo_test_total counter\nordo_test_total{a=\"x\",b=\"y\\\"\\n\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ordo_test_seconds_bucket{le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("ordo_test_seconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("ordo_test_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("ordo_test_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("ordo_test_seconds_sum 5.002001\n"));
}

TEST(MetricBook, GivesTheSameCellForTheSameLabels) {
  MetricBook book;
  EXPECT_EQ(&book.counter(kCount, {"x", "y"}), &book.counter(kCount, {"x", "y"}));
  EXPECT_NE(&book.counter(kCount, {"x", "y"}), &book.counter(kCount, {"x", "z"}));
}

TEST(MetricBook, StopsALabelThatGrowsWithTheTraffic) {
  MetricBook book;
  for (int i = 0; i < 6000; ++i) book.counter(kCount, {"x", std::to_string(i)}).add();
  const std::string text = book.text();
  EXPECT_THAT(text, HasSubstr("ordo_test_total{a=\"other\",b=\"other\"} 1000\n"));
  EXPECT_THAT(text, Not(HasSubstr("b=\"5500\"")));
}

TEST(MetricBook, IsReadWhileItIsWritten) {
  MetricBook book;
  book.counter(kCount, {"x", "0"});
  std::jthread writer([&book](const std::stop_token& stop) {
    for (int i = 0; !stop.stop_requested(); ++i) {
      book.counter(kCount, {"x", std::to_string(i % 100)}).add();
      book.histogram(kTook).observe(Micros{i});
    }
  });
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(book.text().empty());
}

}  // namespace
}  // namespace ordo
