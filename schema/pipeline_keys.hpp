// Walks the keys of one map: known ones once each, unknown ones with what was probably meant.
//
// Errors:  a problem for each key that is unknown or written twice, and for a node that is no map.
// Threads: pure function.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "schema/pipeline_yaml.hpp"

namespace ordo::pipeline {

struct KnownKeys {
  std::string_view of;  ///< "a step", for problems
  std::span<const std::string_view> words;
  std::string_view shape;  ///< what to write where the node is no map
};

using OnKey = std::function<void(const Node& key, const Node& value)>;

/// Calls `on_key` for every known key, in the order of the file. False where `node` is no map.
bool for_each_key(const Node& node, const KnownKeys& known, Problems& problems,
                  const OnKey& on_key);

}  // namespace ordo::pipeline
