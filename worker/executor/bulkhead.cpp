#include "worker/executor/bulkhead.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace ordo::executor {

Bulkhead::Bulkhead(std::uint32_t places) : places_(places) { running_.reserve(places); }

std::optional<Millis> Bulkhead::enter(Steady now) {
  const std::lock_guard lock(mutex_);
  if (running_.size() < places_) {
    running_.push_back(now);
    return std::nullopt;
  }
  const Micros age = now - *std::min_element(running_.begin(), running_.end());
  const Micros pace = std::max(mean_, age) / places_;
  next_ = std::min(std::max(next_, now) + pace, now + Micros{kLatest});
  return std::max(std::chrono::ceil<Millis>(next_ - now), kSoonest);
}

void Bulkhead::leave(Steady entered, Steady now) {
  constexpr int kWeight = 8;  // of what was before: some eight calls are remembered
  const std::lock_guard lock(mutex_);
  const auto its = std::find(running_.begin(), running_.end(), entered);
  ORDO_CHECK(its != running_.end(), running_.size());
  *its = running_.back();
  running_.pop_back();
  mean_ += (now - entered - mean_) / kWeight;
}

std::uint32_t Bulkhead::used() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(running_.size());
}

}  // namespace ordo::executor
