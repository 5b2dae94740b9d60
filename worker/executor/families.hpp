// Every metric of ordo-worker beside those of each worker, as data (docs/metrics.md is made of
// them).
//
// Threads: constants.
#pragma once

#include <array>

#include "base/metric_family.hpp"

namespace ordo::metrics {

using enum MetricType;

inline constexpr MetricFamily kExecutorCalls{
    "ordo_executor_calls_total",
    kCounter,
    "kind,name,outcome",
    "Calls of services and runs of programs (by step) that ended: succeeded, transient, permanent, "
    "snooze or unknown by what came back, cancelled where the attempt was over first.",
    {}};
inline constexpr MetricFamily kExecutorCallSeconds{
    "ordo_executor_call_seconds", kHistogram,  "kind,name",
    "What a call or run took.",   kWorkBounds, kMicros};
inline constexpr MetricFamily kExecutorInFlight{
    "ordo_executor_in_flight", kGauge, "kind,name", "Calls and runs under way.", {}};
inline constexpr MetricFamily kExecutorPlaces{
    "ordo_executor_places", kGauge, "kind,name", "Calls and runs that may be under way.", {}};
inline constexpr MetricFamily kExecutorFull{
    "ordo_executor_full_total",
    kCounter,
    "kind,name",
    "Tasks sent away for a while because every place was taken.",
    {}};

inline constexpr std::array kExecutorAll{
    ListedMetric{&kExecutorCalls, MetricTier::kOperational},
    ListedMetric{&kExecutorCallSeconds, MetricTier::kOperational},
    ListedMetric{&kExecutorInFlight, MetricTier::kOperational},
    ListedMetric{&kExecutorPlaces, MetricTier::kOperational},
    ListedMetric{&kExecutorFull, MetricTier::kOperational},
};

}  // namespace ordo::metrics
