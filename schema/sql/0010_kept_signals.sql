-- Signals that are looked at again: for an order that is not there, or too late and still to start
-- an order. What is early has no next_at: its step takes it.
alter table signal
  add column checks  smallint not null default 0 check (checks >= 0),
  add column next_at timestamptz;
create index signal_next on signal (next_at, seq) where next_at is not null;

alter table event drop constraint event_kind_check;
alter table event add constraint event_kind_check check (kind in (
  'succeeded', 'attempt_failed', 'snoozed', 'worker_lost', 'parked', 'failed',
  'cancel_requested', 'deadline_missed', 'ended', 'late_result',
  'operator_retry', 'operator_skip', 'operator_complete', 'cut', 'operator_compensate',
  'skipped', 'fell_back', 'fanned_out', 'signalled', 'restored', 'merged'));
-- Of an order that was rebuilt from a signal: what its own submit brought when it still came.
alter table event drop constraint event_detail;
alter table event add constraint event_detail check (
  detail is null or
  kind in ('succeeded', 'operator_complete', 'late_result', 'signalled', 'fanned_out', 'merged'));
alter table event drop constraint event_step;
alter table event add constraint event_step check (
  step is not null or
  kind in ('cancel_requested', 'deadline_missed', 'ended', 'signalled', 'restored', 'merged'));

-- commit_batch with two more columns of signal. All else is as 0005_signals.sql has it.
drop function commit_batch;
create function commit_batch(
  p_epoch bigint, p_low uuid, p_high uuid,
  dt_order uuid[], dt_step smallint[], dt_branch smallint[], dt_kind smallint[],
  dd_order uuid[], dd_step smallint[], dd_branch smallint[], dd_kind smallint[],
  o_id uuid[], o_pipeline bigint[], o_priority smallint[], o_key text[], o_customer text[],
  o_labels json[], o_context json[], o_payload bytea[], o_hash bigint[],
  o_deadline timestamptz[], o_accepted timestamptz[],
  t_order uuid[], t_step smallint[], t_branch smallint[], t_kind smallint[], t_queue text[],
  t_priority smallint[], t_seq bigint[], t_attempt int[], t_failures smallint[],
  t_losses smallint[], t_maybe boolean[],
  d_order uuid[], d_step smallint[], d_branch smallint[], d_kind smallint[], d_queue text[],
  d_priority smallint[], d_seq bigint[], d_attempt int[], d_failures smallint[],
  d_losses smallint[], d_maybe boolean[], d_state text[], d_run_at timestamptz[], d_reason text[],
  e_order uuid[], e_seq bigint[], e_at timestamptz[], e_kind text[], e_status text[],
  e_step smallint[], e_branch smallint[], e_task_kind smallint[], e_attempt int[],
  e_worker text[], e_ms int[], e_detail bytea[], e_note text[],
  p_id bigint[], p_name text[], p_version int[], p_source text[],
  q_queue text[], q_paused boolean[], q_who text[], q_why text[],
  sd_order uuid[], sd_seq bigint[],
  s_order uuid[], s_name text[], s_seq bigint[], s_at timestamptz[], s_dedup text[],
  s_payload bytea[], s_note text[], s_checks smallint[], s_next_at timestamptz[]
) returns table (what text, order_id uuid, submit_hash bigint, place int)
language plpgsql
set search_path from current
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
#variable_conflict use_column
declare
  v_task     tid[];
  v_deferred tid[];
  v_signal   tid[];
  v_missing  uuid[];
  v_more     uuid[];
  v_other    uuid[];
  v_known    uuid[];
  v_clash    boolean := false;
  v_count    bigint;
