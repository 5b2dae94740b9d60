// Every metric of a client, as data (docs/metrics.md is made of them).
//
// Threads: constants.
#pragma once

#include <algorithm>
#include <array>

#include "base/metric_family.hpp"
#include "ordo/client_stats.hpp"

namespace ordo::metrics {

using enum MetricType;

static_assert(std::equal(client::kAckBounds.begin(), client::kAckBounds.end(), kFastBounds.begin(),
                         kFastBounds.end()));

inline constexpr MetricFamily kClientSubmits{
    "ordo_client_submits_total", kCounter, "", "Orders given to the client, each once.", {}};
inline constexpr MetricFamily kClientAnswered{
    "ordo_client_submits_answered_total",
    kCounter,
    "outcome",
    "Submits with an answer: accepted, duplicate, or the code of an error.",
    {}};
inline constexpr MetricFamily kClientAck{"ordo_client_ack_seconds",
                                         kHistogram,
                                         "",
                                         "From submit to durable, retries and waits included.",
                                         client::kAckBounds,
                                         kMicros};
inline constexpr MetricFamily kClientInFlight{
    "ordo_client_in_flight", kGauge, "", "Requests of all kinds without an answer.", {}};
inline constexpr MetricFamily kClientBytes{
    "ordo_client_in_flight_bytes", kGauge, "", "Their bytes.", {}};
inline constexpr MetricFamily kClientTurnedAway{
    "ordo_client_turned_away_total",
    kCounter,
    "",
    "Requests not begun because the client's bound in flight was met.",
    {}};
inline constexpr MetricFamily kClientBusy{
    "ordo_client_busy_answers_total", kCounter, "", "Answers `busy`, retried or handed on.", {}};
inline constexpr MetricFamily kClientRetries{
    "ordo_client_retries_total",
    kCounter,
    "reason",
    "Requests sent again: refused for now, or unknown whether they had happened.",
    {}};
inline constexpr MetricFamily kClientTimeouts{
    "ordo_client_timeouts_total",
    kCounter,
    "call",
    "Calls whose time was up: submit, wait or other. A submit's answer is counted above too.",
    {}};
inline constexpr MetricFamily kClientLate{
    "ordo_client_late_answers_total", kCounter, "", "Answers that nobody waited for any more.", {}};
inline constexpr MetricFamily kClientBrokers{
    "ordo_client_brokers_up", kGauge, "", "Brokers that answer.", {}};
inline constexpr MetricFamily kClientWelcomes{
    "ordo_client_welcomes_total", kCounter, "", "Connections that a broker took in.", {}};
inline constexpr MetricFamily kClientLost{
    "ordo_client_links_lost_total", kCounter, "", "Connections given up or broken.", {}};

inline constexpr std::array kClientAll{
    ListedMetric{&kClientSubmits, MetricTier::kCore},
    ListedMetric{&kClientAnswered, MetricTier::kCore},
    ListedMetric{&kClientAck, MetricTier::kCore},
    ListedMetric{&kClientInFlight, MetricTier::kOperational},
    ListedMetric{&kClientBytes, MetricTier::kDiagnostic},
    ListedMetric{&kClientTurnedAway, MetricTier::kOperational},
    ListedMetric{&kClientBusy, MetricTier::kOperational},
    ListedMetric{&kClientRetries, MetricTier::kDiagnostic},
    ListedMetric{&kClientTimeouts, MetricTier::kOperational},
    ListedMetric{&kClientLate, MetricTier::kDiagnostic},
    ListedMetric{&kClientBrokers, MetricTier::kOperational},
    ListedMetric{&kClientWelcomes, MetricTier::kDiagnostic},
    ListedMetric{&kClientLost, MetricTier::kOperational},
};

}  // namespace ordo::metrics
