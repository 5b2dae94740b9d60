#include "worker/net/run.hpp"

#include <utility>

namespace ordo::worker {

void Cancellation::cancel(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (is_set_.load(std::memory_order_relaxed)) return;
    reason_ = reason;
    is_set_.store(true, std::memory_order_release);
    for (const auto& [watch, wake] : wakes_) wake();
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

std::uint64_t Cancellation::watch(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  if (is_set_.load(std::memory_order_relaxed)) {
    wake();
    return 0;
  }
  wakes_.emplace(++watches_, std::move(wake));
  return watches_;
}

void Cancellation::forget(std::uint64_t watch) {
  const std::lock_guard lock(mutex_);
  wakes_.erase(watch);
}

}  // namespace ordo::worker
