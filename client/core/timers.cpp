#include "client/core/timers.hpp"

namespace ordo::client {

void Timers::arm(std::uint64_t number, Steady at) {
  if (at == Steady::max()) return;
  const std::int64_t end = at.time_since_epoch().count() / kBucket.count() + 1;
  // Nearly every timer goes behind all others (the same timeout after a later moment).
  if (!buckets_.empty() && buckets_.rbegin()->first == end) {
    buckets_.rbegin()->second.push_back(number);
  } else {
    buckets_[end].push_back(number);
  }
}

void Timers::collect(Steady now, std::vector<std::uint64_t>& due) {
  const std::int64_t end = now.time_since_epoch().count() / kBucket.count();
  while (!buckets_.empty() && buckets_.begin()->first <= end) {
    const auto& numbers = buckets_.begin()->second;
    due.insert(due.end(), numbers.begin(), numbers.end());
    buckets_.erase(buckets_.begin());
  }
}

Steady Timers::next() const {
  if (buckets_.empty()) return Steady::max();
  return Steady{kBucket * buckets_.begin()->first};
}

}  // namespace ordo::client
