// From a tree of YAML to the structs of a pipeline: every key known, every value of its type and
// inside its bounds. What concerns several steps (names in `after`, cycles) is checked by
// pipeline_graph.hpp.
//
// Errors:  everything that is wrong is added to the problems; what is wrong keeps its default and
//          reading goes on.
// Threads: pure functions.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "schema/pipeline_yaml.hpp"

namespace ordo::pipeline {

/// A step as it was read: the struct, and what is still words.
struct Draft {
  Step step;
  std::vector<Node> after;            ///< names, in the order written
  std::map<std::string, Place> keys;  ///< the keys that were written, and where
};

struct DraftPipeline {
  Pipeline pipeline;         ///< without steps
  Place restore;             ///< where its `restore` stands
  std::vector<Draft> steps;  ///< in the order of the file
};

DraftPipeline read_pipeline(const Node& root, std::string_view text, Problems& problems);

}  // namespace ordo::pipeline
