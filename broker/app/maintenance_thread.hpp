// Keeps the partitions of all shards, now and then (store/maintenance.hpp), on sessions of its own.
//
// Errors:  logged; the next run tries again.
// Threads: its own; stop() from any.
#pragma once

#include <map>
#include <string>
#include <thread>

#include "base/bounded_queue.hpp"
#include "base/time.hpp"
#include "monitoring/probe/metric_book.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct MaintenancePlan {
  std::map<ShardNumber, std::string> dsns;
  int days_ahead = 7;
  int retention_days = 30;
  Millis every{3'600'000};
};

class MaintenanceThread {
 public:
  MaintenanceThread(MaintenancePlan plan, MetricBook& book);
  ~MaintenanceThread();
  MaintenanceThread(const MaintenanceThread&) = delete;
  MaintenanceThread& operator=(const MaintenanceThread&) = delete;

  void stop() { stop_.close(); }

 private:
  void run();
  void keep(ShardNumber shard, const std::string& dsn);

  MaintenancePlan plan_;
  MetricBook& book_;
  BoundedQueue<int> stop_{1};  ///< only ever closed: a wait that can be ended
  std::thread thread_;
};

}  // namespace ordo
