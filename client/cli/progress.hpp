// A line on stderr that says how far a long command has come; only where stderr is a terminal.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace ordo::cli {

class Progress {
 public:
  /// `total` 0: not known.
  Progress(bool is_wanted, std::string what, std::size_t total);
  ~Progress();

  void show(std::size_t done, std::size_t failed);

 private:
  bool is_shown_;
  std::string what_;
  std::size_t total_;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
  bool has_drawn_ = false;
};

}  // namespace ordo::cli
