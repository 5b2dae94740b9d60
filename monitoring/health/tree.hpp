// How well every part of a system is, as values: nodes with a colour and the reason for it, the
// edges between them, and what follows from both.
//
// Shapes:  a node is one process, shard, queue, dependency or client; nodes of one app do the same
//          work; apps of one kind are a group. An edge points from who needs to what is needed.
// Rule:    red beats yellow beats green; unknown says that nobody could tell.
// Threads: values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"

namespace ordo::health {

enum class Colour : std::int8_t { kUnknown = -1, kGreen = 0, kYellow = 1, kRed = 2 };
constexpr std::string_view to_string(Colour colour) {
  constexpr std::array<std::string_view, 4> kWords{"unknown", "green", "yellow", "red"};
  return kWords[static_cast<std::size_t>(static_cast<int>(colour) + 1)];
}

/// Why a node is not green: a bounded set, for labels and alerts.
enum class Reason : std::uint8_t {
  kNone,
  kErrors,       ///< too many calls of an interface failed for technical reasons
  kSlow,         ///< an interface takes a multiple of its normal time
  kStalled,      ///< the process answers, its loop does not come round
  kSilent,       ///< missed heartbeats
  kHung,         ///< slots whose handler does not come back
  kNoWorker,     ///< nobody serves the queue
  kOverLimit,    ///< more waits or comes than was allowed for
  kTooOld,       ///< the oldest task has waited too long
  kPaused,       ///< by an operator
  kClosed,       ///< a shard that nobody owns
  kProbeFailed,  ///< a write and read of the database failed
  kProbeSlow,    ///< … took too long
  kDeadRows,     ///< vacuum does not keep up
  kOldSnapshot,  ///< a transaction holds vacuum back
  kStale,        ///< what is known of it is too old
  kUnreachable,  ///< a broker that does not answer who asks for its health
  kBreaker       ///< calls of a dependency are held back, or only a few go out
};
inline constexpr std::array<std::string_view, 18> kReasonWords{
    "none",       "errors",     "slow",         "stalled", "silent",      "hung",
    "no_worker",  "over_limit", "too_old",      "paused",  "closed",      "probe_failed",
    "probe_slow", "dead_rows",  "old_snapshot", "stale",   "unreachable", "breaker"};
static_assert(kReasonWords[static_cast<std::size_t>(Reason::kUnreachable)] == "unreachable");
constexpr std::string_view to_string(Reason reason) {
  return kReasonWords[static_cast<std::size_t>(reason)];
}

enum class NodeType : std::uint8_t { kBroker, kShard, kQueue, kWorker, kDependency, kClient };
inline constexpr std::array<std::string_view, 6> kNodeTypeWords{"broker", "shard",      "queue",
                                                                "worker", "dependency", "client"};
constexpr std::string_view to_string(NodeType type) {
  return kNodeTypeWords[static_cast<std::size_t>(type)];
}
/// The group of a type's nodes on the page and in metrics.
constexpr std::string_view group_of(NodeType type) {
  constexpr std::array<std::string_view, 6> kGroups{"brokers", "shards",       "queues",
                                                    "workers", "dependencies", "clients"};
  return kGroups[static_cast<std::size_t>(type)];
}

/// What was found: the colour, why, and the two figures that a person compares.
struct Verdict {
  Colour colour = Colour::kGreen;
  Reason reason = Reason::kNone;
  std::string
      interface;     ///< which of the node's interfaces: "submit", "books.pay"; empty: it whole
  std::string text;  ///< one sentence for people; empty while green
  double value = 0;
  double normal = 0;
  std::string unit;  ///< of both figures: "seconds", "calls", "tasks"; empty: there are none
};
/// The worse of two; the first where they are alike.
const Verdict& worse(const Verdict& a, const Verdict& b);

struct Node {
  NodeType type = NodeType::kBroker;
  std::string app;
  std::string name;
  Verdict verdict;
  Wall since{};  ///< has had this colour since
  bool is_root_cause = false;

  /// "worker/pay-1": unique in a system.
  [[nodiscard]] std::string id() const;
};

struct Edge {
  std::string from;  ///< id of who needs
  std::string to;    ///< id of what is needed
  auto operator<=>(const Edge&) const = default;
};

struct Tree {
  std::string system;
  Wall at{};  ///< when it was judged
  std::vector<Node> nodes;
  std::vector<Edge> edges;

  /// Red with one red node, yellow with more than `yellow_nodes` yellow ones, unknown where nothing
  /// else is known of any.
  [[nodiscard]] Colour colour(std::size_t yellow_nodes = 2) const;
};

/// Marks the red nodes that need nothing else that is red. Red nodes in a ring are all marked.
void mark_root_causes(Tree& tree);
/// The same tree seen too late: every node turns unknown (stale), but for those of `type`.
void turn_stale(Tree& tree, NodeType but);

}  // namespace ordo::health
