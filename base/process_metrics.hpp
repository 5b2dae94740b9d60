// What the kernel says about this process, under the names that every Prometheus client uses:
// processor time, memory, threads, files, when it started.
//
// Use:     write_process_metrics() once into a text.
// Errors:  what /proc does not say is left out.
// Threads: any; pure reads of /proc/self.
// Costs:   about 30 µs; for scrapes.
// Source:  proc(5); the names of Prometheus' own client libraries.
#pragma once

#include <array>

#include "base/metric_text.hpp"

namespace ordo {
namespace metrics {

inline constexpr MetricFamily kProcessCpu{
    "process_cpu_seconds_total", MetricType::kCounter, "", "Processor time, user and system.", {}};
inline constexpr MetricFamily kProcessResident{
    "process_resident_memory_bytes", MetricType::kGauge, "", "Memory in RAM.", {}};
inline constexpr MetricFamily kProcessVirtual{
    "process_virtual_memory_bytes", MetricType::kGauge, "", "Memory asked for.", {}};
inline constexpr MetricFamily kProcessThreads{
    "process_threads", MetricType::kGauge, "", "Threads of the process.", {}};
inline constexpr MetricFamily kProcessFiles{
    "process_open_fds", MetricType::kGauge, "", "Open file descriptors.", {}};
inline constexpr MetricFamily kProcessMostFiles{
    "process_max_fds", MetricType::kGauge, "", "File descriptors that it may have open.", {}};
inline constexpr MetricFamily kProcessStart{
    "process_start_time_seconds", MetricType::kGauge, "", "When it started, in Unix time.", {}};

inline constexpr std::array kProcess{
    ListedMetric{&kProcessCpu, MetricTier::kOperational},
    ListedMetric{&kProcessResident, MetricTier::kOperational},
    ListedMetric{&kProcessVirtual, MetricTier::kDiagnostic},
    ListedMetric{&kProcessThreads, MetricTier::kDiagnostic},
    ListedMetric{&kProcessFiles, MetricTier::kDiagnostic},
    ListedMetric{&kProcessMostFiles, MetricTier::kDiagnostic},
    ListedMetric{&kProcessStart, MetricTier::kDiagnostic},
};

}  // namespace metrics

void write_process_metrics(MetricText& out);

}  // namespace ordo
