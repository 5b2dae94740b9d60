// A bounded queue between two threads: the only place where threads of this project meet.
//
// Shapes:  many producers, many consumers; FIFO. take_all() empties it in one go, which is what
//          batches want; take_one() suits several consumers that share a line, with push_all() on
//          the other side: one of them is woken, and each that finds more behind its item wakes the
//          next, so short items cost no wake-up each.
// Errors:  push on a full or closed queue returns false and leaves the value where it was.
// Threads: every member may be called from any thread.
// Source:  mutex and condition variable, nothing clever: it is met once a batch, not once an item.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ordo {

template <class T> class BoundedQueue {
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

  /// Everything that waits, at once; empty when nothing came within `patience` or the queue is
  /// closed.
  std::deque<T> take_all(std::chrono::microseconds patience) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, patience, [this] { return closed_ || !items_.empty(); });
    return std::exchange(items_, {});
  }

  /// All of `values`, in order, or none of them where they do not fit or the queue is closed.
  [[nodiscard]] bool push_all(std::vector<T>& values) {
    bool must_wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || items_.size() + values.size() > bound_) return false;
      for (T& value : values) items_.push_back(std::move(value));
      must_wake = wakes_next();
    }
    values.clear();
    if (must_wake) ready_.notify_one();
    return true;
  }

  /// The first item; nullopt when none came within `patience` or the queue is closed and empty.
  std::optional<T> take_one(std::chrono::microseconds patience) {
    std::optional<T> item;
    bool must_wake = false;
    {
      std::unique_lock lock(mutex_);
      const auto until = std::chrono::steady_clock::now() + patience;
      ++idle_;
      while (items_.empty() && !closed_) {
        const bool is_late = ready_.wait_until(lock, until) == std::cv_status::timeout;
        is_waking_ = false;
        if (is_late) break;
      }
      --idle_;
      if (items_.empty()) return std::nullopt;
      item.emplace(std::move(items_.front()));
      items_.pop_front();
      must_wake = wakes_next();
    }
    if (must_wake) ready_.notify_one();
    return item;
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
  /// Whether one more consumer of take_one() is to be woken: one at a time is on its way.
  bool wakes_next() {
    const bool wakes = !items_.empty() && idle_ > 0 && !is_waking_;
    is_waking_ = is_waking_ || wakes;
    return wakes;
  }

  const std::size_t bound_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  std::size_t idle_ = 0;    ///< consumers waiting in take_one()
  bool is_waking_ = false;  ///< one of them was notified and is not back yet
  bool closed_ = false;
};

}  // namespace ordo
