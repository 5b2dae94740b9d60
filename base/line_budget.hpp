// How many lines a second one kind of event may have in a log, and how many were left out.
//
// Why:     a storm of one kind neither fills the disk nor hides the others.
// Threads: one owner.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/time.hpp"

namespace ordo {

class LineBudget {
 public:
  static constexpr int kLines = 10;  ///< a second

  /// How many were left out before this line, where it may be written; nullopt: leave it out too.
  std::optional<std::uint64_t> spend(Steady now) {
    if (now - since_ >= Seconds{1}) {
      since_ = now;
      lines_ = 0;
    }
    if (lines_ >= kLines) {
      ++left_out_;
      return std::nullopt;
    }
    ++lines_;
    return std::exchange(left_out_, 0);
  }

  /// What was left out in a second that is over and no line has told yet; asked for once a second.
  std::uint64_t overdue(Steady now) {
    return now - since_ >= Seconds{1} ? std::exchange(left_out_, 0) : 0;
  }

 private:
  Steady since_{};
  int lines_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace ordo
