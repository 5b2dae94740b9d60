// One shard's session and the thread that owns it: performs a core's store operations, leaves what
// came of them in the mailbox. Its twin for people's reads stands below.
//
// Rule:    commits at once when idle; what arrives during a commit is the next batch
//          (store/commit_queue.hpp). An idle session is probed every kProbeEvery. After a loss
//          nothing reconnects by itself: only OpenShard does.
// Threads: push() from the loop; everything else happens on the thread. The destructor ends it
//          after the operation under way and closes the session, which frees the shard.
#pragma once

#include <thread>
#include <vector>

#include "base/bounded_queue.hpp"
#include "broker/app/mailbox.hpp"
#include "broker/app/measured_store.hpp"
#include "broker/core/effects.hpp"
#include "broker/store/commit_queue.hpp"

namespace ordo {

class StoreThread {
 public:
  StoreThread(ShardNumber shard, MakeStore make, StoreMetrics& metrics, Mailbox& mailbox);
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  /// Operations of one pass, in order. The vector is empty then.
  void push(std::vector<StoreOperation>& operations);
  /// No more operations; the thread ends soon. Does not wait.
  void stop() { inbox_.close(); }
  /// When the database was asked for what it has not answered yet; zero: nothing is under way.
  [[nodiscard]] Steady asked() const { return metrics_.asked.load(); }

 private:
  // One entry a pass of the loop that wrote; the core bounds what is in flight.
  static constexpr std::size_t kPasses = 1u << 20;
  void run();

  CommitQueue queue_;
  MakeStore make_;
  StoreMetrics& metrics_;
  Mailbox& mailbox_;
  BoundedQueue<std::vector<StoreOperation>> inbox_{kPasses};
  std::thread thread_;
};

class ReaderThread {
 public:
  ReaderThread(std::unique_ptr<ShardReader> reader, Mailbox& mailbox);
  ~ReaderThread();
  ReaderThread(const ReaderThread&) = delete;
  ReaderThread& operator=(const ReaderThread&) = delete;

  /// False when too many wait already.
  [[nodiscard]] bool push(Query&& query) { return inbox_.push(std::move(query)); }
  void stop() { inbox_.close(); }

 private:
  // People wait for these: a longer line would be answered after they have given up.
  static constexpr std::size_t kQueries = 1000;
  void run();

  std::unique_ptr<ShardReader> reader_;
  Mailbox& mailbox_;
  BoundedQueue<Query> inbox_{kQueries};
  std::thread thread_;
};

}  // namespace ordo
