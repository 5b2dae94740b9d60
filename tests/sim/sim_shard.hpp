// One shard as one broker process sees it: the real CommitQueue on a MemoryStore, with the time
// that a database takes and everything that can go wrong with it.
//
// Shapes:  work begins, is carried out on the tables some time later, and its result arrives later
//          still. A process may die in between: what was on its way is carried out or not, and the
//          lock may linger.
// Threads: one owner.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/store/commit_queue.hpp"
#include "broker/store/memory_store.hpp"
#include "tests/sim/checker.hpp"
#include "tests/sim/context.hpp"

namespace ordo::sim {

class SimShard {
 public:
  using Tell = std::function<void(std::vector<Event>&&)>;

  SimShard(Context& context, Checker& checker, MemoryDatabase& database, Tell tell);

  void push(StoreOperation&& operation);
  /// The process is gone; the server notices at once or some time later.
  void die();
  [[nodiscard]] std::size_t waiting() const { return queue_.size() + (queue_.is_busy() ? 1 : 0); }

 private:
  enum class Fate : std::uint8_t {
    kFine,
    kRejected,
    kLostBefore,
    kLostAfter,
    kLostAppliedLate,
    kWarned,
    kWarnedAndGone
  };

  void pump();
  void open();
  void commit(std::span<const StoreWrite* const> batch);
  Fate draw_fate();
  void carry_out(std::span<const StoreWrite* const> batch, Fate fate);
  CommitResult apply(std::span<const StoreWrite* const> batch);
  [[nodiscard]] bool has_culprit(std::span<const StoreWrite* const> batch);
  void lose_session(const std::string& why, CommitResult& result);
  void read(const CommitQueue::Work& work);
  void probe();
  void tell(std::vector<Event>&& events);
  void let_go_of_session();
  void later(Micros delay, std::function<void()> action);
  Micros commit_time();

  Context& context_;
  Checker& checker_;
  MemoryDatabase& database_;
  Tell tell_;
  CommitQueue queue_;
  std::shared_ptr<MemoryStore> session_;
  bool is_dead_ = false;
  std::uint64_t idle_round_ = 0;  ///< a probe is due when nothing happened since
};

}  // namespace ordo::sim