begin
  perform from shard where epoch = p_epoch and backend_pid = pg_backend_pid();
  if not found then
    raise exception 'this session is not the owner of % in epoch %', current_schema(), p_epoch
      using errcode = 'ORD01';
  end if;

  -- Look before writing: which rows go, and what does not fit.
  if cardinality(dt_order) > 0 then
    select array_agg(f.tid), array_agg(k.a) filter (where f.tid is null) into v_task, v_missing
    from (select unnest(dt_order) a, unnest(dt_step) b, unnest(dt_branch) c, unnest(dt_kind) d) k
    left join lateral (
      select t.ctid tid from task t
      where t.order_id = k.a and t.step = k.b and t.branch = k.c and t.kind = k.d
      limit 1) f on true;
  end if;
  if cardinality(dd_order) > 0 then
    select array_agg(f.tid), array_agg(k.a) filter (where f.tid is null) into v_deferred, v_more
    from (select unnest(dd_order) a, unnest(dd_step) b, unnest(dd_branch) c, unnest(dd_kind) d) k
    left join lateral (
      select t.ctid tid from deferred t
      where t.order_id = k.a and t.step = k.b and t.branch = k.c and t.kind = k.d
      limit 1) f on true;
  end if;
  if cardinality(sd_order) > 0 then
    select array_agg(f.tid), array_agg(k.a) filter (where f.tid is null) into v_signal, v_other
    from (select unnest(sd_order) a, unnest(sd_seq) b) k
    left join lateral (
      select s.ctid tid from signal s where s.order_id = k.a and s.seq = k.b limit 1) f on true;
  end if;
  if cardinality(o_id) > 0 then
    select array_agg(o.id) into v_known from orders o
    where o.id = any (o_id) and o.id between p_low and p_high;
  end if;
  if cardinality(p_id) > 0 then
    v_clash := exists (
      select from unnest(p_id, p_name, p_version, p_source) n(id, name, version, source)
      join pipeline p on p.id = n.id or (p.name = n.name and p.version = n.version)
      where (p.id, p.name, p.version, p.source) is distinct from
            (n.id, n.name, n.version, n.source));
  end if;
  if v_missing is not null or v_more is not null or v_other is not null or v_known is not null
     or v_clash then
    return query
      select distinct 'missing', u, null::bigint, null::int
      from unnest(v_missing || v_more || v_other) u
      union all
      select 'exists', o.id, o.submit_hash, null from orders o
      where o.id = any (v_known) and o.id between p_low and p_high
      union all
      select 'pipeline', null, null, n.place::int
      from unnest(p_id, p_name, p_version, p_source) with ordinality
             n(id, name, version, source, place)
      join pipeline p on p.id = n.id or (p.name = n.name and p.version = n.version)
      where (p.id, p.name, p.version, p.source) is distinct from
            (n.id, n.name, n.version, n.source);
    return;
  end if;

  -- A key given twice finds one row twice: the count tells, and nothing happens.
  if v_task is not null then
    delete from task where ctid = any (v_task);
    get diagnostics v_count = row_count;
    if v_count <> cardinality(v_task) then
      raise exception 'a task is deleted twice in one batch' using errcode = 'ORD02';
    end if;
  end if;
  if v_deferred is not null then
    delete from deferred where ctid = any (v_deferred);
    get diagnostics v_count = row_count;
    if v_count <> cardinality(v_deferred) then
      raise exception 'a deferred task is deleted twice in one batch' using errcode = 'ORD02';
    end if;
  end if;

  if v_signal is not null then
    delete from signal where ctid = any (v_signal);
    get diagnostics v_count = row_count;
    if v_count <> cardinality(v_signal) then
      raise exception 'a signal is deleted twice in one batch' using errcode = 'ORD02';
    end if;
  end if;

  if cardinality(o_id) > 0 then
    insert into orders (id, pipeline_id, priority, key, customer, labels, context, payload,
                        submit_hash, deadline_at, accepted_at)
    select unnest(o_id), unnest(o_pipeline), unnest(o_priority), unnest(o_key), unnest(o_customer),
           unnest(o_labels), unnest(o_context), unnest(o_payload), unnest(o_hash),
           unnest(o_deadline), unnest(o_accepted);
  end if;
  if cardinality(t_order) > 0 then
    insert into task (order_id, step, branch, kind, queue, priority, seq, attempt, failures, losses,
                      maybe)
    select unnest(t_order), unnest(t_step), unnest(t_branch), unnest(t_kind), unnest(t_queue),
           unnest(t_priority), unnest(t_seq), unnest(t_attempt), unnest(t_failures),
           unnest(t_losses), unnest(t_maybe);
  end if;
  if cardinality(d_order) > 0 then
    insert into deferred (order_id, step, branch, kind, queue, priority, seq, attempt, failures,
                          losses, maybe, state, run_at, reason)
    select unnest(d_order), unnest(d_step), unnest(d_branch), unnest(d_kind), unnest(d_queue),
           unnest(d_priority), unnest(d_seq), unnest(d_attempt), unnest(d_failures),
           unnest(d_losses), unnest(d_maybe), unnest(d_state), unnest(d_run_at), unnest(d_reason);
  end if;
  if cardinality(e_order) > 0 then
    insert into event (order_id, seq, at, kind, order_status, step, branch, task_kind, attempt,
                       worker, ms, detail, note)
    select unnest(e_order), unnest(e_seq), unnest(e_at), unnest(e_kind), unnest(e_status),
           unnest(e_step), unnest(e_branch), unnest(e_task_kind), unnest(e_attempt),
           unnest(e_worker), unnest(e_ms), unnest(e_detail), unnest(e_note);
  end if;
  if cardinality(s_order) > 0 then
    insert into signal (order_id, name, seq, at, dedup, payload, note, checks, next_at)
    select unnest(s_order), unnest(s_name), unnest(s_seq), unnest(s_at), unnest(s_dedup),
           unnest(s_payload), unnest(s_note), unnest(s_checks), unnest(s_next_at);
  end if;
  if cardinality(p_id) > 0 then
    insert into pipeline (id, name, version, source)
    select * from unnest(p_id, p_name, p_version, p_source) on conflict do nothing;
  end if;
  if cardinality(q_queue) > 0 then
    insert into queue_setting (queue, is_paused, who, why)
    select distinct on (n.queue) n.queue, n.is_paused, n.who, n.why
    from unnest(q_queue, q_paused, q_who, q_why) with ordinality
           n(queue, is_paused, who, why, place)
    order by n.queue, n.place desc
    on conflict (queue) do update
      set is_paused = excluded.is_paused, who = excluded.who, why = excluded.why;
  end if;
end $$;
