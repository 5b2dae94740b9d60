// A dependency's breaker: when it opens, how it is probed, how it comes back.
#include "broker/core/limits.hpp"

namespace ordo {
namespace {

std::int64_t second_of(Steady at) { return at.time_since_epoch() / Seconds{1}; }

}  // namespace

bool Breaker::admits() const {
  switch (state_) {
    case State::kClosed: return true;
    case State::kOpen: return false;
    case State::kProbing: return !probe_;
    case State::kRamping: return starts_ < level_;
  }
  return false;
}

std::optional<Steady> Breaker::next() const {
  if (state_ == State::kOpen) return since_ + kRest;
  if (state_ != State::kRamping) return std::nullopt;
  std::int64_t passed = 1;
  for (std::uint32_t level = 1; level < level_; level *= 2) ++passed;
  return since_ + Seconds{passed};
}

void Breaker::go(State state, Steady now) {
  state_ = state;
  since_ = now;
  probe_.reset();
  starts_ = 0;
  level_ = 1;
}

bool Breaker::advance(Steady now) {
  const State before = state_;
  while (true) {
    const auto at = next();
    if (!at || now < *at) break;
    if (state_ == State::kOpen) {
      go(State::kProbing, now);
    } else if (level_ >= std::min(former_rate_, kRampTop)) {
      go(State::kClosed, now);
    } else {
      level_ *= 2;
      starts_ = 0;
    }
  }
  return state_ != before;
}

Breaker::Second Breaker::sum(Steady now) const {
  Second all;
  for (const auto& one : window_) {
    if (one.number <= second_of(now) - static_cast<std::int64_t>(kWindow)) continue;
    all.calls += one.calls;
    all.errors += one.errors;
  }
  return all;
}

bool Breaker::start(Steady now) {
  if (state_ == State::kProbing) probe_ = now;
  if (state_ == State::kRamping) ++starts_;
  return state_ == State::kProbing;
}

bool Breaker::ended(Steady now, Steady started, bool worked) {
  if (state_ == State::kOpen) return false;  // it began before: known already
  if (state_ == State::kProbing) {
    if (probe_ != started) return false;
    if (worked) window_.fill({});
    go(worked ? State::kRamping : State::kOpen, now);
    return true;
  }
  if (state_ == State::kRamping && started < since_) return false;
  auto& second = window_[static_cast<std::size_t>(second_of(now)) % kWindow];
  if (second.number != second_of(now)) second = {second_of(now), 0, 0};
  ++second.calls;
  second.errors += worked ? 0 : 1;
  const Second all = sum(now);
  // The probe counts as the ramp's first call.
  const bool is_ramp = state_ == State::kRamping;
  const bool is_enough = is_ramp || all.calls >= kCalls;
  if (!is_enough || 2 * all.errors < all.calls + (is_ramp ? 1 : 0)) return false;
  if (!is_ramp) former_rate_ = std::max<std::uint32_t>(1, all.calls / kWindow);
  go(State::kOpen, now);
  return true;
}

void Breaker::gone(Steady started) {
  if (probe_ == started) probe_.reset();
}

}  // namespace ordo
