// A tree as JSON, as docs/health.md has it, and back.
//
// Shapes:  reading ignores what it does not know. A word of a newer broker becomes the nearest of
//          ours: an unknown colour is unknown, an unknown reason none (the sentence stays), an
//          unknown type a dependency.
// Errors:  kMalformed "health" where it is no tree.
// Bounds:  20,000 nodes and 200,000 edges are read.
// Threads: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "monitoring/health/tree.hpp"
#include "ordo/result.hpp"

namespace ordo::health {

nlohmann::json to_json(const Tree& tree);
Result<Tree> parse_tree(std::string_view text);

}  // namespace ordo::health
