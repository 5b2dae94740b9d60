#include "broker/app/measured_store.hpp"

#include "base/clock.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

std::unique_lock<std::mutex> guard(const StoreLock& lock) {
  return lock ? std::unique_lock(*lock) : std::unique_lock<std::mutex>();
}

/// Table and kind of change, in the order of Change.
constexpr std::array<std::pair<std::string_view, std::string_view>, std::variant_size_v<Change>>
    kRows{{{"orders", "insert"},
           {"task", "insert"},
           {"deferred", "insert"},
           {"task", "delete"},
           {"deferred", "delete"},
           {"event", "insert"},
           {"pipeline", "insert"},
           {"queue_setting", "insert"}}};

/// Observes how long it lived, and shows since when.
class Timed {
 public:
  explicit Timed(MetricBook::Histogram& cell, std::atomic<Steady>* asked = nullptr)
      : cell_(cell), asked_(asked), since_(steady_now()) {
    if (asked_ != nullptr) asked_->store(since_);
  }
  ~Timed() {
    cell_.observe(steady_now() - since_);
    if (asked_ != nullptr) asked_->store(Steady{});
  }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  MetricBook::Histogram& cell_;
  std::atomic<Steady>* asked_;
  Steady since_;
};

}  // namespace

StoreMetrics::StoreMetrics(MetricBook& book, ShardNumber shard)
    : commit_seconds(book.histogram(metrics::kCommitSeconds, {std::to_string(shard)})),
      commit_writes(book.histogram(metrics::kCommitWrites, {std::to_string(shard)})),
      read_seconds(book.histogram(metrics::kReadSeconds, {std::to_string(shard)})),
      query_seconds(book.histogram(metrics::kQuerySeconds, {std::to_string(shard)})),
      waiting(book.gauge(metrics::kStoreWaiting, {std::to_string(shard)})) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [table, change] = kRows[i];
    rows[i] = &book.counter(metrics::kRowsWritten,
                            {std::to_string(shard), std::string(table), std::string(change)});
  }
}

MeasuredStore::~MeasuredStore() {
  const auto held = guard(lock_);
  store_.reset();
}

Result<Takeover> MeasuredStore::open() {
  const auto held = guard(lock_);
  return store_->open();
}

CommitResult MeasuredStore::commit(std::span<const StoreWrite* const> batch) {
  const auto held = guard(lock_);
  const Timed timed(metrics_.commit_seconds, &metrics_.asked);
  metrics_.commit_writes.observe(static_cast<std::int64_t>(batch.size()));
  auto result = store_->commit(batch);
  if (result.kind == CommitResult::Kind::kCommitted) count_rows(batch, result);
  return result;
}

void MeasuredStore::count_rows(std::span<const StoreWrite* const> batch,
                               const CommitResult& result) {
  std::array<std::uint64_t, std::variant_size_v<Change>> counts{};
  auto refused = result.refused.begin();
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (refused != result.refused.end() && refused->write == i) {
      ++refused;
      continue;
    }
    for (const Change& change : batch[i]->changes) ++counts[change.index()];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) metrics_.rows[i]->add(counts[i]);
}

Result<std::vector<OrderSnapshot>> MeasuredStore::load(std::span<const OrderId> ids) {
  const auto held = guard(lock_);
  const Timed timed(metrics_.read_seconds, &metrics_.asked);
  return store_->load(ids);
}

Result<Page> MeasuredStore::page(const PageSpec& spec) {
  const auto held = guard(lock_);
  const Timed timed(metrics_.read_seconds, &metrics_.asked);
  return store_->page(spec);
}

Result<void> MeasuredStore::probe() {
  const auto held = guard(lock_);
  return store_->probe();
}

Result<std::vector<OrderRecord>> MeasuredReader::query(const QuerySpec& spec) {
  const auto held = guard(lock_);
  const Timed timed(metrics_.query_seconds);
  return reader_->query(spec);
}

}  // namespace ordo
