// Every metric of a broker, as data: what the probe and the app count into (catalogue.hpp lists
// them).
//
// Rule:    of names and counting: base/metric_family.hpp.
// Threads: constants.
#pragma once

#include <array>

#include "monitoring/probe/metric_book.hpp"

namespace ordo::metrics {

/// Writes in a batch.
inline constexpr std::array<std::int64_t, 11> kCountBounds{1,   2,   5,   10,   20,  50,
                                                           100, 200, 500, 1000, 2000};

using enum MetricType;

inline constexpr MetricFamily kBuildInfo{
    "ordo_build_info", kGauge, "version,compiler", "Always 1; which program runs.", {}};

// ---- orders and tasks ----
inline constexpr MetricFamily kOrdersAccepted{"ordo_orders_accepted_total",
                                              kCounter,
                                              "pipeline",
                                              "Orders made durable and acknowledged.",
                                              {}};
inline constexpr MetricFamily kOrdersDuplicate{"ordo_orders_duplicate_total",
                                               kCounter,
                                               "pipeline",
                                               "Submits that found their order there already.",
                                               {}};
inline constexpr MetricFamily kOrdersRefused{
    "ordo_orders_refused_total", kCounter, "reason", "Submits rejected for good, by reason.", {}};
inline constexpr MetricFamily kOrdersBusy{"ordo_orders_busy_total",
                                          kCounter,
                                          "reason",
                                          "Submits told to come back later, by what was full.",
                                          {}};
inline constexpr MetricFamily kOrdersEnded{"ordo_orders_ended_total",
                                           kCounter,
                                           "pipeline,status",
                                           "Orders that ended, by final status.",
                                           {}};
inline constexpr MetricFamily kCompensationsBegun{"ordo_compensations_begun_total",
                                                  kCounter,
                                                  "pipeline",
                                                  "Orders that began to undo what they did.",
                                                  {}};
inline constexpr MetricFamily kCompensationsEnded{"ordo_compensations_ended_total",
                                                  kCounter,
                                                  "pipeline",
                                                  "Orders that ended with everything undone.",
                                                  {}};
inline constexpr MetricFamily kCompensationsParked{
    "ordo_compensations_parked_total",
    kCounter,
    "pipeline,step",
    "Tasks parked that undo a step; those of ordo_tasks_parked_total, too.",
    {}};
inline constexpr MetricFamily kDeadlinesMissed{
    "ordo_deadlines_missed_total",
    kCounter,
    "pipeline",
    "Deadlines missed by orders that only go forward, and went on.",
    {}};
inline constexpr MetricFamily kOrderSeconds{
    "ordo_order_seconds", kHistogram, "pipeline", "From an order's acceptance to its end.",
    kWorkBounds,          kMicros};
inline constexpr MetricFamily kSubmitSeconds{
    "ordo_submit_seconds", kHistogram, "", "From a submit's arrival to durable.",
    kFastBounds,           kMicros};
inline constexpr MetricFamily kTasksDispatched{
    "ordo_tasks_dispatched_total", kCounter, "queue", "Attempts handed to workers.", {}};
inline constexpr MetricFamily kTasksEnded{"ordo_tasks_ended_total",
                                          kCounter,
                                          "pipeline,step,outcome",
                                          "Attempts that ended: succeeded, transient, permanent, "
                                          "snooze, unknown (as a worker said), timeout, lost, "
                                          "handed_back or cancelled.",
                                          {}};
inline constexpr MetricFamily kTasksRetried{"ordo_tasks_retried_total",
                                            kCounter,
                                            "pipeline,step",
                                            "Failed attempts that are tried again.",
                                            {}};
inline constexpr MetricFamily kTasksParked{"ordo_tasks_parked_total",
                                           kCounter,
                                           "pipeline,step,reason",
                                           "Tasks that wait for an operator.",
                                           {}};
inline constexpr MetricFamily kStepsSkipped{
    "ordo_steps_skipped_total",
    kCounter,
    "pipeline,step,reason",
    "Steps or branches that are done without a result: by their condition, or as optional ones.",
    {}};
inline constexpr MetricFamily kStepFallbacks{
    "ordo_step_fallbacks_total", kCounter, "pipeline,step", "Tasks whose fallback is asked.", {}};
inline constexpr MetricFamily kTaskAlarms{
    "ordo_task_alarms_total",
    kCounter,
    "pipeline,step",
    "Tasks that failed as often as their step allows quietly.",
    {}};
inline constexpr MetricFamily kTaskWaitSeconds{"ordo_task_wait_seconds",
                                               kHistogram,
                                               "queue",
                                               "From ready to handed to a worker.",
                                               kWorkBounds,
                                               kMicros};
inline constexpr MetricFamily kTaskRunSeconds{"ordo_task_run_seconds",
                                              kHistogram,
                                              "pipeline,step",
                                              "From handed to a worker to its result.",
                                              kWorkBounds,
                                              kMicros};
inline constexpr MetricFamily kWaitsGivenUp{
    "ordo_waits_given_up_total",
    kCounter,
    "",
    "Waits for an order that were taken back: out of time, or renewed after a minute.",
    {}};
inline constexpr MetricFamily kSignals{
    "ordo_signals_total",
    kCounter,
    "pipeline,outcome",
    "Signals, by what became of them: taken, early, late, repeated, kept (their order is not "
    "there) "
    "or not_awaited (it is there now, and no step waits for them). One that was early or kept "
    "counts again when it is taken or late.",
    {}};
inline constexpr MetricFamily kOrphanSignals{
    "ordo_orphan_signals",
    kGauge,
    "",
    "Signals that are kept because their order is not there, or that still owe an order; about.",
    {}};
inline constexpr MetricFamily kSignalsStuck{"ordo_signals_stuck_total",
                                            kCounter,
                                            "",
                                            "Kept signals that were looked at six times in vain "
                                            "and have no rule that rebuilds their order.",
                                            {}};
inline constexpr MetricFamily kLateOrders{"ordo_late_orders_total",
                                          kCounter,
                                          "pipeline",
                                          "Orders started for signals that came too late.",
                                          {}};
inline constexpr MetricFamily kOrdersRestored{"ordo_orders_restored_total",
                                              kCounter,
                                              "pipeline",
                                              "Orders rebuilt from a signal that came without one.",
                                              {}};
inline constexpr MetricFamily kOrdersMerged{
    "ordo_orders_merged_total",
    kCounter,
    "pipeline",
    "Restored orders whose own submit came later; it is kept as evidence.",
    {}};
inline constexpr MetricFamily kWaitsTimedOut{"ordo_waits_timed_out_total",
                                             kCounter,
                                             "pipeline,step",
                                             "Steps whose signal did not come in time.",
                                             {}};
inline constexpr MetricFamily kResultsStale{"ordo_results_stale_total",
                                            kCounter,
                                            "",
                                            "Results refused because somebody newer held the task.",
                                            {}};
inline constexpr MetricFamily kResultsRepeated{
    "ordo_results_repeated_total", kCounter, "", "Results that had been recorded before.", {}};
inline constexpr MetricFamily kLeasesLost{
    "ordo_leases_lost_total", kCounter, "", "Leases that ended with their worker.", {}};
inline constexpr MetricFamily kTasksAdopted{"ordo_tasks_adopted_total",
                                            kCounter,
                                            "",
                                            "Tasks that a worker went on with after a takeover.",
                                            {}};
inline constexpr MetricFamily kJoins{"ordo_joins_fired_total",
                                     kCounter,
                                     "pipeline,step",
                                     "Steps with several predecessors that opened.",
                                     {}};

// ---- queues and workers ----
inline constexpr MetricFamily kQueueReady{
    "ordo_queue_ready", kGauge, "queue", "Tasks in hand that wait for a worker.", {}};
inline constexpr MetricFamily kQueueLeased{
    "ordo_queue_leased", kGauge, "queue", "Tasks that workers hold.", {}};
inline constexpr MetricFamily kQueueBacklog{
    "ordo_queue_backlog", kGauge, "queue", "Tasks in the tables' backlog, about.", {}};
inline constexpr MetricFamily kQueueOldest{"ordo_queue_oldest_age_seconds",
                                           kGauge,
                                           "queue",
                                           "Age of the oldest task in hand that waits; 0: none.",
                                           {}};
inline constexpr MetricFamily kQueueWorkers{
    "ordo_queue_workers", kGauge, "queue", "Workers that serve the queue.", {}};
inline constexpr MetricFamily kQueueSlots{
    "ordo_queue_slots", kGauge, "queue", "Slots of the workers that serve the queue.", {}};
inline constexpr MetricFamily kQueuePaused{
    "ordo_queue_paused", kGauge, "queue", "1 while an operator has paused the queue.", {}};
inline constexpr MetricFamily kQueueScheduled{
    "ordo_queue_scheduled",
    kGauge,
    "shard,queue",
    "Tasks in the tables that wait for their time, counted every 30 s, up to 100,000 a shard.",
    {}};
inline constexpr MetricFamily kQueueParked{
    "ordo_queue_parked",
    kGauge,
    "shard,queue",
    "Tasks in the tables that wait for an operator, counted every 30 s, up to 100,000 a shard.",
    {}};
inline constexpr MetricFamily kQueueParkedAge{
    "ordo_queue_parked_order_age_seconds",
    kGauge,
    "shard,queue",
    "Age of the oldest order that has a parked task; 0: none.",
    {}};
inline constexpr MetricFamily kQueueHeld{
    "ordo_queue_held",
    kGauge,
    "queue",
    "Ready tasks that a breaker, a limit or a pause keeps back, about.",
    {}};
inline constexpr MetricFamily kTasksHeld{
    "ordo_tasks_held_total", kCounter, "queue", "Times that a ready task was kept back.", {}};
inline constexpr MetricFamily kDependencyState{
    "ordo_dependency_state",
    kGauge,
    "dependency",
    "Its breaker: 0 closed, 1 ramping up, 2 probing, 3 open.",
    {}};
inline constexpr MetricFamily kBacklogged{
    "ordo_queue_backlogged_total",
    kCounter,
    "queue",
    "Tasks written to the backlog because the window was full.",
    {}};
inline constexpr MetricFamily kPagedIn{
    "ordo_queue_paged_in_total", kCounter, "queue", "Tasks read back from the backlog.", {}};
inline constexpr MetricFamily kWorkers{"ordo_workers", kGauge, "", "Workers with a session.", {}};
inline constexpr MetricFamily kFreeSlots{
    "ordo_worker_slots_free", kGauge, "", "Slots without a task.", {}};
inline constexpr MetricFamily kWorkersJoined{
    "ordo_workers_joined_total", kCounter, "", "Sessions that workers began.", {}};
inline constexpr MetricFamily kWorkersResynced{
    "ordo_workers_resynced_total", kCounter, "", "Hellos of sessions that were known.", {}};
inline constexpr MetricFamily kWorkersLost{
    "ordo_workers_lost_total", kCounter, "", "Workers given up because they fell silent.", {}};
inline constexpr MetricFamily kWorkersLeft{
    "ordo_workers_left_total", kCounter, "", "Workers that said goodbye.", {}};

// ---- shards and database ----
inline constexpr MetricFamily kShardOpen{
    "ordo_shard_open", kGauge, "shard", "1 while this broker owns it.", {}};
inline constexpr MetricFamily kShardEpoch{
    "ordo_shard_epoch", kGauge, "shard", "The owner's term.", {}};
inline constexpr MetricFamily kShardsLost{"ordo_shard_lost_total",
                                          kCounter,
                                          "shard",
                                          "Times that its session was lost or a commit in doubt.",
                                          {}};
inline constexpr MetricFamily kShardsRefused{
    "ordo_shard_refused_total", kCounter, "shard", "Attempts to take it that failed.", {}};
inline constexpr MetricFamily kWritesRejected{
    "ordo_writes_rejected_total", kCounter, "shard", "Writes that the database refused alone.", {}};
inline constexpr MetricFamily kRowsMissing{"ordo_rows_missing_total",
                                           kCounter,
                                           "shard",
                                           "Rows that were to be deleted and were not there.",
                                           {}};
inline constexpr MetricFamily kCommitSeconds{"ordo_commit_seconds",        kHistogram,  "shard",
                                             "One round trip of a batch.", kFastBounds, kMicros};
inline constexpr MetricFamily kCommitWrites{"ordo_commit_writes", kHistogram, "shard",
                                            "Orders' writes in a batch.", kCountBounds};
inline constexpr MetricFamily kRowsWritten{
    "ordo_rows_written_total",
    kCounter,
    "shard,table,change",
    "Rows that commits inserted or deleted; by ended orders: rows an order.",
    {}};
inline constexpr MetricFamily kReadSeconds{
    "ordo_read_seconds", kHistogram, "shard", "Loads and pages on the owner's session.",
    kFastBounds,         kMicros};
inline constexpr MetricFamily kQuerySeconds{"ordo_query_seconds", kHistogram,  "shard",
                                            "Reads for people.",  kFastBounds, kMicros};
inline constexpr MetricFamily kStoreWaiting{
    "ordo_store_waiting", kGauge, "shard", "Store operations that wait for the session.", {}};
inline constexpr MetricFamily kShardProbeSeconds{
    "ordo_shard_probe_seconds",
    kHistogram,
    "shard",
    "A write and a read of the shard's database, every 3 s.",
    kFastBounds,
    kMicros};
inline constexpr MetricFamily kShardProbeFailures{
    "ordo_shard_probe_failures_total", kCounter, "shard", "Probes that failed.", {}};
inline constexpr MetricFamily kShardDeadRows{
    "ordo_shard_dead_rows",
    kGauge,
    "shard",
    "Dead rows of task and deferred that wait for vacuum, as PostgreSQL counts them.",
    {}};
inline constexpr MetricFamily kShardOldestSnapshot{
    "ordo_shard_oldest_snapshot_seconds",
    kGauge,
    "shard",
    "For how long the oldest transaction of the server has held back vacuum.",
    {}};
inline constexpr MetricFamily kShardWalBytes{"ordo_shard_wal_bytes_total",
                                             kCounter,
                                             "shard",
                                             "WAL that the shard's whole server has written.",
                                             {}};
inline constexpr MetricFamily kPartitionDays{
    "ordo_partition_days_made_total", kCounter, "shard", "Partition days made ahead.", {}};
inline constexpr MetricFamily kPartitionsUntil{
    "ordo_partition_until_timestamp_seconds",
    kGauge,
    "shard",
    "Until when orders and events have partitions, in Unix time; less now: how far ahead.",
    {}};
inline constexpr MetricFamily kPartitionsDropped{"ordo_partition_days_dropped_total",
                                                 kCounter,
                                                 "shard",
                                                 "Partition days past retention that are gone.",
                                                 {}};
inline constexpr MetricFamily kPartitionsKept{
    "ordo_partition_days_kept",
    kGauge,
    "shard",
    "Days past retention that stay: something in them is not finished.",
    {}};

// ---- sockets and loop ----
inline constexpr MetricFamily kBeats{
    "ordo_socket_beats_total", kCounter, "socket", "Heartbeats that came in.", {}};
inline constexpr MetricFamily kFrames{
    "ordo_socket_frames_total", kCounter, "socket,direction", "Frames of the two sockets.", {}};
inline constexpr MetricFamily kBytes{
    "ordo_socket_bytes_total", kCounter, "socket,direction", "Their bytes.", {}};
inline constexpr MetricFamily kRefused{
    "ordo_socket_refused_total", kCounter, "socket", "Frames that were refused as a whole.", {}};
inline constexpr MetricFamily kForbidden{"ordo_socket_forbidden_total",
                                         kCounter,
                                         "socket",
                                         "Messages and orders that a key did not allow.",
                                         {}};
inline constexpr MetricFamily kGone{"ordo_socket_gone_total",
                                    kCounter,
                                    "socket,reason",
                                    "Peers found gone by a send, or given up with a full line.",
                                    {}};
inline constexpr MetricFamily kPeers{
    "ordo_socket_peers", kGauge, "socket", "Connections that have spoken within a minute.", {}};
inline constexpr MetricFamily kLoopBusy{"ordo_loop_busy_seconds_total",     kCounter, "",
                                        "Time the loop worked, not slept.", {},       kMicros};
inline constexpr MetricFamily kLoopPass{"ordo_loop_pass_seconds",
                                        kHistogram,
                                        "",
                                        "One pass of the loop that had something to do.",
                                        kFastBounds,
                                        kMicros};
inline constexpr MetricFamily kLoopAge{
    "ordo_loop_age_seconds",
    kGauge,
    "",
    "Since the loop last came round, at the scrape; /livez fails from 3 s on.",
    {},
    kMicros};
inline constexpr MetricFamily kResident{
    "ordo_orders_resident", kGauge, "", "Orders in memory.", {}};
inline constexpr MetricFamily kInFlight{
    "ordo_writes_in_flight", kGauge, "", "Writes that are not durable yet.", {}};
inline constexpr MetricFamily kWaiters{
    "ordo_waiters", kGauge, "", "Requests that wait for an order.", {}};

// ---- health (at /metrics/health) ----
inline constexpr MetricFamily kNodeHealth{
    "ordo_node_health",
    kGauge,
    "system,group,app,node,type",
    "How well a node is: 0 green, 1 yellow, 2 red, -1 unknown.",
    {}};
inline constexpr MetricFamily kNodeRootCause{
    "ordo_node_root_cause",
    kGauge,
    "system,group,app,node,type",
    "1 for a red node that needs nothing else that is red.",
    {}};
inline constexpr MetricFamily kNodeReason{"ordo_node_reason",
                                          kGauge,
                                          "system,group,app,node,type,reason",
                                          "1 for the reason why a node is not green.",
                                          {}};

}  // namespace ordo::metrics
