#include "bench/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/clock.hpp"

namespace ordo::bench {
namespace {

/// Quick enough to look alive, slow enough to cost the measured system nothing.
constexpr Millis kPause{200};

}  // namespace

Progress::Progress(std::string what, Micros expected)
    : is_terminal_(isatty(STDERR_FILENO) == 1),
      what_(std::move(what)),
      expected_(expected),
      began_(steady_now()) {
  tell(0);
}

Progress::~Progress() {
  if (is_terminal_) std::fputs("\r\x1b[K", stderr);
}

void Progress::tell(std::uint64_t done) {
  if (!is_terminal_) return;
  const Steady now = steady_now();
  if (now - told_ < kPause) return;
  told_ = now;
  const auto seconds = [](Micros time) { return static_cast<double>(time.count()) / 1e6; };
  std::fprintf(stderr, "\r\x1b[K%s: %.0f s", what_.c_str(), seconds(now - began_));
  if (expected_ > Micros{0}) std::fprintf(stderr, " of %.0f s", seconds(expected_));
  if (done > 0) {
    const double rate = static_cast<double>(done) / std::max(seconds(now - began_), 0.001);
    std::fprintf(stderr, ", %llu done, %.0f/s", static_cast<unsigned long long>(done), rate);
  }
  std::fflush(stderr);
}

}  // namespace ordo::bench
