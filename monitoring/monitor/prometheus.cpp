#include "monitoring/monitor/prometheus.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/clock.hpp"
#include "base/http_get.hpp"

namespace ordo::monitor {
namespace {

constexpr Millis kPatience{2000};

tl::unexpected<Error> unavailable(const std::string& message) {
  return fail(Code::kUnavailable, "prometheus", message);
}

/// Everything but letters and digits as %XX.
std::string percent_encoded(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (is_plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

Result<Json> data_of(const Result<HttpReply>& reply) {
  if (!reply) return unavailable("Prometheus cannot be asked: " + reply.error().message);
  Json json = Json::parse(reply->body, nullptr, false);
  if (!json.is_object()) {
    return unavailable("Prometheus answered with status " + std::to_string(reply->status) +
                       " and no JSON: is that its address?");
  }
  const auto status = json.find("status");
  if (status == json.end() || *status != "success" || !json.contains("data")) {
    const auto error = json.find("error");
    return unavailable("Prometheus did not answer: " + (error != json.end() && error->is_string()
                                                            ? error->get<std::string>()
                                                            : "no reason was given"));
  }
  return std::move(json["data"]);
}

/// [seconds, "value"]
void add_point(const Json& sample, std::vector<std::pair<std::int64_t, double>>& points) {
  if (!sample.is_array() || sample.size() != 2 || !sample[0].is_number() || !sample[1].is_string())
    return;
  const double value = std::strtod(sample[1].get_ref<const std::string&>().c_str(), nullptr);
  if (std::isfinite(value)) {
    points.emplace_back(static_cast<std::int64_t>(sample[0].get<double>()), value);
  }
}

Result<std::vector<Series>> as_series(const std::shared_ptr<const Result<Json>>& data) {
  if (!*data) return tl::unexpected(data->error());
  return series_of(**data);
}

}  // namespace

TimeRange range_until(std::int64_t now_s, unsigned minutes, std::int64_t least_step,
                      std::int64_t most_points) {
  const std::int64_t span = std::int64_t{minutes} * 60;
  // On a grid, so that pages that ask within one step ask the same.
  const std::int64_t steps = (span + most_points * least_step - 1) / (most_points * least_step);
  const std::int64_t step = least_step * std::max<std::int64_t>(steps, 1);
  const std::int64_t end = now_s / step * step;
  return {end - span / step * step, end, step};
}

std::shared_ptr<const Result<Json>> Prometheus::ask(const std::string& path) {
  if (url_.empty()) {
    return std::make_shared<Result<Json>>(
        unavailable("This monitor knows no Prometheus: name one with --prometheus."));
  }
  std::shared_ptr<Entry> entry;
  {
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= kEntries) entries_.clear();
    auto& place = entries_[path];
    if (!place) place = std::make_shared<Entry>();
    entry = place;
  }
  const std::lock_guard lock(entry->mutex);
  if (!entry->data || steady_now() - entry->made > kKept) {
    entry->data = std::make_shared<Result<Json>>(data_of(http_get(url_ + path, kPatience)));
    entry->made = steady_now();
  }
  return entry->data;
}

Result<std::vector<Series>> Prometheus::range(const std::string& query, const TimeRange& range) {
  return as_series(ask("/api/v1/query_range?query=" + percent_encoded(query) + "&start=" +
                       std::to_string(range.start) + "&end=" + std::to_string(range.end) +
                       "&step=" + std::to_string(range.step)));
}

Result<std::vector<Series>> Prometheus::now(const std::string& query) {
  return as_series(ask("/api/v1/query?query=" + percent_encoded(query)));
}

Result<Json> Prometheus::alerts() { return *ask("/api/v1/alerts"); }

std::string promql_text(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<Series> series_of(const Json& data) {
  std::vector<Series> all;
  const auto result = data.is_object() ? data.find("result") : data.end();
  if (!data.is_object() || result == data.end() || !result->is_array()) return all;
  for (const Json& one : *result) {
    if (!one.is_object()) continue;
    Series series;
    if (const auto labels = one.find("metric"); labels != one.end() && labels->is_object()) {
      for (const auto& [name, value] : labels->items()) {
        if (value.is_string()) series.labels[name] = value.get<std::string>();
      }
    }
    if (const auto values = one.find("values"); values != one.end() && values->is_array()) {
      for (const Json& sample : *values) add_point(sample, series.points);
    }
    if (const auto value = one.find("value"); value != one.end()) add_point(*value, series.points);
    all.push_back(std::move(series));
  }
  return all;
}

std::int64_t time_of_text(const std::string& text) {
  std::tm parts{};
  double seconds = 0;
  const int found =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &seconds);
  if (found != 6) return 0;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<std::int64_t>(::timegm(&parts)) * 1000 +
         static_cast<std::int64_t>(seconds * 1000);
}

}  // namespace ordo::monitor
