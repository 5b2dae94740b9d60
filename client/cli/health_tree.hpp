// What a broker says of the health of every part it knows (docs/health.md), for people.
//
// Shapes:  the tree is the JSON of GET /api/v1/health; {} where the broker cannot be asked.
// Threads: one.
#pragma once

#include <string>
#include <vector>

#include "client/cli/shell.hpp"

namespace ordo::cli {

Json fetch_tree(const Shell& shell);
/// A line for each node that is not green, the root causes first.
std::vector<std::string> troubles(const Printer& printer, const Json& tree);

}  // namespace ordo::cli
