#include "broker/app/probe_thread.hpp"

#include <pthread.h>

#include <utility>

#include "base/clock.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

// With a bound of 2 s for an answer this shows any fault within 6 s.
constexpr Seconds kEvery{3};

}  // namespace

ProbeThread::ProbeThread(ShardProbe probe, ShardNumber shard, MetricBook& book)
    : probe_(std::move(probe)),
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
  while (!stop_.is_closed()) {
    tell(probe_.measure());
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

}  // namespace ordo
