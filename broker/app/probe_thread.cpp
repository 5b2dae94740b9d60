#include "broker/app/probe_thread.hpp"

#include <pthread.h>

#include <utility>

#include "base/clock.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

// With a bound of 2 s for an answer this shows any fault within 6 s.
constexpr Seconds kEvery{3};
// What is scheduled or parked may be many rows to count, and matters by the minute.
constexpr int kCensusEvery = 10;

}  // namespace

ProbeThread::ProbeThread(ShardProbe probe, ShardNumber shard, MetricBook& book)
    : probe_(std::move(probe)),
      book_(book),
      shard_(std::to_string(shard)),
      seconds_(book.histogram(metrics::kShardProbeSeconds, {std::to_string(shard)})),
      failures_(book.counter(metrics::kShardProbeFailures, {std::to_string(shard)})),
      dead_rows_(book.gauge(metrics::kShardDeadRows, {std::to_string(shard)})),
      oldest_snapshot_(book.gauge(metrics::kShardOldestSnapshot, {std::to_string(shard)})),
      wal_bytes_(book.counter(metrics::kShardWalBytes, {std::to_string(shard)})) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "probe");
}

ProbeThread::~ProbeThread() {
  stop_.close();
  thread_.join();
}

void ProbeThread::run() {
  for (int round = 0; !stop_.is_closed(); ++round) {
    tell(probe_.measure());
    if (round % kCensusEvery == 0) {
      // A count that fails leaves the last one: measure() says what is wrong.
      if (const auto counted = probe_.census()) tell(*counted);
    }
    stop_.take_all(kEvery);
  }
}

health::ShardPulse ProbeThread::pulse() const {
  const std::lock_guard lock(mutex_);
  return pulse_;
}

void ProbeThread::tell(const Result<ShardVitals>& found) {
  {
    const std::lock_guard lock(mutex_);
    pulse_.at = steady_now();
    pulse_.error = found ? "" : found.error().message;
    if (found) {
      pulse_.took = found->took;
      pulse_.dead_rows = found->dead_rows;
      pulse_.oldest_snapshot = found->oldest_snapshot;
    }
  }
  if (!found) return failures_.add();
  seconds_.observe(found->took);
  dead_rows_.set(static_cast<double>(found->dead_rows));
  oldest_snapshot_.set(static_cast<double>(found->oldest_snapshot.count()) / 1e3);
  wal_bytes_.set(found->wal_bytes);
}

void ProbeThread::tell(const std::vector<QueueCensus>& found) {
  std::set<std::string> gone = shown_;
  const auto show = [this](const QueueCensus& one) {
    const MetricBook::Labels labels{shard_, one.queue};
    const auto age = one.oldest_parked ? to_ms(wall_now()) - one.oldest_parked->unix_ms() : 0;
    book_.gauge(metrics::kQueueScheduled, labels).set(static_cast<double>(one.scheduled));
    book_.gauge(metrics::kQueueParked, labels).set(static_cast<double>(one.parked));
    book_.gauge(metrics::kQueueParkedAge, labels).set(static_cast<double>(age) / 1e3);
  };
  for (const auto& one : found) {
    show(one);
    shown_.insert(one.queue);
    gone.erase(one.queue);
  }
  for (const auto& queue : gone) show({queue, 0, 0, {}});
}

}  // namespace ordo
