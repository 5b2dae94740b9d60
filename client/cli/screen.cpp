#include "client/cli/screen.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "base/clock.hpp"

namespace ordo::cli {
namespace {

// The signal's handler has no other way to say that it was called.
volatile sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

/// Another screen, no cursor, long lines cut instead of wrapped; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view kLeave = "\x1b[?7h\x1b[?25h\x1b[?1049l";

}  // namespace

bool Screen::is_possible() {
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1 && !is_dumb;
}

Screen::Screen(bool is_live) : is_live_(is_live) {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int number : {SIGINT, SIGTERM}) ::sigaction(number, &action, nullptr);
  if (!is_live_) return;
  ::tcgetattr(STDIN_FILENO, &before_);
  termios keys = before_;
  keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  ::tcsetattr(STDIN_FILENO, TCSANOW, &keys);
  std::cout << kEnter << std::flush;
}

Screen::~Screen() {
  if (!is_live_) return;
  std::cout << kLeave << std::flush;
  ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::size_t Screen::rows() const {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0) return 24;
  return size.ws_row;
}

void Screen::show(const std::vector<std::string>& lines) {
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += lines[i] + "\x1b[K" + (i + 1 < lines.size() ? "\r\n" : "");
  }
  std::cout << text << "\x1b[J" << std::flush;
}

Screen::End Screen::wait(Millis patience) {
  const Steady until = steady_now() + patience;
  while (interrupted == 0) {
    const auto left = std::chrono::duration_cast<Millis>(until - steady_now());
    if (left <= Millis{0}) return End::kTimeOver;
    // Without a terminal nobody presses keys: stdin may be a file that is always readable.
    pollfd keys{is_live_ ? STDIN_FILENO : -1, POLLIN, 0};
    if (::poll(&keys, 1, static_cast<int>(left.count())) <= 0) continue;
    char key = 'q';  // also where the terminal is gone
    if (::read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == '\x1b') return End::kQuit;
  }
  return End::kInterrupted;
}

}  // namespace ordo::cli
