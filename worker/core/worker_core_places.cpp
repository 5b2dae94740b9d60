// Where a worker keeps its tasks: places that are reused, found by run, by key, by fence; and what
// it remembers of those that are gone.
#include "worker/core/worker_core.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "worker/core/worker_core_parts.hpp"

namespace ordo::worker {
std::uint32_t WorkerCore::place_for(const TaskKey& key) {
  std::uint32_t place = 0;
  if (free_.empty()) {
    place = static_cast<std::uint32_t>(held_.size());
    held_.emplace_back();
  } else {
    place = free_.back();
    free_.pop_back();
  }
  Held& held = held_[place];
  held.state = Held::State::kOpen;
  held.key = key;
  by_key_[key] = place;
  ++open_;
  return place;
}

void WorkerCore::release(std::uint32_t place) {
  Held& held = held_[place];
  ORDO_CHECK(held.state != Held::State::kFree, place);
  if (held.state == Held::State::kOpen) --open_;
  if (held.is_fenced) {
    --fenced_;
  } else {
    by_key_.erase(held.key);
    if (held.state == Held::State::kEnded) --ended_;
  }
  remember(held);
  const std::uint32_t generation = held.generation + 1;
  held = Held{};
  held.generation = generation;
  free_.push_back(place);
}

/// A late copy of its offer, or of an older one, is not begun again. Newer tasks push it out in the
/// end: only a copy as late as that would run, under a fence that nobody accepts.
void WorkerCore::remember(const Held& held) {
  if (Seen* const seen = last_seen(held.key)) {
    seen->fence = std::max(seen->fence, held.fence);
    return;
  }
  Seen* const shelf = shelf_of(held.key);
  Seen* const empty =
      std::find_if(shelf, shelf + kShelf, [](const Seen& s) { return s.key.order.is_zero(); });
  Seen& oldest = empty != shelf + kShelf ? *empty : shelf[finished_turn_++ % kShelf];
  oldest.key = held.key;
  oldest.fence = held.fence;
}

WorkerCore::Seen* WorkerCore::shelf_of(const TaskKey& key) {
  // The hash of a key has fixed bits (an id's version and variant): mixed as splitmix64 ends.
  std::uint64_t bits = std::hash<TaskKey>{}(key);
  bits = (bits ^ (bits >> 30)) * 0xbf58476d1ce4e5b9ULL;
  bits = (bits ^ (bits >> 27)) * 0x94d049bb133111ebULL;
  bits ^= bits >> 31;
  return &finished_[bits % (finished_.size() / kShelf) * kShelf];
}

WorkerCore::Seen* WorkerCore::last_seen(const TaskKey& key) {
  Seen* const shelf = shelf_of(key);
  Seen* const found =
      std::find_if(shelf, shelf + kShelf, [&](const Seen& s) { return s.key == key; });
  return found == shelf + kShelf ? nullptr : found;
}

WorkerCore::Held* WorkerCore::find(RunId run) {
  const std::uint32_t place = place_of(run);
  if (place >= held_.size()) return nullptr;
  Held& held = held_[place];
  const bool is_it = held.state != Held::State::kFree && run == run_of(place, held.generation);
  return is_it ? &held : nullptr;
}

WorkerCore::Held* WorkerCore::find(const TaskKey& key, const Fence& fence) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end() && held_[found->second].fence == fence) return &held_[found->second];
  if (fenced_ == 0) return nullptr;
  for (Held& held : held_) {
    const bool is_late = held.state != Held::State::kFree && held.is_fenced;
    if (is_late && held.key == key && held.fence == fence) return &held;
  }
  return nullptr;
}

void WorkerCore::set_due(Held& held, Steady due) {
  held.due = due;
  due_ = std::min(due_, due);
}

}  // namespace ordo::worker
