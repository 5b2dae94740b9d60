// Small things that the files of WorkerCore share: numbers of runs, terms of fences, durations from
// the wire.
//
// Threads: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>

#include "worker/core/worker_core.hpp"

namespace ordo::worker {

/// Until a result is sent again, doubled each time up to the cap: a commit takes milliseconds, so
/// two seconds of silence mean that a frame was lost.
inline constexpr Millis kResendFirst{2'000};
inline constexpr Millis kResendCap{10'000};

/// A duration from the wire, at most `most`.
inline Millis bounded(std::uint64_t ms, std::chrono::milliseconds most) {
  return Millis{static_cast<std::int64_t>(std::min(ms, static_cast<std::uint64_t>(most.count())))};
}

/// A run's number: where its task is kept, and which of those that were kept there.
inline RunId run_of(std::uint32_t place, std::uint32_t generation) {
  return (RunId{generation} << 32) | place;
}
inline std::uint32_t place_of(RunId run) { return static_cast<std::uint32_t>(run); }

/// What later fences of a shard must not fall below.
inline Fence term_of(const Fence& fence) { return {fence.timeline, fence.epoch, 0}; }

}  // namespace ordo::worker
