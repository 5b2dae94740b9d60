#include "broker/app/mailbox.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <iterator>
#include <utility>

#include "base/check.hpp"

namespace ordo {

Mailbox::Mailbox() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { ORDO_CHECK(fd_ >= 0); }
Mailbox::~Mailbox() { ::close(fd_); }

void Mailbox::wake() {
  if (!is_asleep_.exchange(false)) return;
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the loop is woken anyway.
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof(one));
}

void Mailbox::post(std::vector<Event>& events) {
  if (events.empty()) return;
  ORDO_CHECK(batches_.push(std::exchange(events, {})));
  has_mail_ = true;
  wake();
}

void Mailbox::take(std::vector<Event>& out) {
  if (!has_mail_.exchange(false)) return;
  for (auto& batch : batches_.take_all(Micros{0})) {
    std::move(batch.begin(), batch.end(), std::back_inserter(out));
  }
}

bool Mailbox::may_sleep() {
  is_asleep_ = true;
  // A batch posted before the line above is seen here; one posted after it writes to the
  // descriptor.
  if (!has_mail_) return true;
  is_asleep_ = false;
  return false;
}

void Mailbox::slept() {
  is_asleep_ = false;
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof(count));
}

}  // namespace ordo
