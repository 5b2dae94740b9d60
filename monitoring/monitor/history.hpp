// What was, from Prometheus: a node's colours, orders a minute against yesterday and last week,
// alerts, and how fast queues move.
//
// Source:  the rules of monitoring/prometheus/rules; docs/monitor.md has the shapes.
// Threads: any.
// Bounds:  a week back from now (the curve's older two beyond that); some hundred points a series.
#pragma once

#include <map>
#include <string>

#include "base/http_server.hpp"
#include "monitoring/monitor/prometheus.hpp"
#include "monitoring/monitor/replies.hpp"

namespace ordo::monitor {

class History {
 public:
  static constexpr unsigned kMostMinutes = 7 * 24 * 60;

  explicit History(std::string url) : prometheus_(std::move(url)) {}

  [[nodiscard]] bool is_named() const { return prometheus_.is_named(); }
  HttpAnswer node(const HttpRequest& request);
  /// Of one system; empty: of all.
  HttpAnswer business(const HttpRequest& request, const std::string& system);
  HttpAnswer alerts();
  /// Tasks handed out a second by queue; empty where Prometheus does not know.
  std::map<std::string, double> queue_rates(const std::string& system);

 private:
  Prometheus prometheus_;
};

/// Prometheus' alerts as the API has them: critical ones first, firing before pending.
Json alerts_of(const Json& data);

}  // namespace ordo::monitor
