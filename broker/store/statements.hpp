// Every statement of the PostgreSQL store, by name. All are prepared with generic plans on sessions
// where sequential scans, hash and merge joins are off: what is looked for is always few rows among
// many.
//
// Shapes:  columns come in the order that row_reader.hpp reads them.
// Source:  schema/sql/README.md says which index each one stands on.
#pragma once

#include <string>

#include "broker/store/batch_columns.hpp"
#include "schema/limits.hpp"

namespace ordo::statements {

/// How a session of a shard plans: the tables change their size by orders of magnitude within a
/// minute, so plans must not depend on statistics.
inline constexpr const char* kPlanning =
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off;"
    "set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;"
    "set jit = off; set max_parallel_workers_per_gather = 0;";

inline constexpr const char* kOrderColumns =
    "o.id, o.pipeline_id, o.priority, o.key, o.customer, o.labels, o.context, o.payload, "
    "o.submit_hash, o.deadline_at, o.accepted_at";
/// The same columns without what is long.
inline constexpr const char* kSummaryColumns =
    "o.id, o.pipeline_id, o.priority, o.key, o.customer, o.labels, null::text as context, "
    "null::bytea as payload, o.submit_hash, o.deadline_at, o.accepted_at";
inline constexpr const char* kTaskColumns =
    "t.order_id, t.step, t.branch, t.kind, t.queue, t.priority, t.seq, t.attempt, t.failures, "
    "t.losses, t.maybe";
inline constexpr const char* kDeferredColumns = ", t.state, t.run_at, t.reason";
inline constexpr const char* kEventColumns =
    "e.order_id, e.seq, e.at, e.kind, e.order_status, e.step, e.branch, e.task_kind, e.attempt, "
    "e.worker, e.ms, e.detail, e.note";

inline std::string commit_batch() {
  std::string sql = "select what, order_id, submit_hash, place from commit_batch($1";
  for (std::size_t i = 0; i < BatchColumns::kParameters; ++i) {
    sql += ", $" + std::to_string(i + 2);
  }
  return sql + ")";
}

/// Ids as an array, and their bounds: the bounds choose the partitions before the statement starts.
inline std::string of_those(const std::string& column) {
  return column + " = any ($1::uuid[]) and " + column + " between $2::uuid and $3::uuid";
}

inline std::string orders() {
  return std::string("select ") + kOrderColumns + " from orders o where " + of_those("o.id");
}
inline std::string order_summaries() {
  return std::string("select ") + kSummaryColumns + " from orders o where " + of_those("o.id");
}
inline std::string tasks() {
  return std::string("select ") + kTaskColumns + " from task t where " + of_those("t.order_id") +
         " order by t.order_id, t.step, t.branch, t.kind";
}
inline std::string deferred() {
  return std::string("select ") + kTaskColumns + kDeferredColumns + " from deferred t where " +
         of_those("t.order_id") + " order by t.order_id, t.step, t.branch, t.kind";
}
/// The events that decide how an order goes on, and the signals that are kept for it (`early`).
inline std::string deciding_events() {
  const std::string said = "case when e.kind = 'signalled' then e.note::json ->> ";
  return "select order_id, kind, order_status, step, branch, task_kind, attempt, detail, context, "
         "signal, dedup, signal_seq, signal_at, checks, next_at from (select e.order_id, e.seq, "
         "e.kind, e.order_status, e.step, e.branch, e.task_kind, e.attempt, "
         "case when e.kind <> 'merged' then e.detail end as detail, "
         "(e.note::json -> 'context')::text as context, " +
         said + "'signal' end as signal, " + said +
         "'dedup' when e.kind = 'merged' then e.note::json ->> 'hash' end as dedup, "
         "null::bigint as signal_seq, null::timestamptz as signal_at, null::smallint as checks, "
         "null::timestamptz as next_at "
         "from event e where " +
         of_those("e.order_id") +
         " and (e.order_status is not null or e.kind in ('succeeded', 'operator_complete', "
         "'operator_skip', 'skipped', 'fanned_out', 'cancel_requested', 'cut', 'signalled', "
         "'restored', 'merged')) "
         "union all select s.order_id, s.seq, 'early', null, null, 0, 0, 0, s.payload, s.note, "
         "s.name, s.dedup, s.seq, s.at, s.checks, s.next_at from signal s where " +
         of_those("s.order_id") + ") d order by order_id, seq";
}
/// Events of each order after a seq ($4), a page of them: the newest or the oldest.
inline std::string events(const char* direction) {
  return std::string("select n.* from unnest($1::uuid[]) u(id) cross join lateral (select ") +
         kEventColumns +
         " from event e where e.order_id = u.id and e.order_id between $2::uuid and $3::uuid "
         "and e.seq > $4::bigint order by e.seq " +
         direction + " limit " + std::to_string(limits::kEventsPage) +
         ") n order by n.order_id, n.seq";
}
/// Of each parked task the newest event that tells of a failure.
inline std::string parked_events() {
  return std::string("select n.* from deferred t cross join lateral (select ") + kEventColumns +
         " from event e where e.order_id = t.order_id and e.order_id between $2::uuid and $3::uuid "
         "and e.step = t.step and e.branch = t.branch and e.task_kind = t.kind "
         "and e.kind in ('parked', 'attempt_failed') "
         "order by e.seq desc limit 1) n where " +
         of_those("t.order_id") + " and t.state = 'parked' order by n.order_id, n.seq";
}
inline std::string statuses() {
  return "select u.id, n.order_status from unnest($1::uuid[]) u(id) cross join lateral (select "
         "e.order_status from event e where e.order_id = u.id and e.order_id between $2::uuid and "
         "$3::uuid and e.order_status is not null order by e.seq desc limit 1) n";
}

/// Those orders, in the array's order, up to the one with which the payloads reach $4 bytes.
inline std::string page_orders() {
  return std::string("select p.* from (select ") + kOrderColumns +
         ", coalesce(sum(coalesce(octet_length(o.payload), 0)) over (order by u.place rows between "
         "unbounded preceding and 1 preceding), 0) as before "
         "from unnest($1::uuid[]) with ordinality u(id, place) join orders o on o.id = u.id "
         "where o.id between $2::uuid and $3::uuid) p where p.before < $4::bigint";
}
inline std::string backlog_page() {
  return std::string("select ") + kTaskColumns + kDeferredColumns +
         " from deferred t where state = 'backlog' and queue = $1::text and "
         "priority = $2::smallint and seq > $3::bigint order by seq limit $4::bigint";
}
inline std::string held_page() {
  return std::string("select ") + kTaskColumns + kDeferredColumns +
         " from deferred t where state = 'held' and reason = $1::text and queue = $2::text and "
         "seq > $3::bigint order by seq limit $4::bigint";
}
inline std::string due_page() {
  return std::string("select ") + kTaskColumns + kDeferredColumns +
         " from deferred t where run_at is not null and "
         "(run_at, seq) > ($1::timestamptz, $2::bigint) and run_at <= $3::timestamptz "
         "order by run_at, seq limit $4::bigint";
}
inline constexpr const char* kSignalColumns =
    "s.order_id, s.name, s.seq, s.at, s.dedup, s.payload, s.note, s.checks, s.next_at";
inline std::string signals_page() {
  return std::string("select ") + kSignalColumns +
         " from signal s where next_at is not null and "
         "(next_at, seq) > ($1::timestamptz, $2::bigint) and next_at <= $3::timestamptz "
         "order by next_at, seq limit $4::bigint";
}
inline constexpr const char* kNextSignal =
    "select next_at from signal where next_at is not null and (next_at, seq) > ($1::timestamptz, "
    "$2::bigint) order by next_at, seq limit 1";
/// What is kept, by age: for people, who look at a page of few rows.
inline std::string kept_signals() {
  return std::string("select ") + kSignalColumns +
         " from signal s where next_at is not null and seq > $1::bigint order by seq "
         "limit $2::bigint";
}
inline constexpr const char* kNextDue =
    "select run_at from deferred where run_at is not null and (run_at, seq) > ($1::timestamptz, "
    "$2::bigint) order by run_at, seq limit 1";

/// Every queue with a backlog, by jumps through the index: a queue costs one look-up, whatever
/// waits in it.
inline constexpr const char* kBacklogQueues =
    "with recursive q(queue) as ("
    "(select queue from deferred where state = 'backlog' order by queue limit 1) union all "
    "select (select d.queue from deferred d where d.state = 'backlog' and d.queue > q.queue "
    "order by d.queue limit 1) from q where q.queue is not null) "
    "select queue from q where queue is not null";
/// The same for what is held: by what, and of which queue.
inline constexpr const char* kHeldLines =
    "with recursive h(reason, queue) as ("
    "(select reason, queue from deferred where state = 'held' order by reason, queue limit 1) "
    "union all select n.reason, n.queue from h cross join lateral (select d.reason, d.queue "
    "from deferred d where d.state = 'held' and (d.reason, d.queue) > (h.reason, h.queue) "
    "order by d.reason, d.queue limit 1) n) "
    "select reason, queue from h where reason is not null";
/// Whose task keeps a turn until it is due (kKeepsTurn), by the index of just these.
inline std::string kept_turns() {
  return std::string("select ") + kTaskColumns + kDeferredColumns +
         " from deferred t where state = 'scheduled' and "
         "strpos(reason, ', keeps the turn of ') > 0 order by run_at, seq";
}
/// Counts a small backlog. A large one is what the last analysis found in its index, or else about
/// 200 rows a page.
inline constexpr const char* kBacklogEstimate =
    "select case when relpages_now <= 2048 then "
    "(select count(*) from deferred where state = 'backlog') "
    "when reltuples > 0 then reltuples::bigint else relpages_now * 200 end "
    "from (select reltuples, pg_relation_size(oid) / 8192 as relpages_now from pg_class "
    "where oid = 'deferred_backlog'::regclass) i";

inline constexpr const char* kByCustomer =
    "select id from orders where customer = $1::text and ($2::uuid is null or id < $2::uuid) "
    "order by id desc limit $3::bigint";
/// Newest first, along the primary key from its end: a page costs its rows, whatever lies behind.
inline constexpr const char* kRecent =
    "select id from orders where id < $1::uuid order by id desc limit $2::bigint";
/// Orders with anything left to do, by id.
inline constexpr const char* kOpen =
    "select order_id from ("
    "(select distinct order_id from task where order_id > $1::uuid order by 1 limit $2::bigint) "
    "union "
    "(select distinct order_id from deferred where order_id > $1::uuid order by 1 "
    "limit $2::bigint)) u order by 1 limit $2::bigint";
inline constexpr const char* kParked =
    "select distinct order_id from deferred where state = 'parked' and order_id > $1::uuid "
    "order by 1 limit $2::bigint";

}  // namespace ordo::statements
