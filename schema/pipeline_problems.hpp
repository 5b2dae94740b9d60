// Where something stands in a pipeline's text, and all that is wrong with it so far.
//
// Shapes:  lines and columns from 1; 0 where the whole file is meant.
// Threads: one owner, the parse under way.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "schema/pipeline.hpp"

namespace ordo::pipeline {

struct Place {
  int line = 0;
  int column = 0;
};

class Problems {
 public:
  void add(Place at, std::string what, std::string instead = {}) {
    list_.push_back({at.line, at.column, std::move(what), std::move(instead)});
  }
  [[nodiscard]] bool empty() const { return list_.empty(); }
  [[nodiscard]] std::size_t size() const { return list_.size(); }

  /// In the order of the text, each once.
  [[nodiscard]] std::vector<Problem> take() && {
    std::stable_sort(list_.begin(), list_.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    return std::move(list_);
  }

 private:
  std::vector<Problem> list_;
};

}  // namespace ordo::pipeline
