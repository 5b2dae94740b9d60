#include "broker/app/maintenance_thread.hpp"

#include <pthread.h>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "broker/store/maintenance.hpp"
#include "monitoring/probe/families.hpp"

namespace ordo {
namespace {

// Takeover comes first: a start is when the database has the most to do.
constexpr Seconds kFirst{10};

}  // namespace

MaintenanceThread::MaintenanceThread(MaintenancePlan plan, MetricBook& book)
    : plan_(std::move(plan)), book_(book) {
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "maintenance");
}

MaintenanceThread::~MaintenanceThread() {
  stop_.close();
  thread_.join();
}

void MaintenanceThread::run() {
  Micros patience = kFirst;
  while (true) {
    stop_.take_all(patience);
    for (const auto& [shard, dsn] : plan_.dsns) {
      if (stop_.is_closed()) return;
      keep(shard, dsn);
    }
    patience = plan_.every;
  }
}

void MaintenanceThread::keep(ShardNumber shard, const std::string& dsn) {
  MaintenanceSettings settings;
  settings.dsn = dsn;
  settings.shard = shard;
  settings.days_ahead = plan_.days_ahead;
  settings.retention_days = plan_.retention_days;
  const auto report = maintain(settings, wall_now());
  if (!report) {
    log::warn("partitions not kept", {{"shard", shard}, {"error", report.error().message}});
    return;
  }
  const MetricBook::Labels labels{std::to_string(shard)};
  book_.counter(metrics::kPartitionDays, labels).add(static_cast<std::uint64_t>(report->days_made));
  book_.counter(metrics::kPartitionsDropped, labels).add(report->dropped.size());
  book_.gauge(metrics::kPartitionsUntil, labels)
      .set(static_cast<double>(to_ms(report->made_until)) / 1e3);
  book_.gauge(metrics::kPartitionsKept, labels).set(static_cast<double>(report->kept.size()));
  for (const auto& day : report->dropped)
    log::info("partition day dropped", {{"shard", shard}, {"day", day}});
  for (const auto& day : report->kept) {
    log::warn("partition day past retention kept: something in it is not finished",
              {{"shard", shard}, {"day", day}});
  }
  for (const auto& trouble : report->troubles) {
    log::warn("partition trouble, tried again later", {{"shard", shard}, {"error", trouble}});
  }
}

}  // namespace ordo
