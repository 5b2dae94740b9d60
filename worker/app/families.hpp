// Every metric of a worker, as data (docs/metrics.md is made of them).
//
// Threads: constants.
#pragma once

#include <algorithm>
#include <array>

#include "base/metric_family.hpp"
#include "ordo/worker_stats.hpp"

namespace ordo::metrics {

using enum MetricType;

static_assert(std::equal(kHandlerBounds.begin(), kHandlerBounds.end(), kWorkBounds.begin(),
                         kWorkBounds.end()));

inline constexpr MetricFamily kWorkerBuildInfo{
    "ordo_worker_build_info", kGauge, "version", "Always 1; which SDK the worker runs on.", {}};
inline constexpr MetricFamily kWorkerAttempts{
    "ordo_worker_attempts_total",
    kCounter,
    "handler,outcome",
    "Handlers that returned: succeeded, transient (an exception too), permanent, snooze, unknown.",
    {}};
inline constexpr MetricFamily kWorkerHandlerSeconds{
    "ordo_worker_handler_seconds",          kHistogram,     "handler",
    "What a handler took, with its hooks.", kHandlerBounds, kMicros};
inline constexpr MetricFamily kWorkerSlots{
    "ordo_worker_slots", kGauge, "", "Handlers that may run at a time.", {}};
inline constexpr MetricFamily kWorkerSlotsUsed{
    "ordo_worker_slots_used", kGauge, "", "Slots that are in a handler.", {}};
inline constexpr MetricFamily kWorkerSlotsHung{
    "ordo_worker_slots_hung",
    kGauge,
    "",
    "Slots whose handler is long past its timeout and does not return.",
    {}};
inline constexpr MetricFamily kWorkerTasksTaken{
    "ordo_worker_tasks_taken_total", kCounter, "", "Tasks taken from brokers.", {}};
inline constexpr MetricFamily kWorkerTasksAhead{
    "ordo_worker_tasks_ahead", kGauge, "", "Tasks taken that wait for a slot.", {}};
inline constexpr MetricFamily kWorkerHandedBack{
    "ordo_worker_tasks_handed_back_total", kCounter, "", "Tasks given back before they began.", {}};
inline constexpr MetricFamily kWorkerTimeouts{"ordo_worker_tasks_timed_out_total",
                                              kCounter,
                                              "",
                                              "Attempts whose timeout passed in this worker.",
                                              {}};
inline constexpr MetricFamily kWorkerRevoked{"ordo_worker_tasks_revoked_total",
                                             kCounter,
                                             "",
                                             "Tasks taken away: somebody newer has them.",
                                             {}};
inline constexpr MetricFamily kWorkerRegranted{"ordo_worker_tasks_regranted_total",
                                               kCounter,
                                               "",
                                               "Tasks that went on here after a takeover.",
                                               {}};
inline constexpr MetricFamily kWorkerResults{
    "ordo_worker_results_total",
    kCounter,
    "outcome",
    "Results with an answer: recorded, or refused because they came too late.",
    {}};
inline constexpr MetricFamily kWorkerResultsWaiting{
    "ordo_worker_results_waiting", kGauge, "", "Results that no broker has recorded yet.", {}};
inline constexpr MetricFamily kWorkerResultsRepeated{
    "ordo_worker_results_repeated_total", kCounter, "", "Results sent again.", {}};
inline constexpr MetricFamily kWorkerOffersDropped{
    "ordo_worker_offers_dropped_total",
    kCounter,
    "reason",
    "Offers not taken: stale, repeated, or over_credit (more than there was room for).",
    {}};
inline constexpr MetricFamily kWorkerBrokers{
    "ordo_worker_brokers", kGauge, "", "Brokers that it was told of.", {}};
inline constexpr MetricFamily kWorkerBrokersUp{
    "ordo_worker_brokers_up", kGauge, "", "Brokers that know this worker now.", {}};
inline constexpr MetricFamily kWorkerHellos{
    "ordo_worker_hellos_total", kCounter, "", "Hellos sent.", {}};
inline constexpr MetricFamily kWorkerWelcomes{
    "ordo_worker_welcomes_total", kCounter, "", "Times that a broker took the session in.", {}};
inline constexpr MetricFamily kWorkerReconnects{
    "ordo_worker_reconnects_total", kCounter, "", "Connections dialled anew.", {}};
inline constexpr MetricFamily kWorkerBeats{
    "ordo_worker_beats_total", kCounter, "", "Heartbeats sent.", {}};
inline constexpr MetricFamily kWorkerFrames{
    "ordo_worker_frames_lost_total",
    kCounter,
    "reason",
    "Frames that came to nothing: refused by a broker, or ignored here.",
    {}};
inline constexpr MetricFamily kWorkerDraining{
    "ordo_worker_draining", kGauge, "", "1 while it finishes and takes nothing more.", {}};
inline constexpr MetricFamily kWorkerLoopAge{
    "ordo_worker_loop_age_seconds",
    kGauge,
    "",
    "Since the worker's own thread last came round; it does once a second at least.",
    {},
    kMicros};

inline constexpr std::array kWorkerAll{
    ListedMetric{&kWorkerBuildInfo, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerAttempts, MetricTier::kCore},
    ListedMetric{&kWorkerHandlerSeconds, MetricTier::kCore},
    ListedMetric{&kWorkerSlots, MetricTier::kCore},
    ListedMetric{&kWorkerSlotsUsed, MetricTier::kCore},
    ListedMetric{&kWorkerSlotsHung, MetricTier::kOperational},
    ListedMetric{&kWorkerTasksTaken, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerTasksAhead, MetricTier::kOperational},
    ListedMetric{&kWorkerHandedBack, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerTimeouts, MetricTier::kOperational},
    ListedMetric{&kWorkerRevoked, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerRegranted, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerResults, MetricTier::kOperational},
    ListedMetric{&kWorkerResultsWaiting, MetricTier::kOperational},
    ListedMetric{&kWorkerResultsRepeated, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerOffersDropped, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerBrokers, MetricTier::kOperational},
    ListedMetric{&kWorkerBrokersUp, MetricTier::kOperational},
    ListedMetric{&kWorkerHellos, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerWelcomes, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerReconnects, MetricTier::kOperational},
    ListedMetric{&kWorkerBeats, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerFrames, MetricTier::kDiagnostic},
    ListedMetric{&kWorkerDraining, MetricTier::kOperational},
    ListedMetric{&kWorkerLoopAge, MetricTier::kOperational},
};

}  // namespace ordo::metrics
