// YAML text as a plain tree with places. The only file of the tree that knows yaml-cpp.
//
// Shapes:  of YAML what a pipeline needs: one document of maps, lists and scalars. Anchors,
//          aliases, tags, several documents and keys that are not scalars are refused.
// Errors:  read_yaml() is total: any bytes give a tree or problems.
// Threads: pure function.
// Costs:   text is bounded (limits::kPipelineBytes) before it is parsed, the tree in depth and
//          nodes while it is built; without aliases it cannot be larger than the text.
// Source:  YAML 1.2; yaml-cpp's event parser.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/pipeline_problems.hpp"

namespace ordo::pipeline {

struct Node {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place at;
  std::size_t offset = 0;      ///< of the first byte in the text
  std::string text;            ///< kScalar
  std::vector<Node> children;  ///< kList: items; kMap: key, value, key, value … (keys are scalars)

  [[nodiscard]] bool is_scalar() const { return kind == Kind::kScalar; }
  [[nodiscard]] bool is_map() const { return kind == Kind::kMap; }
};

/// The tree of `text`; nullopt after adding at least one problem.
std::optional<Node> read_yaml(std::string_view text, Problems& problems);

/// "a list", "a map", "nothing" or the scalar itself in backticks, for messages.
std::string describe(const Node& node);

}  // namespace ordo::pipeline
