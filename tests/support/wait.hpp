// Waits for a fact with a deadline: what tests and demo do instead of sleeping for a guessed time.
//
// Use:     EXPECT_TRUE(wait_until(5s, [&] { return broker.is_ready(); }));
// Returns: whether the fact came true within `patience`; it is asked at least once, and once more
//          at the end.
// Threads: blocks the caller only.
#pragma once

#include <chrono>
#include <thread>

namespace ordo::testing {

/// Between two looks: short against what is waited for, long enough to leave the processor to it.
inline constexpr std::chrono::milliseconds kLookEvery{10};

template <class Fact>
bool wait_until(std::chrono::milliseconds patience, Fact&& fact,
                std::chrono::milliseconds look_every = kLookEvery) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!fact()) {
    if (std::chrono::steady_clock::now() >= deadline) return fact();
    std::this_thread::sleep_for(look_every);
  }
  return true;
}

}  // namespace ordo::testing
