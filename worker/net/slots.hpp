// The slots: threads that take runs from one line, call the handler and put the ending into a
// basket.
//
// Shapes:  a run is begun by exactly one slot, in the order of the line; its ending is reported
//          exactly once.
// Threads: the loop calls the members; slots' threads touch only the line, the basket and their
//          run. A thread whose handler never returns is let go at the end: it keeps what it needs
//          alive.
// Costs:   no wake-up a task: a slot that finds the next run in the line just goes on, and the loop
//          is woken once for all endings that gather until it looks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "worker/core/events.hpp"
#include "worker/net/run.hpp"

namespace ordo::worker {

class Slots {
 public:
  using Execute = std::function<Ending(const std::shared_ptr<Run>&)>;

  /// `execute` is called on slots' threads and never throws; `wake` when the basket is no longer
  /// empty.
  Slots(std::uint32_t slots, Execute execute, std::function<void()> wake);
  /// Ends the idle threads; those that are in a handler are let go.
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  /// Puts runs at the end of the line; empties `runs`.
  void put(std::vector<std::shared_ptr<Run>>& runs);
  /// Every ending since the last call.
  std::vector<RunEnded> take_ended();
  /// Every note since the last call; notes wake nobody.
  std::vector<RunNote> take_notes();
  /// Where runs put their notes. Any thread may call it, also after the slots are gone.
  [[nodiscard]] std::function<void(RunNote)> note_sink() const;

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(threads_.size()); }
  /// Slots that are in a handler now. Any thread; one look at each.
  [[nodiscard]] std::uint32_t busy() const;
  /// Runs in the line now. Any thread.
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Shared;
  static void work(const std::shared_ptr<Shared>& shared, std::uint32_t slot);

  std::shared_ptr<Shared> shared_;
  std::vector<std::jthread> threads_;
};

}  // namespace ordo::worker
