// An intrusive list: what is in hand hangs in lines (ready, leased, timed) without an allocation,
// and leaves them in constant time from the middle, also when it is destroyed.
//
// Shapes:  a member of type Hook<Tag> per list kind; List<T, &T::hook> keeps them in FIFO order.
// Threads: one owner.
// Source:  doubly linked ring with a sentinel.
#pragma once

#include "base/check.hpp"

namespace ordo {

/// A place in one list. Unlinks itself when destroyed.
class Hook {
 public:
  Hook() = default;
  ~Hook() { unlink(); }
  Hook(const Hook&) = delete;
  Hook& operator=(const Hook&) = delete;

  [[nodiscard]] bool is_linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T> friend class List;
  Hook* prev_ = nullptr;
  Hook* next_ = nullptr;
  void* owner_ = nullptr;
};

/// FIFO of T by one of its hooks.
template <class T> class List {
 public:
  List() { ring_.prev_ = ring_.next_ = &ring_; }
  ~List() {
    while (!is_empty()) ring_.next_->unlink();
    ring_.prev_ = ring_.next_ = nullptr;
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;

  [[nodiscard]] bool is_empty() const { return ring_.next_ == &ring_; }
  void push_back(T& item, Hook& hook) { insert_before(ring_, item, hook); }
  void push_front(T& item, Hook& hook) { insert_before(*ring_.next_, item, hook); }
  /// The first item, left where it is; null when empty.
  [[nodiscard]] T* front() const {
    return is_empty() ? nullptr : static_cast<T*>(ring_.next_->owner_);
  }
  /// Calls f(T&) for each, in order; f may unlink the item it is given.
  template <class F> void for_each(F&& f) {
    for (Hook* at = ring_.next_; at != &ring_;) {
      Hook* next = at->next_;
      f(*static_cast<T*>(at->owner_));
      at = next;
    }
  }

 private:
  void insert_before(Hook& place, T& item, Hook& hook) {
    ORDO_CHECK(!hook.is_linked());
    hook.owner_ = &item;
    hook.prev_ = place.prev_;
    hook.next_ = &place;
    place.prev_->next_ = &hook;
    place.prev_ = &hook;
  }
  Hook ring_;
};

}  // namespace ordo
