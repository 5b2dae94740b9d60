#include "broker/app/health_view.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

nlohmann::json as_json(const health::Node& node) {
  const health::Verdict& verdict = node.verdict;
  nlohmann::json json{{"id", node.id()},
                      {"group", health::group_of(node.type)},
                      {"app", node.app},
                      {"node", node.name},
                      {"type", health::to_string(node.type)},
                      {"status", health::to_string(verdict.colour)},
                      {"reason", health::to_string(verdict.reason)},
                      {"text", verdict.text},
                      {"interface", verdict.interface},
                      {"since_ms", to_ms(node.since)},
                      {"root_cause", node.is_root_cause}};
  if (!verdict.unit.empty()) {
    json["value"] = verdict.value;
    json["normal"] = verdict.normal;
    json["unit"] = verdict.unit;
  }
  return json;
}

}  // namespace

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
  const health::Tree seen = tree(now);
  nlohmann::json json{{"system", seen.system},
                      {"status", health::to_string(seen.colour())},
                      {"at_ms", to_ms(seen.at)},
                      {"nodes", nlohmann::json::array()},
                      {"edges", nlohmann::json::array()}};
  for (const auto& node : seen.nodes) json["nodes"].push_back(as_json(node));
  for (const auto& edge : seen.edges)
    json["edges"].push_back({{"from", edge.from}, {"to", edge.to}});
  // Names of workers are whatever they said: what is no UTF-8 is replaced, never an exception.
  constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
  return {200, "application/json", json.dump(-1, ' ', false, kReplace) + "\n"};
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
