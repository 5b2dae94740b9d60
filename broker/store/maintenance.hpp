// Keeps the partitions of a shard: makes those of the days ahead, lets go of those past retention.
//
// Use:     run() now and then (an hour is often enough) from a thread of the broker; it opens a
//          session of its own and closes it. Any number of brokers may run it for one shard.
// Errors:  kUnavailable: the database cannot be reached; other trouble is in the report, and the
//          next run goes on where this one stopped (also after a crash between detach and drop).
// Threads: one owner.
// Costs:   detach and drop wait at most `lock_timeout` for a lock, so nobody waits behind them for
//          longer.
#pragma once

#include <string>
#include <vector>

#include "base/time.hpp"
#include "ordo/result.hpp"
#include "schema/vocabulary.hpp"

namespace ordo {

struct MaintenanceSettings {
  std::string dsn{};
  ShardNumber shard = 0;
  int days_ahead = 7;  ///< partitions there are beyond today: a week of nobody looking
  int retention_days =
      30;  ///< ids older than this go; at least 2 (late submits come up to a day old)
  Millis lock_timeout{2000};
};

struct MaintenanceReport {
  int days_made = 0;
  Wall made_until{};  ///< the end of the last day from today on that has both its partitions
  std::vector<std::string> dropped;  ///< days ("20260131") that are gone
  std::vector<std::string> kept;  ///< days past retention in which something is not finished: alarm
  std::vector<std::string> troubles;  ///< what failed and is tried again next time
};

/// `now` decides what is past: the database's or the broker's clock.
Result<MaintenanceReport> maintain(const MaintenanceSettings& settings, Wall now);

}  // namespace ordo
