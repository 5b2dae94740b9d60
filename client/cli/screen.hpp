// A terminal's whole screen, redrawn in place; given back as it was.
//
// Use:     Screen screen(true); screen.show(lines); screen.wait(2s) …
// Shapes:  lines longer than the terminal is wide are cut by it; `q`, Escape and Ctrl-C end a wait.
// Threads: one.
#pragma once

#include <termios.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace ordo::cli {

class Screen {
 public:
  enum class End { kTimeOver, kQuit, kInterrupted };

  /// Whether stdin and stdout are a terminal that can be drawn on.
  static bool is_possible();

  /// Not live: nothing is drawn, and only waits are there.
  explicit Screen(bool is_live);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] std::size_t rows() const;
  void show(const std::vector<std::string>& lines);
  End wait(Millis patience);

 private:
  const bool is_live_;
  termios before_{};
};

}  // namespace ordo::cli
