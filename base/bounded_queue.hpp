// A bounded queue between two threads: the only place where threads of this project meet.
//
// Shapes:  many producers, many consumers; FIFO. take_all() empties it in one go, which is what batches want.
// Errors:  push on a full or closed queue returns false and leaves the value where it was.
// Threads: every member may be called from any thread.
// Source:  mutex and condition variable, nothing clever: it is met once a batch, not once an item.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace ordo {

template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t bound) : bound_(bound) {}

  [[nodiscard]] bool push(T&& value) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() >= bound_) return false;
      items_.push_back(std::move(value));
    }
    ready_.notify_one();
    return true;
  }

  /// Everything that waits, at once; empty when nothing came within `patience` or the queue is closed.
  std::deque<T> take_all(std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, patience, [this] { return closed_ || !items_.empty(); });
    return std::exchange(items_, {});
  }

  /// Wakes every waiter; later pushes fail. What is inside can still be taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  [[nodiscard]] bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t bound_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace ordo
