// The port to a shard: one session that owns the shard while it lives. Two forms, MemoryStore (the
// simulator's) and PostgresStore, pass one contract suite (tests/contract).
//
// Use:     open() takes ownership and loads what is in hand; then commit(), load(), page() and
//          query() in any order, each seeing everything committed before. After `lost` the session
//          is dead: make a new one.
// Errors:  commit() distinguishes what is definite (committed, rejected: nothing happened) from
//          `lost`, where the batch may or may not be there: only taking ownership again and reading
//          tells.
// Threads: one owner; in the broker a store thread per shard, and a second session for query().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "broker/core/rows.hpp"
#include "ordo/result.hpp"

namespace ordo {

/// What taking ownership found.
struct Takeover {
  std::uint32_t timeline = 1;
  /// ours, one more than the last owner's; its commit was the barrier
  std::uint32_t epoch = 0;
  Wall database_now{};                 ///< the database's clock: what wall time is anchored to
  std::vector<OrderSnapshot> orders;   ///< every order with a row in `task`
  std::vector<PipelineRow> pipelines;  ///< all versions
  std::vector<QueueSetting> queue_settings;
  std::optional<Wall> next_due;             ///< earliest run_at in `deferred`
  std::vector<std::string> backlog_queues;  ///< queues with rows in state backlog
  std::uint64_t backlog_estimate = 0;       ///< about how many rows are in state backlog
  /// reasons of rows in state held, each with its queues
  std::vector<std::pair<std::string, std::string>> held_lines;
  std::vector<KeptTurn> turns;      ///< of rows that are scheduled
  std::optional<Wall> next_signal;  ///< earliest next_at in `signal`
  std::uint64_t kept_signals = 0;   ///< rows of `signal` with a next_at
};

/// One write as the store sees it: the changes of one order (or settings), all or nothing.
struct StoreWrite {
  OrderId order;  ///< whose order it is; zero for settings
  std::vector<Change> changes;
};

struct CommitResult {
  enum class Kind : std::uint8_t {
    kCommitted,  ///< durable; see `refused` for writes that were left out
    kRejected,   ///< the server reported an error: definitely rolled back, nothing happened
    kLost,       ///< connection gone, a WARNING on commit, or no longer the owner: in doubt
  };
  struct Refused {
    enum class Why : std::uint8_t {
      kDuplicate,  ///< InsertOrder met its id with the same submit_hash
      kConflict,   ///< … with another one; or PutPipeline met another content
      /// a row to delete was not there: nothing of that order's writes in the batch was done
      kMissing,
    };
    std::size_t write = 0;  ///< index into the batch
    Why why = Why::kDuplicate;
  };
  Kind kind = Kind::kCommitted;
  std::vector<Refused> refused;  ///< ascending by index
  std::string message;           ///< of kRejected and kLost: the server's words
  /// kRejected: the error lies with the moment (a lock, memory, a cancelled statement), not with
  /// the rows
  bool may_pass_later = false;
};

/// What to page in.
struct PageSpec {
  enum class What : std::uint8_t { kBacklog, kDue, kHeld, kSignals };
  What what = What::kBacklog;
  std::string queue;           ///< kBacklog, kHeld
  std::uint8_t priority = 5;   ///< kBacklog
  std::string holder;          ///< kHeld: the rows' reason
  std::int64_t after_seq = 0;  ///< kBacklog, kHeld: rows with seq > after_seq, ascending
  /// kDue, kSignals: rows with (run_at or next_at, seq) > (due_after, after_seq) …
  Wall due_after{};
  Wall due_until{};  ///< … and ≤ due_until, ascending
  /// kBacklog: the owner before may have given rows of the page out, so none counts as untouched.
  bool is_suspect = false;
  std::uint32_t limit = 500;             ///< rows, 1 to 10,000
  std::uint64_t limit_bytes = 8u << 20;  ///< payload bytes after which it stops (at least one row)
};

struct Page {
  std::vector<DeferredRow> rows;      ///< in order
  std::vector<OrderSnapshot> orders;  ///< the orders of those rows, each once, in any order
  std::vector<SignalRow> signals;     ///< kSignals: instead of rows and orders
  bool is_last = true;                ///< no further row matched when it was read
  std::optional<Wall> next_due;       ///< kDue, kSignals: earliest time after the page
};

/// One order as people see it: everything known.
struct OrderRecord {
  OrderRow order;
  OrderStatus status = OrderStatus::kRunning;
  std::vector<TaskRow> tasks;
  std::vector<DeferredRow> deferred;
  /// ascending by seq, at most limits::kEventsPage: kOrder the newest, kEvents the oldest after the
  /// cursor, kParked the last failures of parked tasks, other lists none
  std::vector<EventRow> events;
  std::vector<SignalRow> signals;  ///< kSignals: the one that the record is about
};

/// What a client or operator wants to read.
struct QuerySpec {
  /// Lists come without payload, context and events; kParked with the event of each parked task's
  /// last failure. kByCustomer and kRecent: newest first, the others oldest first.
  enum class What : std::uint8_t {
    kOrder,
    kByCustomer,
    kOpen,
    kParked,
    kRecent,
    kEvents,
    kSignals  ///< kept signals by seq: a record each, of which only order.id and signals are set
  };
  What what = What::kOrder;
  OrderId id;            ///< kOrder, kEvents
  std::string customer;  ///< kByCustomer
  /// lists: cursor (the last id of the page before); zero: from the start
  OrderId after;
  std::int64_t after_seq = 0;  ///< kEvents, kSignals: those with seq > after_seq
  std::uint32_t limit = 100;   ///< lists: orders, 1 to 1,000
};

/// One session of one shard.
class ShardStore {
 public:
  virtual ~ShardStore() = default;

  /// Connects, takes the shard's lock, commits epoch + 1 and loads. kBusy: another owner lives (try
  /// again); kUnavailable: cannot be reached; kConflict: schema missing or newer, a pooling proxy,
  /// a lower timeline (`message` says what to do).
  virtual Result<Takeover> open() = 0;

  /// One commit of the batch, in order: deletes, then orders, tasks, deferred, events, settings.
  virtual CommitResult commit(std::span<const StoreWrite* const> batch) = 0;

  /// Snapshots of the orders that exist, in any order, and of those that are absent but have
  /// signals. An error means the session is lost.
  virtual Result<std::vector<OrderSnapshot>> load(std::span<const OrderId> ids) = 0;
  virtual Result<Page> page(const PageSpec& spec) = 0;

  /// A write-free round trip that proves ownership (the keep-alive of each idle second).
  virtual Result<void> probe() = 0;
};

/// Reads for people, on a session of its own; never decides anything.
class ShardReader {
 public:
  virtual ~ShardReader() = default;
  /// Records of the orders found, in the order asked for. kUnavailable when the session is lost.
  virtual Result<std::vector<OrderRecord>> query(const QuerySpec& spec) = 0;
};

}  // namespace ordo
