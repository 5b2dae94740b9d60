// Every rule of how much may go out: token buckets, counts in flight, and the breaker of a
// dependency. The engine asks these and never counts for itself.
//
// Units:   tokens a second; steady times. The burst of a bucket is what half a second brings, at
//          least one, unless it is given.
// Threads: values with one owner.
// Source:  token bucket, refilled lazily from the steady clock; breaker: Nygard, "Release It!"
//          (2007), with a ramp behind the probe, so that a repaired service is not run over.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace ordo {

/// Of a limit of the whole system, what this broker may use: all of it, while one broker owns all
/// shards.
inline constexpr double share_of_this_broker() { return 1; }

class TokenBucket {
 public:
  /// `rate` tokens a second; 0: no limit. `burst` 0: the usual one.
  explicit TokenBucket(double rate = 0, double burst = 0)
      : rate_(rate), burst_(std::max(1.0, burst > 0 ? burst : rate / 2)), tokens_(burst_) {}

  /// How long until a token is there; zero: now.
  Micros wait(Steady now) {
    if (rate_ <= 0) return Micros{0};
    refill(now);
    if (tokens_ >= 1) return Micros{0};
    return Micros{static_cast<std::int64_t>((1 - tokens_) / rate_ * 1e6) + 1};
  }
  /// Takes one token: zero when it was there, else how long until one is.
  Micros take(Steady now) {
    const Micros until = wait(now);
    if (rate_ > 0 && until.count() == 0) tokens_ -= 1;
    return until;
  }
  [[nodiscard]] bool is_limited() const { return rate_ > 0; }

 private:
  void refill(Steady now) {
    if (has_start_) {
      const auto passed = static_cast<double>((now - last_).count()) / 1e6;
      tokens_ = std::min(burst_, tokens_ + std::max(0.0, passed) * rate_);
    }
    has_start_ = true;
    last_ = now;
  }

  double rate_;
  double burst_;
  double tokens_;
  Steady last_{};
  bool has_start_ = false;
};

/// What an operator allows a queue or a dependency: so many tasks in flight, so many starts a
/// second.
class Limit {
 public:
  struct Rule {
    std::uint32_t max_in_flight = 0;  ///< 0: no limit
    std::uint64_t rate_milli = 0;     ///< starts in 1,000 s; 0: no limit
    std::uint32_t burst = 0;          ///< 0: half a second's, at least one
    friend bool operator==(const Rule&, const Rule&) = default;
  };

  void set(const Rule& rule) {
    if (rule == rule_) return;
    rule_ = rule;
    bucket_ = TokenBucket(static_cast<double>(rule.rate_milli) / 1000 * share_of_this_broker(),
                          rule.burst);
  }
  [[nodiscard]] const Rule& rule() const { return rule_; }
  [[nodiscard]] bool is_set() const { return rule_.max_in_flight != 0 || rule_.rate_milli != 0; }
  [[nodiscard]] bool has_room(std::size_t in_flight) const {
    return rule_.max_in_flight == 0 ||
           static_cast<double>(in_flight) <
               std::max(1.0, rule_.max_in_flight * share_of_this_broker());
  }
  bool admits(Steady now, std::size_t in_flight) {
    return has_room(in_flight) && bucket_.wait(now).count() == 0;
  }
  void start(Steady now) { bucket_.take(now); }
  /// When the next start is allowed, as far as the rate goes.
  Steady next(Steady now) { return now + bucket_.wait(now); }

 private:
  Rule rule_;
  TokenBucket bucket_;
};

/// Whether a dependency may be called. Closed: yes. Open, after at least kCalls calls in ten
/// seconds of which half did not work: no. After kRest one call probes; when that works, starts
/// ramp up: 1 a second, 2, 4, 8 … until the former rate, at most kRampTop. A probe that fails, or
/// half of a ramp's calls, opens it again.
class Breaker {
 public:
  enum class State : std::uint8_t { kClosed, kOpen, kProbing, kRamping };

  /// Few enough to act within a second at any load worth a breaker, enough that two failures in a
  /// row on a quiet night are no outage.
  static constexpr std::uint32_t kCalls = 20;
  static constexpr Micros kRest = Seconds{5};
  /// Past a thousand starts a second a service that was repaired is well.
  static constexpr std::uint32_t kRampTop = 1024;

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] Steady since() const { return since_; }
  [[nodiscard]] bool admits() const;
  /// When admits() may change although nothing happens.
  [[nodiscard]] std::optional<Steady> next() const;
  /// Time went on; true when the state changed.
  bool advance(Steady now);
  /// A call was given out.
  /// True: this call is the probe.
  bool start(Steady now);
  /// A call that was given out at `started` worked, or met a technical error. True when the state
  /// changed.
  bool ended(Steady now, Steady started, bool worked);
  /// A call that was given out at `started` ended without saying how.
  void gone(Steady started);

 private:
  struct Second {
    std::int64_t number = -1;
    std::uint32_t calls = 0;
    std::uint32_t errors = 0;
  };
  static constexpr std::size_t kWindow = 10;  ///< seconds
  Second sum(Steady now) const;
  void go(State state, Steady now);

  State state_ = State::kClosed;
  Steady since_{};
  std::array<Second, kWindow> window_;
  std::optional<Steady> probe_;    ///< kProbing: when it was given out
  std::uint32_t former_rate_ = 1;  ///< calls a second before it opened
  std::uint32_t starts_ = 0;       ///< kRamping: in this second …
  std::uint32_t level_ = 1;        ///< … of so many
};

constexpr std::string_view to_string(Breaker::State state) {
  constexpr std::array<std::string_view, 4> kWords{"closed", "open", "probing", "ramping"};
  return kWords[static_cast<std::size_t>(state)];
}

}  // namespace ordo
