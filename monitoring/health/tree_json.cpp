#include "monitoring/health/tree_json.hpp"

#include <algorithm>
#include <utility>

namespace ordo::health {
namespace {

using Json = nlohmann::json;

// Far above 4,096 shards and 16,384 workers: more is no broker of ours.
constexpr std::size_t kNodes = 20'000;
constexpr std::size_t kEdges = 200'000;

Json node_json(const Node& node) {
  const Verdict& verdict = node.verdict;
  Json json{{"id", node.id()},
            {"group", group_of(node.type)},
            {"app", node.app},
            {"node", node.name},
            {"type", to_string(node.type)},
            {"status", to_string(verdict.colour)},
            {"reason", to_string(verdict.reason)},
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

tl::unexpected<Error> wrong(const std::string& what) {
  return fail(Code::kMalformed, "health", "what was answered is no health of a broker: " + what);
}

std::string text_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

template <class T> T number_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number() ? found->get<T>() : T{};
}

/// The list below `name`, or an empty one.
const Json& list_at(const Json& json, const char* name) {
  static const Json kNone = Json::array();
  const auto found = json.find(name);
  return found != json.end() && found->is_array() ? *found : kNone;
}

template <class Words> std::size_t place_of(const Words& words, const std::string& word) {
  return static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin());
}

Colour colour_of(const std::string& word) {
  for (const Colour colour : {Colour::kGreen, Colour::kYellow, Colour::kRed}) {
    if (to_string(colour) == word) return colour;
  }
  return Colour::kUnknown;
}

Node node_of(const Json& json) {
  Node node;
  const std::size_t type = place_of(kNodeTypeWords, text_at(json, "type"));
  node.type = type < kNodeTypeWords.size() ? static_cast<NodeType>(type) : NodeType::kDependency;
  node.app = text_at(json, "app");
  node.name = text_at(json, "node");
  const std::size_t reason = place_of(kReasonWords, text_at(json, "reason"));
  node.verdict.reason = reason < kReasonWords.size() ? static_cast<Reason>(reason) : Reason::kNone;
  node.verdict.colour = colour_of(text_at(json, "status"));
  node.verdict.text = text_at(json, "text");
  node.verdict.interface = text_at(json, "interface");
  node.verdict.unit = text_at(json, "unit");
  node.verdict.value = number_at<double>(json, "value");
  node.verdict.normal = number_at<double>(json, "normal");
  node.since = wall_from_ms(number_at<std::int64_t>(json, "since_ms"));
  return node;
}

}  // namespace

Json to_json(const Tree& tree) {
  Json json{{"system", tree.system},
            {"status", to_string(tree.colour())},
            {"at_ms", to_ms(tree.at)},
            {"nodes", Json::array()},
            {"edges", Json::array()}};
  for (const Node& node : tree.nodes) json["nodes"].push_back(node_json(node));
  for (const Edge& edge : tree.edges) {
    json["edges"].push_back({{"from", edge.from}, {"to", edge.to}});
  }
  return json;
}

Result<Tree> parse_tree(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong("it is no JSON object");
  Tree tree;
  tree.system = text_at(json, "system");
  tree.at = wall_from_ms(number_at<std::int64_t>(json, "at_ms"));
  const Json& nodes = list_at(json, "nodes");
  const Json& edges = list_at(json, "edges");
  if (tree.system.empty()) return wrong("it names no system");
  if (nodes.size() > kNodes || edges.size() > kEdges)
    return wrong("it has too many nodes or edges");
  for (const Json& node : nodes) {
    if (!node.is_object() || text_at(node, "node").empty()) return wrong("a node has no name");
    tree.nodes.push_back(node_of(node));
  }
  for (const Json& edge : edges) {
    if (!edge.is_object()) return wrong("an edge is no object");
    tree.edges.push_back({text_at(edge, "from"), text_at(edge, "to")});
  }
  return tree;
}

}  // namespace ordo::health
