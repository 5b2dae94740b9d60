#include "worker/net/run.hpp"

namespace ordo::worker {

void Cancellation::cancel(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (is_set_.load(std::memory_order_relaxed)) return;
    reason_ = reason;
    is_set_.store(true, std::memory_order_release);
  }
  set_.notify_all();
}

std::string Cancellation::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

bool Cancellation::wait_for(Millis patience) {
  std::unique_lock lock(mutex_);
  return set_.wait_for(lock, patience, [this] { return is_set_.load(std::memory_order_relaxed); });
}

}  // namespace ordo::worker
