// Virtual time: a heap of what happens when. Two things at one instant happen in an order drawn
// from the seed, so that no test leans on the order in which they were written down.
//
// Units:   microseconds since the seed began.
// Threads: one owner.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"

namespace ordo::sim {

class Timeline {
 public:
  using Action = std::function<void()>;

  explicit Timeline(std::uint64_t seed) : chance_(seed) {}

  [[nodiscard]] Steady now() const { return now_; }
  /// What the true wall clock says; processes have their own errors on top.
  [[nodiscard]] Wall wall() const { return wall_from_ms(kStartMs) + now_.time_since_epoch(); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  void at(Steady when, Action action) {
    heap_.push_back({std::max(when, now_), chance_.next(), std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), Later{});
  }
  void after(Micros delay, Action action) { at(now_ + delay, std::move(action)); }

  /// Does the next thing; false when nothing is left or it lies after `end`.
  bool step(Steady end) {
    if (heap_.empty() || heap_.front().when > end) return false;
    std::pop_heap(heap_.begin(), heap_.end(), Later{});
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.when;
    ++steps_;
    entry.action();
    return true;
  }

 private:
  static constexpr std::int64_t kStartMs = 1'780'000'000'000;
  struct Entry {
    Steady when;
    std::uint64_t tie = 0;
    Action action;
  };
  struct Later {
    bool operator()(const Entry& a, const Entry& b) const {
      return std::pair(a.when, a.tie) > std::pair(b.when, b.tie);
    }
  };

  Steady now_{Seconds{1000}};  // not zero, so that "never" and "now" differ
  Random chance_;
  std::uint64_t steps_ = 0;
  std::vector<Entry> heap_;
};

}  // namespace ordo::sim
