// One line on a terminal that says how far a bench is; nothing where stderr is no terminal.
//
// Threads: one owner.
// Costs:   a clock's reading a call; the words are made five times a second.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.hpp"

namespace ordo::bench {

class Progress {
 public:
  /// `what` is done now, for `expected` (0: unknown).
  explicit Progress(std::string what, Micros expected = Micros{0});
  ~Progress();  ///< wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` so far: orders, or whatever is counted.
  void tell(std::uint64_t done);

 private:
  const bool is_terminal_;
  const std::string what_;
  const Micros expected_;
  const Steady began_;
  Steady told_{};
};

}  // namespace ordo::bench
