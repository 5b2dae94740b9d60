#include "worker/net/slots.hpp"

#include <atomic>
#include <iterator>
#include <utility>

#include "base/bounded_queue.hpp"
#include "base/check.hpp"
#include "schema/limits.hpp"

namespace ordo::worker {
namespace {

/// The core never holds more runs than this (twice the most slots, and a frame).
constexpr std::size_t kMostRuns = 4 * std::size_t{limits::kWorkerSlots};
/// Notes between two looks of the loop; more are dropped, the next one of the same handler says it
/// better anyway.
constexpr std::size_t kMostNotes = 4096;
/// How long an idle slot waits before it waits again.
constexpr std::chrono::minutes kIdle{10};

}  // namespace

struct Slots::Shared {
  Shared(std::uint32_t slots, Execute execute_, std::function<void()> wake_)
      : execute(std::move(execute_)), wake(std::move(wake_)), is_busy(slots) {}

  const Execute execute;
  const std::function<void()> wake;
  BoundedQueue<std::shared_ptr<Run>> line{kMostRuns};
  BoundedQueue<RunEnded> ended{kMostRuns};
  BoundedQueue<RunNote> notes{kMostNotes};
  std::atomic<bool> has_woken{false};      ///< the loop was told and has not looked yet
  std::vector<std::atomic<bool>> is_busy;  ///< per slot: it is in a handler
};

Slots::Slots(std::uint32_t slots, Execute execute, std::function<void()> wake)
    : shared_(std::make_shared<Shared>(slots, std::move(execute), std::move(wake))) {
  threads_.reserve(slots);
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    threads_.emplace_back([shared = shared_, slot] { work(shared, slot); });
  }
}

Slots::~Slots() {
  shared_->line.close();
  for (std::size_t slot = 0; slot < threads_.size(); ++slot) {
    if (shared_->is_busy[slot].load()) {
      threads_[slot].detach();
    } else {
      threads_[slot].join();
    }
  }
}

void Slots::put(std::vector<std::shared_ptr<Run>>& runs) {
  if (runs.empty()) return;
  const bool is_put = shared_->line.push_all(runs);
  ORDO_CHECK(is_put, runs.size());
}

std::vector<RunEnded> Slots::take_ended() {
  shared_->has_woken.store(false);
  auto ended = shared_->ended.take_all(Micros{0});
  return {std::make_move_iterator(ended.begin()), std::make_move_iterator(ended.end())};
}

std::vector<RunNote> Slots::take_notes() {
  auto notes = shared_->notes.take_all(Micros{0});
  return {std::make_move_iterator(notes.begin()), std::make_move_iterator(notes.end())};
}

std::function<void(RunNote)> Slots::note_sink() const {
  return [shared = std::weak_ptr(shared_)](RunNote note) {
    const auto alive = shared.lock();
    if (alive) static_cast<void>(alive->notes.push(std::move(note)));
  };
}

std::uint32_t Slots::busy() const {
  std::uint32_t busy = 0;
  for (const auto& slot : shared_->is_busy) busy += slot.load(std::memory_order_relaxed) ? 1 : 0;
  return busy;
}

std::size_t Slots::waiting() const { return shared_->line.size(); }

void Slots::work(const std::shared_ptr<Shared>& shared, std::uint32_t slot) {
  while (true) {
    auto run = shared->line.take_one(kIdle);
    if (!run) {
      if (shared->line.is_closed()) return;
      continue;
    }
    if ((*run)->leave_line(Run::Phase::kBegun)) {
      shared->is_busy[slot].store(true);
      RunEnded ended{(*run)->id, true, shared->execute(*run)};
      (*run)->phase.store(Run::Phase::kEnded);
      const bool is_put = shared->ended.push(std::move(ended));
      ORDO_CHECK(is_put);
      if (!shared->has_woken.exchange(true)) shared->wake();
    }
    run->reset();
    shared->is_busy[slot].store(false);
  }
}

}  // namespace ordo::worker
