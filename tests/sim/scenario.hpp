// Everything a seed decides before it starts: how large the world is, which kinds of faults it has
// and how strong. Swarm testing: each seed turns most faults off and some to extremes, because
// faults that are always on hide each other's bugs.
//
// Units:   rates are per second of virtual time, chances 0 to 1.
// Threads: a value.
// Source:  Groce et al., "Swarm Testing" (ISSTA 2012).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "broker/core/settings.hpp"

namespace ordo::sim {

struct Scenario {
  std::uint64_t seed = 0;
  int shards = 2;
  int workers = 3;
  int clients = 2;
  Seconds safety{20};  ///< how long faults last
  Settings settings;   ///< of the engine
  /// "PB-08": a bug in the store's, the worker's or the engine's model
  std::string planted;
  bool through_codec = false;  ///< frames are encoded and decoded on their way

  // network
  Micros frame_delay{1000};  ///< mean, one way
  double frame_loss = 0;
  double frame_double = 0;
  double frame_late = 0;
  double cut_rate = 0;   ///< per connection
  double clog_rate = 0;  ///< per connection

  // database
  Micros commit_delay{1500};  ///< mean
  double commit_slow = 0;
  double commit_reject = 0;
  double culprit = 0;  ///< of orders
  double in_doubt = 0;
  double warning = 0;
  double terminate_rate = 0;  ///< per shard
  double lock_lingers = 0;
  double open_refused = 0;
  double query_fails = 0;
  double down_rate = 0;  ///< per shard

  // processes
  double broker_crash_rate = 0;
  double broker_freeze_rate = 0;
  double replaced = 0;           ///< of freezes
  double worker_crash_rate = 0;  ///< per worker
  double worker_freeze_rate = 0;
  double worker_drain_rate = 0;
  Micros broker_skew{0};   ///< error of its wall clock
  double wrong_fence = 0;  ///< of frames of results

  // workload
  int orders = 30;
  int pipelines = 3;
  int queues = 3;
  double same_again = 0;  ///< of submits
  double other_content = 0;
  double cancel = 0;
  double deadline = 0;
  double delay = 0;
  double wait = 0.3;
  double watch = 0.1;
  double undoes = 0;        ///< of steps: there is something that undoes them
  double irreversible = 0;  ///< of the others
  double operate_rate = 0;
  double pause_rate = 0;
  double outage_rate = 0;  ///< of the dependencies that steps use
  double waits = 0;        ///< of steps: they wait for a signal
  double delays = 0;       ///< of steps: they have a delay
  double signals = 0;      ///< of orders that are sent some
  double lines = 0;        ///< of steps: they have `limit_key`, and `fair_by`
  double withheld = 0;     ///< of orders: they come after their signals, or never
  /// at the end, parked tasks are retried until everything has ended
  bool operator_mends = false;

  // handlers
  Millis run{50};  ///< mean
  double transient = 0;
  double permanent = 0;
  double snooze = 0;
  double hang = 0;
  double crash = 0;  ///< takes the worker down
  double slow = 0;   ///< runs past its timeout
};

Scenario draw_scenario(std::uint64_t seed, const std::string& planted);

}  // namespace ordo::sim
