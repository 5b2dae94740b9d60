-- The tables of one shard. The migrator sets search_path to the shard's schema before it runs a
-- file; nothing here names a schema. README.md explains the tables.

-- What was asked. Insert only.
create table orders (
  id          uuid        not null,
  pipeline_id bigint      not null,
  priority    smallint    not null check (priority between 0 and 9),
  key         text        check (key <> ''),
  customer    text        check (customer <> ''),
  labels      json,
  context     json,
  payload     bytea,
  submit_hash bigint      not null,
  deadline_at timestamptz,
  accepted_at timestamptz not null,
  primary key (id)
) partition by range (id);
create index orders_customer on orders (customer, id) where customer is not null;

-- Tasks that the owner holds in memory. A row is the token of exactly-once recording: completing
-- its task deletes it, and exactly one row must go.
create table task (
  order_id uuid     not null,
  step     smallint not null check (step >= 0),
  branch   smallint not null check (branch >= 0),
  kind     smallint not null check (kind between 0 and 2),
  queue    text     not null check (queue <> ''),
  priority smallint not null check (priority between 0 and 9),
  seq      bigint   not null,
  attempt  int      not null check (attempt >= 0),
  failures smallint not null check (failures >= 0),
  losses   smallint not null check (losses >= 0),
  maybe    boolean  not null,
  primary key (order_id, step, branch, kind)
);

-- Everything owed that is not in hand.
create table deferred (
  order_id uuid     not null,
  step     smallint not null check (step >= 0),
  branch   smallint not null check (branch >= 0),
  kind     smallint not null check (kind between 0 and 2),
  queue    text     not null check (queue <> '' or kind = 2),
  priority smallint not null check (priority between 0 and 9),
  seq      bigint   not null,
  attempt  int      not null check (attempt >= 0),
  failures smallint not null check (failures >= 0),
  losses   smallint not null check (losses >= 0),
  maybe    boolean  not null,
  state    text     not null
           check (state in ('backlog', 'scheduled', 'waiting', 'held', 'parked')),
  run_at   timestamptz,
  reason   text     check (reason <> ''),
  primary key (order_id, step, branch, kind),
  constraint deferred_run_at check ((run_at is not null) = (state = 'scheduled' or kind = 2))
);
create index deferred_backlog on deferred (queue, priority, seq) where state = 'backlog';
create index deferred_due on deferred (run_at, seq) where run_at is not null;
create index deferred_parked on deferred (queue, order_id) where state = 'parked';

-- Every task passes through a row of `task` that lives for milliseconds. The table is never larger
-- than what the owner has in hand, so an absolute threshold keeps its dead rows few; the vacuum
-- does not pause, because they come faster than a paused one removes them; it does not truncate,
-- because that takes a lock that commits would wait for, and the space is needed again at once.
-- Statistics are not gathered: no plan here depends on them.
alter table task set (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50000,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 0,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000000000,
  vacuum_truncate = false);
-- `deferred` may hold millions of rows, and each vacuum reads all of its indexes: while a large
-- backlog drains, an absolute threshold would have one run all the time. So the threshold grows
-- with the table. Analysis is only for the row count that this goes by.
alter table deferred set (
  autovacuum_vacuum_scale_factor = 0.5, autovacuum_vacuum_threshold = 50000,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_vacuum_cost_delay = 1,
  autovacuum_vacuum_cost_limit = 2000,
  autovacuum_analyze_scale_factor = 0.5, autovacuum_analyze_threshold = 200000,
  vacuum_truncate = false);

-- What happened. Only grows. An order's status is the last one that an event of it carries.
create table event (
  order_id     uuid        not null,
  seq          bigint      not null,
  at           timestamptz not null,
  kind         text        not null check (kind in (
    'succeeded', 'attempt_failed', 'snoozed', 'worker_lost', 'parked', 'failed',
    'cancel_requested', 'deadline_missed', 'ended', 'late_result',
    'operator_retry', 'operator_skip', 'operator_complete')),
  order_status text        check (order_status in (
    'running', 'compensating', 'parked', 'paused', 'succeeded', 'failed', 'cancelled')),
  step         smallint    check (step >= 0),
  branch       smallint    not null check (branch >= 0),
  task_kind    smallint    not null check (task_kind between 0 and 2),
  attempt      int         not null check (attempt >= 0),
  worker       text        check (worker <> ''),
  ms           int         not null,
  detail       bytea,
  note         text,
  primary key (order_id, seq),
  -- Bytes are a result or the evidence of a refused one; nothing else has them.
  constraint event_detail check (
    detail is null or kind in ('succeeded', 'operator_complete', 'late_result')),
  -- Only what happens to the whole order names no step.
  constraint event_step check (
    step is not null or kind in ('cancel_requested', 'deadline_missed', 'ended')),
  constraint event_ended check (
    kind <> 'ended' or coalesce(order_status in ('succeeded', 'failed', 'cancelled'), false))
) partition by range (order_id);
create index event_seq on event using brin (seq);

-- Pipeline versions, immutable; the id is a content hash, the same in every shard.
create table pipeline (
  id      bigint not null primary key,
  name    text   not null check (name <> ''),
  version int    not null check (version >= 1),
  source  text   not null,
  unique (name, version)
);

-- Queues that are not as they are by default.
create table queue_setting (
  queue     text    not null primary key,
  is_paused boolean not null,
  who       text    not null,
  why       text    not null
);
create table dependency_setting (
  dependency text    not null primary key,
  is_held    boolean not null,
  who        text    not null,
  why        text    not null
);

-- Something from outside that a step waits for, kept until its step takes it.
create table signal (
  order_id uuid        not null,
  name     text        not null check (name <> ''),
  seq      bigint      not null,
  at       timestamptz not null,
  dedup    text        check (dedup <> ''),
  payload  bytea,
  primary key (order_id, name, seq)
);
create unique index signal_dedup on signal (order_id, name, dedup) where dedup is not null;

-- The second door of a submit: a caller's own business key.
create table dedup (
  key      text        not null primary key check (key <> ''),
  order_id uuid        not null,
  at       timestamptz not null
);

-- Orders that start by the calendar.
create table schedule (
  name        text     not null primary key check (name <> ''),
  cron        text     not null,
  pipeline    text     not null,
  priority    smallint not null check (priority between 0 and 9),
  payload     bytea,
  next_at     timestamptz not null,
  is_paused   boolean  not null default false
);

-- Who owns this shard: one row, written once a takeover. The session whose backend this is and
-- which holds the advisory lock is the only one that may write.
create table shard (
  number      int         not null primary key check (number between 0 and 4095),
  state       text        not null default 'active' check (state in ('active', 'draining', 'out')),
  weight      int         not null default 100 check (weight between 0 and 10000),
  epoch       bigint      not null default 0 check (epoch >= 0),
  timeline    int         not null default 1 check (timeline >= 1),
  backend_pid int,
  owner       text,
  taken_at    timestamptz
);
create table broker (
  name       text        not null primary key,
  endpoint   text        not null,
  started_at timestamptz not null,
  seen_at    timestamptz not null
);
