// Where store and reader threads leave what they have done, for the loop to find between two
// frames.
//
// Shapes:  batches of events; one lock a batch. `wake_fd` can be read while something waits and the
//          loop sleeps.
// Rule:    a sleeping loop is woken by one write; one that works is not disturbed.
// Threads: post() from any; the rest from the loop.
// Bounds:  kBatches. Every batch answers operations that the core has bounded, so a full one is a
//          bug of ours.
#pragma once

#include <atomic>
#include <vector>

#include "base/bounded_queue.hpp"
#include "broker/core/events.hpp"

namespace ordo {

class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Takes the events; the vector is empty then. Nothing where there are none.
  void post(std::vector<Event>& events);
  /// Wakes the loop without an event (a flag elsewhere has changed).
  void wake();

  /// Appends everything that waits.
  void take(std::vector<Event>& out);
  /// Says that the loop is about to sleep on wake_fd(). False: something waits, do not.
  bool may_sleep();
  void slept();
  [[nodiscard]] int wake_fd() const { return fd_; }

 private:
  static constexpr std::size_t kBatches = 1u << 20;
  int fd_;
  std::atomic<bool> is_asleep_{false};
  std::atomic<bool> has_mail_{false};  ///< spares a busy loop the lock
  BoundedQueue<std::vector<Event>> batches_{kBatches};
};

}  // namespace ordo
