// What several brokers say of one system, as one tree.
//
// Rule:    a node that several brokers judge has the worst word. A broker that does not own a shard
//          calls it closed, and one that stands by does so of all: `closed` counts only where no
//          broker owns the shard. A broker that cannot be asked is red (unreachable); what it alone
//          spoke of is unknown (stale). Root causes are marked anew, over all edges.
// Shapes:  a broker's node keeps its name; where two brokers have the same one, the later gets its
//          address behind it.
// Threads: pure functions over values.
// Source:  docs/monitor.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "monitoring/health/tree.hpp"

namespace ordo::health {

/// A broker as whoever asks it once a second has seen it.
struct Source {
  std::string url;           ///< "http://127.0.0.1:7780"
  std::optional<Tree> last;  ///< what it said last; nothing: it has never answered
  bool is_reachable = false;
  bool is_asked = true;  ///< false: no attempt has ended yet
  std::string error;     ///< why the last attempt failed; empty: it did not
  Millis age{0};         ///< since the last answer; without one, since the first attempt
  Wall since{};          ///< of being unreachable

  /// The system that it belongs to: as it says, else its address.
  [[nodiscard]] std::string system() const;
};

/// One tree of the sources of one system. `now` is what the tree is stamped with.
Tree merge(const std::vector<Source>& sources, const std::string& system, Wall now);

/// All systems, worst first. A source that has never answered joins the others where they are all
/// of one system, and is else a system of its own.
std::vector<Tree> merge_all(const std::vector<Source>& sources, Wall now);

/// "12 s", "3 min", "2 h", "4 d".
std::string age_text(Millis age);

}  // namespace ordo::health
