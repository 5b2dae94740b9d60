// How long to wait before attempt n+1.
//
// Shapes:  delay(n) = min(cap, first · factor^(n-1)) · U(0.5, 1): grows with the failures, never
//          together.
// Units:   milliseconds. The exponent is bounded by stopping at the cap, so no count of failures
//          overflows.
// Threads: pure.
#pragma once

#include <algorithm>

#include "base/random.hpp"
#include "schema/pipeline.hpp"

namespace ordo {

/// `failures` ≥ 1 is how many burned the budget so far. At least 1 ms.
inline Millis retry_delay(const RetryPolicy& policy, int failures, Random& random) {
  double ms = static_cast<double>(policy.first.count());
  const auto cap = static_cast<double>(policy.cap.count());
  for (int i = 1; i < failures && ms < cap; ++i) ms *= policy.factor;
  ms = std::min(ms, cap) * (0.5 + 0.5 * random.unit());
  return Millis{std::max<std::int64_t>(1, static_cast<std::int64_t>(ms))};
}

}  // namespace ordo
