// Who may come in: token buckets, counted in orders. A bucket that is empty says how long until it
// has one.
//
// Units:   tokens a second; the burst is what half a second brings, at least one.
// Threads: a value with one owner.
// Source:  token bucket, refilled lazily from the steady clock.
#pragma once

#include <algorithm>

#include "base/time.hpp"

namespace ordo {

class TokenBucket {
 public:
  /// `rate` tokens a second; 0: no limit.
  explicit TokenBucket(double rate = 0) : rate_(rate), tokens_(burst()) {}

  /// Takes one token: zero when it was there, else how long until one is.
  Micros take(Steady now) {
    if (rate_ <= 0) return Micros{0};
    refill(now);
    if (tokens_ >= 1) {
      tokens_ -= 1;
      return Micros{0};
    }
    return Micros{static_cast<std::int64_t>((1 - tokens_) / rate_ * 1e6) + 1};
  }

 private:
  [[nodiscard]] double burst() const { return std::max(1.0, rate_ / 2); }
  void refill(Steady now) {
    if (has_start_) {
      const auto passed = static_cast<double>((now - last_).count()) / 1e6;
      tokens_ = std::min(burst(), tokens_ + std::max(0.0, passed) * rate_);
    }
    has_start_ = true;
    last_ = now;
  }

  double rate_;
  double tokens_;
  Steady last_{};
  bool has_start_ = false;
};

}  // namespace ordo
