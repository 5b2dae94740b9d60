// Asks one shard's database every three seconds how it is (store/shard_probe.hpp), and keeps the
// newest answer for the loop; twice a minute it counts what waits in the tables.
//
// Rule:    a database that hangs keeps this thread waiting and nobody else: what it says grows old,
//          and that is the finding.
// Errors:  part of the pulse.
// Threads: its own; stop() and pulse() from any.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/bounded_queue.hpp"
#include "broker/store/shard_probe.hpp"
#include "monitoring/health/rules.hpp"
#include "monitoring/probe/metric_book.hpp"

namespace ordo {

class ProbeThread {
 public:
  ProbeThread(ShardProbe probe, ShardNumber shard, MetricBook& book);
  ~ProbeThread();
  ProbeThread(const ProbeThread&) = delete;
  ProbeThread& operator=(const ProbeThread&) = delete;

  void stop() { stop_.close(); }
  [[nodiscard]] health::ShardPulse pulse() const;

 private:
  void run();
  void tell(const Result<ShardVitals>& found);
  void tell(const std::vector<QueueCensus>& found);

  ShardProbe probe_;
  MetricBook& book_;
  const std::string shard_;
  std::set<std::string> shown_;  ///< queues that some census has found
  MetricBook::Histogram& seconds_;
  MetricBook::Counter& failures_;
  MetricBook::Gauge& dead_rows_;
  MetricBook::Gauge& oldest_snapshot_;
  MetricBook::Counter& wal_bytes_;
  mutable std::mutex mutex_;
  health::ShardPulse pulse_;
  BoundedQueue<int> stop_{1};  ///< only ever closed: a wait that can be ended
  std::thread thread_;
};

}  // namespace ordo
