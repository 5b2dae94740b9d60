// Wakes the net thread from its poll, at the price of a system call only where it really sleeps.
//
// Shapes:  the sleeper says fall_asleep(), looks once more whether there is work, polls fd() and
//          says wake_up(); whoever brings work calls ring() after it was queued.
// Errors:  a machine without a free file descriptor cannot run a client: ORDO_CHECK.
// Threads: ring() from any; the rest from the sleeper.
// Source:  eventfd(2); the flag is the usual store-then-look on both sides (sequentially
//          consistent).
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "base/check.hpp"

namespace ordo::client {

class Bell {
 public:
  Bell() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { ORDO_CHECK(fd_ >= 0, fd_); }
  ~Bell() { ::close(fd_); }
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  [[nodiscard]] int fd() const { return fd_; }

  void ring() {
    if (!is_asleep_.exchange(false)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
  }
  void fall_asleep() { is_asleep_.store(true); }
  /// `was_rung`: fd() was readable.
  void wake_up(bool was_rung) {
    is_asleep_.store(false);
    if (!was_rung) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const auto read = ::read(fd_, &count, sizeof count);
  }

 private:
  const int fd_;
  std::atomic<bool> is_asleep_{false};
};

}  // namespace ordo::client
