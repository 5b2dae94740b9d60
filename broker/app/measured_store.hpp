// A session that is timed: passes everything on to another one and counts how long it took.
//
// Threads: the session's owner. A MemoryDatabase that a reader shares is guarded here, because it
//          has no server in front of it: both forms take the same lock then.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <variant>

#include "broker/store/store.hpp"
#include "monitoring/probe/metric_book.hpp"

namespace ordo {

/// The cells of one shard.
struct StoreMetrics {
  StoreMetrics(MetricBook& book, ShardNumber shard);
  MetricBook::Histogram& commit_seconds;
  MetricBook::Histogram& commit_writes;
  /// By what a change does, in the order of Change.
  std::array<MetricBook::Counter*, std::variant_size_v<Change>> rows{};
  MetricBook::Histogram& read_seconds;
  MetricBook::Histogram& query_seconds;
  MetricBook::Gauge& waiting;
  /// When the owner's session was asked for what it has not answered yet; zero: it is at leisure.
  std::atomic<Steady> asked{Steady{}};
};

/// Null where the store has a server that keeps its sessions apart.
using StoreLock = std::shared_ptr<std::mutex>;

class MeasuredStore final : public ShardStore {
 public:
  MeasuredStore(std::unique_ptr<ShardStore> store, StoreMetrics& metrics, StoreLock lock)
      : store_(std::move(store)), metrics_(metrics), lock_(std::move(lock)) {}
  ~MeasuredStore() override;

  Result<Takeover> open() override;
  CommitResult commit(std::span<const StoreWrite* const> batch) override;
  Result<std::vector<OrderSnapshot>> load(std::span<const OrderId> ids) override;
  Result<Page> page(const PageSpec& spec) override;
  Result<void> probe() override;

 private:
  void count_rows(std::span<const StoreWrite* const> batch, const CommitResult& result);

  std::unique_ptr<ShardStore> store_;
  StoreMetrics& metrics_;
  StoreLock lock_;
};

class MeasuredReader final : public ShardReader {
 public:
  MeasuredReader(std::unique_ptr<ShardReader> reader, StoreMetrics& metrics, StoreLock lock)
      : reader_(std::move(reader)), metrics_(metrics), lock_(std::move(lock)) {}
  Result<std::vector<OrderRecord>> query(const QuerySpec& spec) override;

 private:
  std::unique_ptr<ShardReader> reader_;
  StoreMetrics& metrics_;
  StoreLock lock_;
};

}  // namespace ordo
