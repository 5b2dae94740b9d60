#include "base/metric_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "base/process_metrics.hpp"

namespace ordo {
namespace {

constexpr MetricFamily kSeen{
    "ordo_seen_total", MetricType::kCounter, "who,why", "Seen \\ so\nfar.", {}};
constexpr MetricFamily kAge{"ordo_age_seconds", MetricType::kGauge, "", "Its age.", {}, 1e6};
constexpr std::array<std::int64_t, 2> kBounds{50, 2'500'000};
constexpr MetricFamily kTook{
    "ordo_took_seconds", MetricType::kHistogram, "step", "What it took.", kBounds, 1e6};

TEST(MetricText, IsWhatPrometheusReads) {
  MetricText text;
  text.count(kSeen, {"a\"b\\c\nd", "x"}, 12'345'678'901);
  text.count(kSeen, {"", "y"}, 0);
  text.value(kAge, {}, 1'500'000);
  const std::array<std::uint64_t, 3> counts{2, 0, 1};
  text.histogram(kTook, {"pay"}, counts, 7'000'000);
  EXPECT_EQ(text.text(),
            "# HELP ordo_seen_total Seen \\\\ so\\nfar.\n"
            "# TYPE ordo_seen_total counter\n"
            "ordo_seen_total{who=\"a\\\"b\\\\c\\nd\",why=\"x\"} 12345678901\n"
            "ordo_seen_total{who=\"\",why=\"y\"} 0\n"
            "# HELP ordo_age_seconds Its age.\n"
            "# TYPE ordo_age_seconds gauge\n"
            "ordo_age_seconds 1.5\n"
            "# HELP ordo_took_seconds What it took.\n"
            "# TYPE ordo_took_seconds histogram\n"
            "ordo_took_seconds_bucket{step=\"pay\",le=\"0.00005\"} 2\n"
            "ordo_took_seconds_bucket{step=\"pay\",le=\"2.5\"} 2\n"
            "ordo_took_seconds_bucket{step=\"pay\",le=\"+Inf\"} 3\n"
            "ordo_took_seconds_sum{step=\"pay\"} 7\n"
            "ordo_took_seconds_count{step=\"pay\"} 3\n");
}

TEST(MetricTextDeathTest, TakesNoFamilyTwiceAndNoWrongNumberOfLabels) {
  EXPECT_DEATH(
      {
        MetricText text;
        text.value(kAge, {}, 1);
        text.count(kSeen, {"a", "b"}, 1);
        text.value(kAge, {}, 1);
      },
      "ordo_age_seconds");
  EXPECT_DEATH(MetricText().count(kSeen, {"a"}, 1), "ordo_seen_total");
  EXPECT_DEATH(MetricText().count(kSeen, {"a", "b", "c"}, 1), "ordo_seen_total");
}

TEST(ProcessMetrics, SayWhatTheKernelSays) {
  MetricText text;
  write_process_metrics(text);
  for (const ListedMetric& row : metrics::kProcess) {
    const std::string line = "\n" + std::string(row.family->name) + " ";
    const auto at = text.text().find(line);
    ASSERT_NE(at, std::string::npos) << row.family->name;
    // A test may have run for less than a tick of the processor's clock.
    if (row.family == &metrics::kProcessCpu) continue;
    EXPECT_GT(std::stod(text.text().substr(at + line.size())), 0) << row.family->name;
  }
}

}  // namespace
}  // namespace ordo
