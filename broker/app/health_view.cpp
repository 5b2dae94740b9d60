#include "broker/app/health_view.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/health/tree_json.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {

void HealthView::publish(health::Tree tree) {
  const std::lock_guard lock(mutex_);
  last_ = std::move(tree);
}

health::Tree HealthView::tree(Steady now) const {
  health::Tree tree;
  {
    const std::lock_guard lock(mutex_);
    tree = last_;
  }
  const health::Verdict loop = health::judge_loop(loop_.age(now), thresholds_);
  if (loop.colour == health::Colour::kGreen) return tree;
  health::turn_stale(tree, health::NodeType::kBroker);
  for (health::Node& node : tree.nodes) {
    if (node.type == health::NodeType::kBroker) node.verdict = loop;
  }
  health::mark_root_causes(tree);
  return tree;
}

HttpAnswer HealthView::json(Steady now) const {
  // Names of workers are whatever they said: what is no UTF-8 is replaced, never an exception.
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return {200, "application/json",
          health::to_json(tree(now)).dump(-1, ' ', false, kReplace) + "\n"};
}

HttpAnswer HealthView::metrics(Steady now) const {
  const health::Tree seen = tree(now);
  // A book of its own each time: nodes come and go, and a series that is gone must not stay.
  MetricBook book;
  for (const auto& node : seen.nodes) {
    const MetricBook::Labels labels{seen.system, std::string(health::group_of(node.type)), node.app,
                                    node.name, std::string(health::to_string(node.type))};
    book.gauge(metrics::kNodeHealth, labels).set(static_cast<int>(node.verdict.colour));
    book.gauge(metrics::kNodeRootCause, labels).set(node.is_root_cause ? 1 : 0);
    if (node.verdict.colour == health::Colour::kGreen) continue;
    auto with_reason = labels;
    with_reason.emplace_back(health::to_string(node.verdict.reason));
    book.gauge(metrics::kNodeReason, with_reason).set(1);
  }
  return {200, "text/plain; version=0.0.4; charset=utf-8", book.text()};
}

}  // namespace ordo
