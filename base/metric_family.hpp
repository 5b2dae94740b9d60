// What a metric is called, counts and means: the rows that programs count into, texts for
// Prometheus are written from and docs/metrics.md is made of.
//
// Rule:    names follow Prometheus: base units, `_total` on counters, no label that grows with
//          orders or users. One event is counted in one counter; outcomes of a counter exclude
//          each other and add up.
// Threads: constants.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace ordo {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

/// What tables of documents and tests say about a metric.
struct MetricFamily {
  std::string_view name;
  MetricType type = MetricType::kCounter;
  std::string_view labels;  ///< names, separated by commas; empty: none
  std::string_view help;
  std::span<const std::int64_t>
      bounds;       ///< histograms: upper bounds as they are counted, ascending
  double unit = 1;  ///< how many of what is counted make one of what is shown: 1e6 for microseconds
};

/// Who looks at it, and when.
enum class MetricTier : std::uint8_t {
  kCore,         ///< is it well? Every dashboard
  kOperational,  ///< alerts read it, or who follows a runbook
  kDiagnostic    ///< for somebody who looks for a cause
};

/// A row of docs/metrics.md.
struct ListedMetric {
  const MetricFamily* family;
  MetricTier tier;
};

namespace metrics {

/// Counted in microseconds, shown in seconds.
inline constexpr double kMicros = 1e6;

/// How long work takes: from 1 ms to 24 h, because a wait is most interesting when it is long.
inline constexpr std::array<std::int64_t, 22> kWorkBounds{
    1'000,          2'500,          5'000,          10'000,        25'000,      50'000,
    100'000,        250'000,        500'000,        1'000'000,     2'500'000,   5'000'000,
    10'000'000,     30'000'000,     60'000'000,     300'000'000,   900'000'000, 3'600'000'000,
    10'800'000'000, 21'600'000'000, 43'200'000'000, 86'400'000'000};
/// How long the machinery takes: 50 µs to 10 s.
inline constexpr std::array<std::int64_t, 17> kFastBounds{
    50,     100,     250,     500,     1'000,     2'500,     5'000,     10'000,    25'000,
    50'000, 100'000, 250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000};

}  // namespace metrics
}  // namespace ordo
