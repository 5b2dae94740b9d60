// A worker's numbers: collected from its loop, written for Prometheus, judged for who asks whether
// it is alive and ready.
//
// Rule:    alive is whether the worker's own thread comes round, never whether somebody answers;
//          ready is whether it can be given a task.
// Threads: any; what the loop writes is atomic.
#pragma once

#include <string>

#include "ordo/worker_stats.hpp"
#include "worker/app/worker_loop.hpp"
#include "worker/net/status_port.hpp"

namespace ordo::worker {

WorkerStats stats_of(const WorkerLoop& loop);

/// In Prometheus' text format, with what the kernel says about the process.
std::string to_metrics(const WorkerStats& stats);

/// 200 while the loop came round within 3 s.
StatusPage livez(const WorkerStats& stats);
/// 200 while alive, known to a broker and not draining.
StatusPage readyz(const WorkerStats& stats);

}  // namespace ordo::worker
