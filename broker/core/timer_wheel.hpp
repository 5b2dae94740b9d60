// Timers of leased tasks: a hashed wheel, so that arming and disarming cost a few nanoseconds
// however many there are. Nearly all are disarmed before they fire.
//
// Units:   a tick is 4 ms: timeouts fire at most that much late, never early.
// Shapes:  8,192 slots (32 s a turn); longer timers stay in their slot for more than one turn.
// Threads: one owner.
// Source:  Varghese and Lauck, "Hashed and hierarchical timing wheels" (1987), scheme 6.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.hpp"
#include "broker/core/hooks.hpp"

namespace ordo {

template <class T> class TimerWheel {
 public:
  static constexpr Micros kTick{4000};
  static constexpr std::size_t kSlots = 8192;

  TimerWheel() : slots_(kSlots) {}

  /// Arms `item` for `at`; disarm by unlinking the hook. `T::timer_at` must hold `at` while it is
  /// armed.
  void arm(T& item, Hook& hook, Steady at) {
    const std::int64_t tick = std::max(tick_of(at) + 1, now_tick_ + 1);
    const std::size_t slot = index(tick);
    slots_[slot].push_back(item, hook);
    used_[slot / 64] |= std::uint64_t{1} << (slot % 64);
  }

  /// Calls fire(T&) for all that are due at `now`, in order of their ticks.
  template <class F> void advance(Steady now, F&& fire) {
    const std::int64_t target = tick_of(now);
    if (now_tick_ == kNever) now_tick_ = target - 1;
    if (target - now_tick_ > static_cast<std::int64_t>(kSlots)) {
      now_tick_ = target - static_cast<std::int64_t>(kSlots);
    }
    while (now_tick_ < target) {
      ++now_tick_;
      const std::size_t slot = index(now_tick_);
      if ((used_[slot / 64] & (std::uint64_t{1} << (slot % 64))) == 0) continue;
      slots_[slot].for_each([&](T& item) {
        if (tick_of(item.timer_at) < now_tick_ && item.timer_at <= now) fire(item);
      });
      if (slots_[slot].is_empty()) used_[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    }
  }

  /// When advance() is wanted next (perhaps with nothing to fire); nullopt when nothing is armed.
  [[nodiscard]] std::optional<Steady> next() const {
    if (now_tick_ == kNever) return std::nullopt;
    for (std::size_t step = 1; step <= kSlots;) {
      const std::size_t slot = index(now_tick_ + static_cast<std::int64_t>(step));
      const std::uint64_t word = used_[slot / 64] >> (slot % 64);
      if (word != 0) {
        step += static_cast<std::size_t>(std::countr_zero(word));
        if (step > kSlots) break;
        return Steady{kTick * (now_tick_ + static_cast<std::int64_t>(step))};
      }
      step += 64 - slot % 64;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::int64_t kNever = INT64_MIN / 2;
  static std::int64_t tick_of(Steady at) { return at.time_since_epoch() / kTick; }
  static std::size_t index(std::int64_t tick) {
    return static_cast<std::size_t>(tick) & (kSlots - 1);
  }

  std::vector<List<T>> slots_;
  std::array<std::uint64_t, kSlots / 64> used_{};
  std::int64_t now_tick_ = kNever;
};

}  // namespace ordo
