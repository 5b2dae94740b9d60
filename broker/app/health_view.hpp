// The health of the system as this broker sees it, for whoever asks over HTTP: as JSON and as
// metrics.
//
// Rule:    the loop publishes a tree once a second; who asks gets it with the broker's own node
//          judged by the age of the loop's last pass. While the loop stands still, what it said of
//          others is unknown.
// Threads: publish() by the loop, the rest by HTTP threads; one mutex around the last tree.
#pragma once

#include <mutex>

#include "base/http_server.hpp"
#include "broker/app/health.hpp"
#include "monitoring/health/rules.hpp"

namespace ordo {

class HealthView {
 public:
  HealthView(const Health& loop, health::Thresholds thresholds)
      : loop_(loop), thresholds_(thresholds) {}

  void publish(health::Tree tree);
  [[nodiscard]] health::Tree tree(Steady now) const;
  /// docs/health.md says what is in it.
  [[nodiscard]] HttpAnswer json(Steady now) const;
  /// The same in Prometheus' text format.
  [[nodiscard]] HttpAnswer metrics(Steady now) const;

 private:
  const Health& loop_;
  const health::Thresholds thresholds_;
  mutable std::mutex mutex_;
  health::Tree last_;
};

}  // namespace ordo
