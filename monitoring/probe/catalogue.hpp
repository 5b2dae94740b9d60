// The metrics of a broker in the order of docs/metrics.md, with who looks at each.
//
// Rule:    a family of families.hpp stands here once; the documents' test writes the page from it.
// Threads: constants.
#pragma once

#include <array>

#include "monitoring/probe/families.hpp"

namespace ordo::metrics {

inline constexpr auto kCore = MetricTier::kCore;
inline constexpr auto kOperational = MetricTier::kOperational;
inline constexpr auto kDiagnostic = MetricTier::kDiagnostic;

inline constexpr std::array kOrdersAndTasks{
    ListedMetric{&kBuildInfo, kDiagnostic},
    ListedMetric{&kOrdersAccepted, kCore},
    ListedMetric{&kOrdersDuplicate, kDiagnostic},
    ListedMetric{&kOrdersRefused, kOperational},
    ListedMetric{&kOrdersBusy, kOperational},
    ListedMetric{&kOrdersEnded, kCore},
    ListedMetric{&kOrderSeconds, kCore},
    ListedMetric{&kSubmitSeconds, kCore},
    ListedMetric{&kTasksDispatched, kDiagnostic},
    ListedMetric{&kTasksEnded, kCore},
    ListedMetric{&kTasksRetried, kOperational},
    ListedMetric{&kTasksParked, kOperational},
    ListedMetric{&kTaskAlarms, kOperational},
    ListedMetric{&kTaskWaitSeconds, kCore},
    ListedMetric{&kTaskRunSeconds, kCore},
    ListedMetric{&kWaitsGivenUp, kDiagnostic},
    ListedMetric{&kResultsStale, kDiagnostic},
    ListedMetric{&kResultsRepeated, kDiagnostic},
    ListedMetric{&kLeasesLost, kOperational},
    ListedMetric{&kTasksAdopted, kDiagnostic},
    ListedMetric{&kJoins, kDiagnostic},
    ListedMetric{&kCompensationsBegun, kOperational},
    ListedMetric{&kCompensationsEnded, kOperational},
    ListedMetric{&kCompensationsParked, kOperational},
    ListedMetric{&kDeadlinesMissed, kOperational},
    ListedMetric{&kStepsSkipped, kOperational},
    ListedMetric{&kStepFallbacks, kOperational},
    ListedMetric{&kSignals, kOperational},
    ListedMetric{&kWaitsTimedOut, kOperational},
    ListedMetric{&kOrphanSignals, kOperational},
    ListedMetric{&kSignalsStuck, kOperational},
    ListedMetric{&kLateOrders, kOperational},
    ListedMetric{&kOrdersRestored, kOperational},
    ListedMetric{&kOrdersMerged, kDiagnostic},
};

inline constexpr std::array kQueuesAndWorkers{
    ListedMetric{&kQueueReady, kCore},
    ListedMetric{&kQueueLeased, kCore},
    ListedMetric{&kQueueBacklog, kCore},
    ListedMetric{&kQueueOldest, kCore},
    ListedMetric{&kQueueScheduled, kOperational},
    ListedMetric{&kQueueParked, kOperational},
    ListedMetric{&kQueueParkedAge, kOperational},
    ListedMetric{&kQueueWorkers, kOperational},
    ListedMetric{&kQueueSlots, kOperational},
    ListedMetric{&kQueuePaused, kOperational},
    ListedMetric{&kQueueHeld, kOperational},
    ListedMetric{&kTasksHeld, kDiagnostic},
    ListedMetric{&kDependencyState, kCore},
    ListedMetric{&kBacklogged, kDiagnostic},
    ListedMetric{&kPagedIn, kDiagnostic},
    ListedMetric{&kWorkers, kCore},
    ListedMetric{&kFreeSlots, kOperational},
    ListedMetric{&kWorkersJoined, kDiagnostic},
    ListedMetric{&kWorkersResynced, kDiagnostic},
    ListedMetric{&kWorkersLost, kOperational},
    ListedMetric{&kWorkersLeft, kDiagnostic},
};

inline constexpr std::array kShardsAndDatabase{
    ListedMetric{&kShardOpen, kCore},
    ListedMetric{&kShardEpoch, kDiagnostic},
    ListedMetric{&kShardsLost, kOperational},
    ListedMetric{&kShardsRefused, kDiagnostic},
    ListedMetric{&kWritesRejected, kOperational},
    ListedMetric{&kRowsMissing, kOperational},
    ListedMetric{&kCommitSeconds, kCore},
    ListedMetric{&kCommitWrites, kDiagnostic},
    ListedMetric{&kRowsWritten, kDiagnostic},
    ListedMetric{&kReadSeconds, kDiagnostic},
    ListedMetric{&kQuerySeconds, kDiagnostic},
    ListedMetric{&kStoreWaiting, kOperational},
    ListedMetric{&kShardProbeSeconds, kOperational},
    ListedMetric{&kShardProbeFailures, kOperational},
    ListedMetric{&kShardDeadRows, kOperational},
    ListedMetric{&kShardOldestSnapshot, kOperational},
    ListedMetric{&kShardWalBytes, kDiagnostic},
    ListedMetric{&kPartitionsUntil, kOperational},
    ListedMetric{&kPartitionDays, kDiagnostic},
    ListedMetric{&kPartitionsDropped, kDiagnostic},
    ListedMetric{&kPartitionsKept, kOperational},
};

inline constexpr std::array kHealth{
    ListedMetric{&kNodeHealth, kCore},
    ListedMetric{&kNodeRootCause, kOperational},
    ListedMetric{&kNodeReason, kOperational},
};

inline constexpr std::array kSocketsAndLoop{
    ListedMetric{&kBeats, kDiagnostic},      ListedMetric{&kFrames, kDiagnostic},
    ListedMetric{&kBytes, kDiagnostic},      ListedMetric{&kRefused, kOperational},
    ListedMetric{&kForbidden, kOperational}, ListedMetric{&kGone, kOperational},
    ListedMetric{&kPeers, kDiagnostic},      ListedMetric{&kLoopBusy, kOperational},
    ListedMetric{&kLoopAge, kOperational},   ListedMetric{&kLoopPass, kDiagnostic},
    ListedMetric{&kResident, kDiagnostic},   ListedMetric{&kInFlight, kDiagnostic},
    ListedMetric{&kWaiters, kDiagnostic},
};

}  // namespace ordo::metrics
