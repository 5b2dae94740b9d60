// Seeded chance: xoshiro256** (Blackman, Vigna 2018, public domain reference), seeded by
// splitmix64. The same seed gives the same numbers on every machine, so whatever draws from it can
// be replayed.
//
// Threads: one owner at a time. Not for secrets: those come from the system (random_seed()).
#pragma once

#include <array>
#include <cstdint>

namespace ordo {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  /// Uniform in [0, bound); bound ≥ 1.
  std::uint64_t below(std::uint64_t bound);
  /// Uniform in [0, 1).
  double unit();
  /// True with the given probability (0 to 1).
  bool chance(double probability) { return unit() < probability; }

 private:
  std::array<std::uint64_t, 4> state_{};
};

/// 64 bits from the system's generator: the seed of whatever need not be replayed.
std::uint64_t random_seed();

}  // namespace ordo
