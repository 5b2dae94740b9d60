// A pipeline as a drawing: for a terminal, for Mermaid, for Graphviz.
//
// Shapes:  steps in an order in which each comes behind all that it depends on. The ASCII form
//          shows each step with its level and what it follows.
// Threads: pure functions.
// Source:  topological order by Kahn's algorithm; Mermaid and DOT as their manuals describe them.
#pragma once

#include <string>

#include "schema/pipeline.hpp"

namespace ordo::cli {

std::string draw_mermaid(const Pipeline& pipeline);
std::string draw_dot(const Pipeline& pipeline);
std::string draw_ascii(const Pipeline& pipeline);

}  // namespace ordo::cli
