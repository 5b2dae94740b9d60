#include "monitoring/health/tree.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ordo::health {

const Verdict& worse(const Verdict& a, const Verdict& b) { return b.colour > a.colour ? b : a; }

std::string Node::id() const { return std::string(to_string(type)) + "/" + name; }

Colour Tree::colour(std::size_t yellow_nodes) const {
  const auto count = [this](Colour colour) {
    return static_cast<std::size_t>(std::count_if(
        nodes.begin(), nodes.end(), [&](const Node& n) { return n.verdict.colour == colour; }));
  };
  if (count(Colour::kRed) > 0) return Colour::kRed;
  if (count(Colour::kYellow) > yellow_nodes) return Colour::kYellow;
  if (count(Colour::kUnknown) == nodes.size()) return Colour::kUnknown;
  return Colour::kGreen;
}

void mark_root_causes(Tree& tree) {
  std::map<std::string, std::vector<std::string>> needs;
  for (const Edge& edge : tree.edges) needs[edge.from].push_back(edge.to);
  std::set<std::string> red;
  for (const Node& node : tree.nodes) {
    if (node.verdict.colour == Colour::kRed) red.insert(node.id());
  }
  for (Node& node : tree.nodes) {
    const std::string id = node.id();
    node.is_root_cause = false;
    if (!red.contains(id)) continue;
    std::set<std::string> seen{id};
    std::vector<std::string> open{id};
    bool is_caused = false;
    while (!open.empty() && !is_caused) {
      const std::string at = std::move(open.back());
      open.pop_back();
      for (const std::string& next : needs[at]) {
        if (!seen.insert(next).second) continue;
        // In a ring each needs the other: none of it can be told from the cause.
        const auto& back = needs[next];
        const bool is_ring = std::find(back.begin(), back.end(), id) != back.end();
        is_caused = is_caused || (red.contains(next) && !is_ring);
        open.push_back(next);
      }
    }
    node.is_root_cause = !is_caused;
  }
}

void turn_stale(Tree& tree, NodeType but) {
  for (Node& node : tree.nodes) {
    if (node.type == but) continue;
    node.verdict = {.colour = Colour::kUnknown,
                    .reason = Reason::kStale,
                    .text = "Nothing new is known of it: the broker that watches it has stalled."};
    node.is_root_cause = false;
  }
}

}  // namespace ordo::health
