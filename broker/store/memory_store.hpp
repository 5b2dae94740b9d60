// A shard in memory: the same port and the same meaning as PostgresStore, for the simulator and for
// tests without a database. tests/contract holds both to it.
//
// Shapes:  MemoryDatabase is the tables of one shard and outlives the sessions; MemoryStore is one
//          session, MemoryReader the second one for people. Rows are kept in ordered maps, so
//          everything is deterministic.
// Errors:  what PostgreSQL's keys and CHECKs refuse is kRejected here too, with the whole batch
//          undone.
// Threads: one owner for a database and all of its sessions.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "broker/store/store.hpp"

namespace ordo {

/// The tables of one shard. Readable as a whole by tests; only sessions change it.
class MemoryDatabase {
 public:
  explicit MemoryDatabase(ShardNumber shard) : shard_(shard) {}

  [[nodiscard]] ShardNumber shard() const { return shard_; }
  [[nodiscard]] const std::map<OrderId, OrderRow>& orders() const { return orders_; }
  [[nodiscard]] const std::map<TaskKey, TaskRow>& tasks() const { return tasks_; }
  [[nodiscard]] const std::map<TaskKey, DeferredRow>& deferred() const { return deferred_; }
  /// An order's events, ascending by seq; nullptr where it has none.
  [[nodiscard]] const std::map<std::int64_t, EventRow>* events(const OrderId& order) const;
  [[nodiscard]] const std::map<PipelineId, PipelineRow>& pipelines() const { return pipelines_; }
  [[nodiscard]] const std::map<std::string, QueueSetting>& queue_settings() const {
    return queue_settings_;
  }
  using SignalKey = std::pair<OrderId, std::int64_t>;
  [[nodiscard]] const std::map<SignalKey, SignalRow>& signals() const { return signals_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }

  /// What the last event that carries a status says; running where none does.
  [[nodiscard]] OrderStatus status(const OrderId& order) const;
  /// Everything that decides how an order goes on; nullopt where it is not there.
  [[nodiscard]] std::optional<OrderSnapshot> snapshot(const OrderId& id) const;
  [[nodiscard]] std::optional<OrderRecord> record(const OrderId& id) const;

  /// The database's clock, which takeovers report.
  void set_now(Wall now) { now_ = now; }
  /// What pg_terminate_backend does to the owner's session: it is dead from now on, its lock free.
  void terminate_owner() { owner_ = 0; }
  [[nodiscard]] bool is_owned() const { return owner_ != 0; }

 private:
  friend class MemoryStore;
  friend class MemoryReader;
  class Commit;
  using BacklogPlace = std::tuple<std::string, std::uint8_t, std::int64_t, TaskKey>;
  using HeldPlace = std::tuple<std::string, std::string, std::int64_t, TaskKey>;
  using DuePlace = std::tuple<Wall, std::int64_t, TaskKey>;

  Takeover take();
  void insert_deferred(const DeferredRow& row);
  void erase_deferred(const TaskKey& key);
  void insert_signal(const SignalRow& row);
  void erase_signal(const SignalKey& key);
  [[nodiscard]] Page backlog_page(const PageSpec& spec) const;
  [[nodiscard]] Page held_page(const PageSpec& spec) const;
  [[nodiscard]] Page signals_page(const PageSpec& spec) const;
  [[nodiscard]] Page due_page(const PageSpec& spec) const;
  void add_to_page(Page& page, const DeferredRow& row, bool is_suspect, std::uint64_t& bytes) const;

  ShardNumber shard_;
  std::uint32_t timeline_ = 1;
  std::uint32_t epoch_ = 0;
  std::uint64_t sessions_ = 0;  ///< how many there were: names them
  std::uint64_t owner_ = 0;     ///< the session that holds the lock; 0: free
  Wall now_{};
  std::map<OrderId, OrderRow> orders_;
  std::map<TaskKey, TaskRow> tasks_;
  std::map<TaskKey, DeferredRow> deferred_;
  std::set<BacklogPlace> backlog_;
  std::set<DuePlace> due_;
  std::set<HeldPlace> held_;  ///< by reason and queue
  std::map<OrderId, std::map<std::int64_t, EventRow>> events_;
  std::map<PipelineId, PipelineRow> pipelines_;
  std::map<std::string, QueueSetting> queue_settings_;
  std::map<SignalKey, SignalRow> signals_;
  std::set<std::pair<Wall, std::pair<std::int64_t, OrderId>>> kept_;  ///< by next_at and seq
};

/// One session. Ends, and frees the lock, with the object.
class MemoryStore final : public ShardStore {
 public:
  explicit MemoryStore(MemoryDatabase& database) : database_(database) {}
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  Result<Takeover> open() override;
  CommitResult commit(std::span<const StoreWrite* const> batch) override;
  Result<std::vector<OrderSnapshot>> load(std::span<const OrderId> ids) override;
  Result<Page> page(const PageSpec& spec) override;
  Result<void> probe() override;

 private:
  [[nodiscard]] bool is_owner() const { return id_ != 0 && database_.owner_ == id_; }

  MemoryDatabase& database_;
  std::uint64_t id_ = 0;  ///< drawn by open()
};

class MemoryReader final : public ShardReader {
 public:
  explicit MemoryReader(const MemoryDatabase& database) : database_(database) {}
  Result<std::vector<OrderRecord>> query(const QuerySpec& spec) override;

 private:
  const MemoryDatabase& database_;
};

}  // namespace ordo
