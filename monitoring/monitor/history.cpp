#include "monitoring/monitor/history.hpp"

#include <algorithm>
#include <tuple>
#include <vector>

#include "base/clock.hpp"
#include "schema/text.hpp"

namespace ordo::monitor {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::size_t kAlerts = 500;
// A node's colour changes within seconds, a curve of orders within minutes; a screen has no more
// columns.
constexpr std::int64_t kColourStep = 15, kCurveStep = 60, kPoints = 720;

std::int64_t now_s() { return to_ms(wall_now()) / 1000; }

std::string matcher(const std::string& label, const std::string& value) {
  return label + "=\"" + promql_text(value) + "\"";
}

Json points_json(const std::vector<Series>& all, std::int64_t shift) {
  Json points = Json::array();
  if (all.empty()) return points;
  for (const auto& [at, value] : all.front().points) {
    points.push_back(Json::array({at + shift, value}));
  }
  return points;
}

std::string text_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Json object_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : Json::object();
}

int rank_of(const std::string& severity) {
  return severity == "critical" ? 0 : severity == "warning" ? 1 : 2;
}

}  // namespace

HttpAnswer History::node(const HttpRequest& request) {
  const auto minutes = query_number(request, "minutes", 1, kMostMinutes, 60);
  if (!minutes) return refuse(minutes.error());
  std::string labels;
  for (const char* const name : {"system", "type", "node"}) {
    const std::string value = query_text(request, name);
    if (value.empty() || !is_text(value)) {
      return refuse(400, "query", "Name a node: system, type and node are needed, as text.");
    }
    labels += (labels.empty() ? "" : ",") + matcher(name, value);
  }
  const TimeRange range = range_until(now_s(), *minutes, kColourStep, kPoints);
  const auto colours = prometheus_.range("max(node:ordo_health:max{" + labels + "})", range);
  if (!colours) return refuse(colours.error());
  const auto reasons =
      prometheus_.range("max by (reason) (node:ordo_reason:max{" + labels + "}) == 1", range);
  if (!reasons) return refuse(reasons.error());
  Json health = Json::array();
  for (const auto& [at, value] : colours->empty() ? Series{}.points : colours->front().points) {
    health.push_back(Json::array({at, static_cast<int>(value)}));
  }
  Json why = Json::array();
  for (const Series& one : *reasons) {
    Json points = Json::array();
    for (const auto& [at, value] : one.points) points.push_back(at);
    const auto reason = one.labels.find("reason");
    why.push_back({{"reason", reason == one.labels.end() ? "" : reason->second},
                   {"points", std::move(points)}});
  }
  return ok({{"step_s", range.step}, {"health", std::move(health)}, {"reasons", std::move(why)}});
}

HttpAnswer History::business(const HttpRequest& request, const std::string& system) {
  const auto minutes = query_number(request, "minutes", 1, kMostMinutes, 60);
  if (!minutes) return refuse(minutes.error());
  const TimeRange range = range_until(now_s(), *minutes, kCurveStep, kPoints);
  // A rate needs two scrapes, and nothing between two points may fall out.
  const std::int64_t window = std::max<std::int64_t>(2 * kCurveStep, range.step);
  const std::string labels = system.empty() ? "" : "{" + matcher("system", system) + "}";
  const std::string query =
      "60 * sum(rate(ordo_orders_accepted_total" + labels + "[" + std::to_string(window) + "s]))";
  Json json{{"step_s", range.step}};
  for (const auto& [name, back] : {std::pair("now", std::int64_t{0}), std::pair("yesterday", kDay),
                                   std::pair("last_week", 7 * kDay)}) {
    const auto curve = prometheus_.range(query, {range.start - back, range.end - back, range.step});
    if (!curve) return refuse(curve.error());
    json[name] = points_json(*curve, back);
  }
  return ok(json);
}

Json alerts_of(const Json& data) {
  std::vector<std::pair<std::tuple<int, bool, std::int64_t>, Json>> found;
  const auto list = data.is_object() ? data.find("alerts") : data.end();
  if (!data.is_object() || list == data.end() || !list->is_array()) return Json::array();
  for (const Json& one : *list) {
    if (!one.is_object() || found.size() == kAlerts) continue;
    Json labels = object_in(one, "labels");
    const Json notes = object_in(one, "annotations");
    const std::string severity = text_in(labels, "severity");
    const std::string state = text_in(one, "state");
    const std::string name = text_in(labels, "alertname");
    const std::int64_t since = time_of_text(text_in(one, "activeAt"));
    labels.erase("alertname");
    labels.erase("severity");
    found.push_back({{rank_of(severity), state != "firing", since},
                     {{"name", name},
                      {"severity", severity},
                      {"state", state},
                      {"since_ms", since},
                      {"summary", text_in(notes, "summary")},
                      {"description", text_in(notes, "description")},
                      {"runbook", text_in(notes, "runbook_url")},
                      {"labels", std::move(labels)}}});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Json alerts = Json::array();
  for (auto& [rank, alert] : found) alerts.push_back(std::move(alert));
  return alerts;
}

HttpAnswer History::alerts() {
  const auto data = prometheus_.alerts();
  if (!data) return refuse(data.error());
  return ok({{"alerts", alerts_of(*data)}});
}

std::map<std::string, double> History::queue_rates(const std::string& system) {
  std::map<std::string, double> rates;
  if (!is_named()) return rates;
  const std::string labels = system.empty() ? "" : "{" + matcher("system", system) + "}";
  const auto found =
      prometheus_.now("sum by (queue) (rate(ordo_tasks_dispatched_total" + labels + "[1m]))");
  if (!found) return rates;
  for (const Series& one : *found) {
    const auto queue = one.labels.find("queue");
    if (queue != one.labels.end() && !one.points.empty()) {
      rates[queue->second] = one.points.back().second;
    }
  }
  return rates;
}

}  // namespace ordo::monitor
