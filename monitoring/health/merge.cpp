#include "monitoring/health/merge.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace ordo::health {
namespace {

constexpr std::string_view kScheme = "http://";

std::string address_of(const std::string& url) {
  return url.starts_with(kScheme) ? url.substr(kScheme.size()) : url;
}

Node* broker_of(Tree& tree) {
  const auto found = std::find_if(tree.nodes.begin(), tree.nodes.end(),
                                  [](const Node& n) { return n.type == NodeType::kBroker; });
  return found == tree.nodes.end() ? nullptr : &*found;
}

/// A source with its tree ready to be merged: there is a node of the broker in it, whose name no
/// other has.
struct Voice {
  const Source* source;
  Tree tree;
};

void rename(Tree& tree, Node& broker, const std::string& name) {
  const std::string before = broker.id();
  broker.name = name;
  for (Edge& edge : tree.edges) {
    if (edge.from == before) edge.from = broker.id();
    if (edge.to == before) edge.to = broker.id();
  }
}

std::vector<Voice> voices_of(const std::vector<Source>& sources) {
  std::vector<Voice> voices;
  std::set<std::string> names;
  for (const Source& source : sources) {
    Voice voice{&source, source.last.value_or(Tree{})};
    if (broker_of(voice.tree) == nullptr) {
      voice.tree.nodes.insert(
          voice.tree.nodes.begin(),
          {.type = NodeType::kBroker, .app = "broker", .name = address_of(source.url)});
    }
    Node& broker = *broker_of(voice.tree);
    if (!names.insert(broker.name).second) {
      rename(voice.tree, broker, broker.name + " (" + address_of(source.url) + ")");
      names.insert(broker.name);
    }
    voices.push_back(std::move(voice));
  }
  return voices;
}

Verdict unreachable(const Source& source) {
  if (!source.is_asked) {
    return {.colour = Colour::kUnknown,
            .reason = Reason::kStale,
            .text = "It has not answered yet: it is being asked for the first time."};
  }
  Verdict verdict{.colour = Colour::kRed, .reason = Reason::kUnreachable};
  verdict.text = "It does not tell its health: " + source.error + "; ";
  verdict.text += source.last ? "last heard of " + age_text(source.age) + " ago."
                              : "it has never been heard of.";
  return verdict;
}

Verdict stale(const Source& source) {
  return {.colour = Colour::kUnknown,
          .reason = Reason::kStale,
          .text = "Last heard of " + age_text(source.age) + " ago: the broker at " + source.url +
                  " does not answer."};
}

bool is_closed_shard(const Node& node) {
  return node.type == NodeType::kShard && node.verdict.reason == Reason::kClosed;
}

class Merger {
 public:
  explicit Merger(std::vector<Voice> voices) : voices_(std::move(voices)) {
    for (const Voice& voice : voices_) {
      for (const Node& node : voice.tree.nodes) {
        const bool is_open = node.type == NodeType::kShard && !is_closed_shard(node);
        if (is_open) owned_.insert(node.id());
      }
    }
  }

  Tree run(const std::string& system, Wall now) {
    for (const Voice& voice : voices_) {
      if (voice.source->is_reachable) hear(voice);
    }
    for (const Voice& voice : voices_) {
      if (!voice.source->is_reachable) miss(voice);
    }
    Tree tree{.system = system, .at = now};
    for (auto& [id, node] : nodes_) tree.nodes.push_back(std::move(node));
    tree.edges.assign(edges_.begin(), edges_.end());
    mark_root_causes(tree);
    return tree;
  }

 private:
  void hear(const Voice& voice) {
    edges_.insert(voice.tree.edges.begin(), voice.tree.edges.end());
    for (const Node& node : voice.tree.nodes) {
      if (is_closed_shard(node) && owned_.contains(node.id())) continue;
      const auto [place, is_new] = nodes_.emplace(node.id(), node);
      if (!is_new && node.verdict.colour > place->second.verdict.colour) place->second = node;
    }
  }

  /// Only what nobody else spoke of, beside the broker itself.
  void miss(const Voice& voice) {
    edges_.insert(voice.tree.edges.begin(), voice.tree.edges.end());
    for (const Node& node : voice.tree.nodes) {
      Node silent = node;
      const bool is_itself = node.type == NodeType::kBroker;
      silent.verdict = is_itself ? unreachable(*voice.source) : stale(*voice.source);
      silent.since = voice.source->since;
      nodes_.emplace(node.id(), std::move(silent));
    }
  }

  std::vector<Voice> voices_;
  std::set<std::string> owned_;  ///< shards that a broker owns, or owned when it was last heard of
  std::map<std::string, Node> nodes_;
  std::set<Edge> edges_;
};

int badness(Colour colour) {
  // What nobody can tell is worse than what is known to be well.
  return colour == Colour::kUnknown ? 1
         : colour == Colour::kGreen ? 0
                                    : static_cast<int>(colour) + 1;
}

}  // namespace

std::string Source::system() const { return last ? last->system : address_of(url); }

std::string age_text(Millis age) {
  const auto seconds = std::max<std::int64_t>(age.count() / 1000, 0);
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 2 * 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 2 * 86'400) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86'400) + " d";
}

Tree merge(const std::vector<Source>& sources, const std::string& system, Wall now) {
  return Merger(voices_of(sources)).run(system, now);
}

std::vector<Tree> merge_all(const std::vector<Source>& sources, Wall now) {
  std::set<std::string> known;
  for (const Source& source : sources) {
    if (source.last) known.insert(source.last->system);
  }
  std::map<std::string, std::vector<Source>> systems;
  for (const Source& source : sources) {
    const bool is_theirs = !source.last && known.size() == 1;
    systems[is_theirs ? *known.begin() : source.system()].push_back(source);
  }
  std::vector<Tree> trees;
  for (const auto& [name, members] : systems) trees.push_back(merge(members, name, now));
  std::stable_sort(trees.begin(), trees.end(), [](const Tree& a, const Tree& b) {
    return badness(a.colour()) > badness(b.colour());
  });
  return trees;
}

}  // namespace ordo::health
