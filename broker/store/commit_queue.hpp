// What a shard's session does next: a pure queue between a core's store operations and one
// ShardStore. The store thread and the simulator drive the same object, so batching, bisecting and
// losing are simulated as they run.
//
// Use:     push() what the core wants; next() says what to do on the session; tell the result with
//          opened(), committed(), loaded(), paged() or probed() before asking again. Events for the
//          core are appended to `out`. For Open drop the old session and make a new one; after a
//          loss drop the session.
// Order:   reads and opens are barriers. Between two of them progress goes before submits (a
//          quarter of each batch is kept for submits), except that writes of one order always keep
//          their order.
// Errors:  an error that lies with the moment is tried again. A rejected batch is halved by order
//          until the culprit stands alone; what the core queued for the same order after a rejected
//          write (or one that missed a row) was built on it and shares its fate. After a loss all
//          that is queued goes back in ShardLost, and whatever comes before the next OpenShard is
//          dropped.
// Threads: one owner, that of the session.
// Costs:   one hash look-up a write; a batch is at most limits::kBatchRows changes and kBatchBytes
//          (or one write).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "broker/core/effects.hpp"
#include "broker/core/events.hpp"
#include "broker/store/store.hpp"

namespace ordo {

class CommitQueue {
 public:
  /// What to do on the session. Spans and pointers are valid until the result is told.
  struct Idle {};
  struct Open {};
  struct Commit {
    std::span<const StoreWrite* const> batch;
  };
  struct Load {
    std::span<const OrderId> ids;
  };
  struct ReadPage {
    const PageSpec* spec = nullptr;
  };
  using Work = std::variant<Idle, Open, Commit, Load, ReadPage>;

  explicit CommitQueue(ShardNumber shard) : shard_(shard) {}

  /// Queues an operation of this shard. OpenShard ends what waits, for its core has forgotten it:
  /// the writes come back in a ShardLost of their incarnation before the new one's outcome.
  void push(StoreOperation&& operation);

  /// The next work; Idle when there is none. ORDO_CHECKs that the result of the last one was told.
  Work next();
  [[nodiscard]] bool is_busy() const { return is_working_; }
  [[nodiscard]] bool is_open() const { return state_ == State::kOpen; }
  /// Operations that wait, the one under way not counted.
  [[nodiscard]] std::size_t size() const;

  void opened(Result<Takeover>&& result, std::vector<Event>& out);
  void committed(const CommitResult& result, std::vector<Event>& out);
  void loaded(Result<std::vector<OrderSnapshot>>&& result, std::vector<Event>& out);
  void paged(Result<Page>&& result, std::vector<Event>& out);
  /// After a probe while idle and open; an error is a loss.
  void probed(const Result<void>& result, std::vector<Event>& out);

 private:
  enum class State : std::uint8_t { kClosed, kOpening, kOpen };
  using Writes = std::vector<std::unique_ptr<Write>>;
  using Read = std::variant<LoadOrders, LoadPage>;
  /// What stands between two reads, and the read that ends it.
  struct Segment {
    std::deque<std::unique_ptr<Write>> progress;
    std::deque<std::unique_ptr<Write>> submits;
    /// how many writes of `submits` are of an order
    std::unordered_map<OrderId, std::uint32_t> submit_orders;
    std::unique_ptr<Read> read;  ///< null in the last segment
  };
  class Gathering;

  void push_write(std::unique_ptr<Write> write);
  void push_read(Read read);
  void gather();
  void take_unfinished(Writes& into);
  void drop_queued();
  void report_dropped(std::vector<Event>& out);
  void report_left_out(std::vector<Event>& out);
  [[nodiscard]] bool finish(std::vector<Event>& out);
  Work start_batch();
  void try_again(const std::string& message, std::vector<Event>& out);
  void bisect(const std::string& message, std::vector<Event>& out);
  void reject_alone(const std::string& message, std::vector<Event>& out);
  void leave_out_later(const OrderId& order, event::WritesDone::Outcome outcome,
                       const std::string& message, event::WritesDone& done);
  void lose(std::string why, std::vector<Event>& out);

  ShardNumber shard_;
  State state_ = State::kClosed;
  bool is_working_ = false;
  bool is_stale_ = false;  ///< an OpenShard came while work was under way: its result is nobody's
  std::uint32_t incarnation_ = 0;
  std::deque<Segment> segments_;
  std::deque<Writes> halves_;             ///< of a rejected batch, in order; before everything else
  int tries_ = 0;                         ///< of the batch at hand that failed and may pass later
  Writes batch_;                          ///< under way
  std::unordered_set<OrderId> rejected_;  ///< orders whose rejection the core may not know yet
  std::vector<event::WritesDone::Item>
      left_out_;    ///< writes of theirs that came since, to be reported
  Writes dropped_;  ///< of an older incarnation, to be reported
  std::uint32_t dropped_incarnation_ = 0;
  std::vector<const StoreWrite*> pointers_;
  Read read_;  ///< under way
};

/// Makes a session of a shard.
using MakeStore = std::function<std::unique_ptr<ShardStore>()>;

/// Does the next work on `session` at once and tells its result: what a store thread's loop is made
/// of. Replaces the session for an open, and resets it after a loss. False when there was nothing
/// to do.
bool perform_next(CommitQueue& queue, std::unique_ptr<ShardStore>& session, const MakeStore& make,
                  std::vector<Event>& out);

/// Proves ownership while idle (about three times a second, well within Settings::trust).
void perform_probe(CommitQueue& queue, std::unique_ptr<ShardStore>& session,
                   std::vector<Event>& out);

}  // namespace ordo
