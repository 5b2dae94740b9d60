// A bar on stderr that says how far the orders are. Only on a terminal, never in CI; colour unless
// NO_COLOR is set.
//
// Threads: one owner.
#pragma once

#include <cstddef>
#include <string>

#include "base/time.hpp"

namespace ordo::demo {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();  ///< clears its line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// At most ten times a second something is drawn.
  void show(std::size_t submitted, std::size_t ended, std::size_t total);
  /// A line above the bar; on stderr also where there is no bar.
  void say(const std::string& line);

 private:
  void clear() const;

  bool is_shown_;
  bool has_colour_;
  Steady last_{};
};

}  // namespace ordo::demo
