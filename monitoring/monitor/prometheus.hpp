// Questions to a Prometheus over its HTTP API, and the answers of the last moments.
//
// Rule:    the same question within kKept is asked once, also where it failed: ten open pages cost
//          what one costs.
// Errors:  kUnavailable "prometheus" where it is not named, does not answer or does not understand.
// Threads: any; who asks the same waits for the one that went first.
// Bounds:  2 s patience a phase; the answers of kEntries questions.
// Source:  prometheus.io, HTTP API v1.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "client/json/json_views.hpp"
#include "ordo/result.hpp"

namespace ordo::monitor {

using client::Json;

/// Moments of a range query, in seconds since 1970, all on the step's grid.
struct TimeRange {
  std::int64_t start = 0, end = 0, step = 1;
};
/// `minutes` up to now, in steps of at least `least_step` seconds, at most `most_points` of them.
TimeRange range_until(std::int64_t now_s, unsigned minutes, std::int64_t least_step,
                      std::int64_t most_points);

struct Series {
  std::map<std::string, std::string> labels;
  std::vector<std::pair<std::int64_t, double>> points;  ///< finite ones
};

class Prometheus {
 public:
  static constexpr Millis kKept{2000};
  static constexpr std::size_t kEntries = 256;

  /// `url` as "http://127.0.0.1:9090"; empty: there is none.
  explicit Prometheus(std::string url) : url_(std::move(url)) {}

  [[nodiscard]] bool is_named() const { return !url_.empty(); }
  Result<std::vector<Series>> range(const std::string& query, const TimeRange& range);
  Result<std::vector<Series>> now(const std::string& query);
  /// What /api/v1/alerts has under "data".
  Result<Json> alerts();

 private:
  struct Entry {
    std::mutex mutex;
    Steady made{};
    std::shared_ptr<const Result<Json>> data;
  };
  std::shared_ptr<const Result<Json>> ask(const std::string& path);

  const std::string url_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
};

/// A label's value as it stands between quotes in PromQL.
std::string promql_text(std::string_view value);
/// The series of an answer's "data", of a range or a moment; what is none is left out.
std::vector<Series> series_of(const Json& data);
/// Milliseconds since 1970 of "2026-03-04T05:06:07.89Z"; 0 for what is no such text.
std::int64_t time_of_text(const std::string& text);

}  // namespace ordo::monitor
