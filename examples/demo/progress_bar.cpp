#include "examples/demo/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/clock.hpp"

namespace ordo::demo {
namespace {

constexpr std::size_t kWidth = 40;
constexpr Millis kEvery{100};

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

bool is_terminal() {
  const char* const term = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && !is_set("CI") && term != nullptr &&
         std::string_view(term) != "dumb";
}

}  // namespace

ProgressBar::ProgressBar()
    : is_shown_(is_terminal()), has_colour_(is_shown_ && !is_set("NO_COLOR")) {}

ProgressBar::~ProgressBar() { clear(); }

void ProgressBar::clear() const {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::show(std::size_t submitted, std::size_t ended, std::size_t total) {
  const Steady now = steady_now();
  if (!is_shown_ || total == 0 || now - last_ < kEvery) return;
  last_ = now;
  const std::size_t done = std::min(kWidth, ended * kWidth / total);
  const std::size_t sent = std::min(kWidth, submitted * kWidth / total) - done;
  std::string bar = has_colour_ ? "\x1b[32m" : "";
  for (std::size_t i = 0; i < done; ++i) bar += "█";
  if (has_colour_) bar += "\x1b[33m";
  for (std::size_t i = 0; i < sent && done + i < kWidth; ++i) bar += "▒";
  if (has_colour_) bar += "\x1b[0m";
  bar.append(kWidth - done - sent, ' ');
  std::fprintf(stderr, "\r\x1b[K[%s] %zu submitted, %zu ended of %zu", bar.c_str(), submitted,
               ended, total);
  std::fflush(stderr);
}

void ProgressBar::say(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace ordo::demo
