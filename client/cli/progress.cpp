#include "client/cli/progress.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace ordo::cli {
namespace {

constexpr std::size_t kBarWidth = 30;
/// Ten times a second looks alive; more is only flicker.
constexpr std::chrono::milliseconds kEvery{100};

}  // namespace

Progress::Progress(bool is_wanted, std::string what, std::size_t total)
    : is_shown_(is_wanted && ::isatty(STDERR_FILENO) == 1 && std::getenv("CI") == nullptr),
      what_(std::move(what)),
      total_(total),
      start_(std::chrono::steady_clock::now()) {}

Progress::~Progress() {
  if (has_drawn_) std::cerr << "\r\x1b[K" << std::flush;
}

void Progress::show(std::size_t done, std::size_t failed) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_shown_ || now - last_ < kEvery) return;
  last_ = now;
  has_drawn_ = true;
  std::cerr << "\r\x1b[K" << what_ << ' ';
  if (total_ > 0) {
    const std::size_t filled = kBarWidth * done / total_;
    std::cerr << '[' << std::string(filled, '#') << std::string(kBarWidth - filled, '.') << "] ";
  }
  std::cerr << done;
  if (total_ > 0) std::cerr << '/' << total_;
  const std::chrono::duration<double> seconds = now - start_;
  if (seconds.count() > 0) {
    std::cerr << "  " << static_cast<std::size_t>(static_cast<double>(done) / seconds.count())
              << "/s";
  }
  if (failed > 0) std::cerr << "  " << failed << " refused";
  std::cerr << std::flush;
}

}  // namespace ordo::cli
