// Where a story plays: the real Engine over the real CommitQueue and a shard in memory, in virtual
// time, with everything that happens written down in order.
//
// Use:     say() an event, pass() time, commit() when the store is held. While it is not held the
//          store does its work at once. lines() gives what happened since it was last asked.
// Shapes:  one broker with shard 0. Peers beat by themselves at whole seconds unless they are
//          silent; beats and the idle store's probes are not written down.
// Errors:  what a story may not ask for throws std::runtime_error.
// Threads: one owner.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/core/engine.hpp"
#include "broker/store/commit_queue.hpp"
#include "broker/store/memory_store.hpp"
#include "tests/transcripts/cast.hpp"
#include "tests/transcripts/wording.hpp"

namespace ordo::transcript {

/// What becomes of the store's next work.
enum class Fate : std::uint8_t {
  kFine,
  kRejected,    ///< the server reports an error: definitely rolled back
  kTryAgain,    ///< the same, and the error lies with the moment
  kLostBefore,  ///< the session breaks, nothing was done
  kLostAfter    ///< the session breaks, the commit is there
};

class Stage {
 public:
  explicit Stage(Cast& cast);

  /// A broker process begins; one that runs is gone with all its memory.
  void open(const Settings& settings);
  void say(Event&& event);
  void pass(Micros time);
  /// The store does its next work, and no other.
  void commit(Fate fate);
  void hold(bool is_held);
  /// The session of the owner is gone (idle or with writes queued).
  void lose_session();
  /// The tables, an order's rows or all.
  void show_tables(std::optional<OrderId> only);

  [[nodiscard]] Wall wall() const;
  Lines lines();

 private:
  void settle();
  [[nodiscard]] bool has_work() const;
  void step(Event&& event);
  void perform();
  void write_down(const Effects& effects);
  void note_send(const Send& send);
  void work(Fate fate);
  void carry_out(const CommitQueue::Commit& commit, Fate fate);
  void tell_outcomes(const std::vector<Event>& events);
  void answer(const Query& query);
  void probe();
  void beat();
  void print(std::string line);
  [[nodiscard]] Times times() const { return {now_, wall()}; }
  void want_broker() const;

  Cast& cast_;
  Wording wording_;
  MemoryDatabase database_{0};
  std::unique_ptr<CommitQueue> queue_;
  std::unique_ptr<MemoryStore> session_;
  std::unique_ptr<Engine> engine_;
  std::map<const StoreWrite*, std::uint64_t> numbers_;  ///< of writes in the queue
  std::deque<Event> events_;
  std::deque<Query> queries_;
  Effects effects_;
  bool is_held_ = false;
  bool is_opening_ = false;  ///< an OpenShard waits
  Steady now_;
  Steady next_beat_;
  Steady next_probe_;
  Steady told_at_;  ///< the moment that the output speaks of
  Lines lines_;
};

}  // namespace ordo::transcript
