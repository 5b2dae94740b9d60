-- Steps that are skipped, fall back to another handler or fan out: their events, and tasks of kind
-- 3 (fallback).
alter table task drop constraint task_kind_check;
alter table task add constraint task_kind_check check (kind between 0 and 3);
alter table deferred drop constraint deferred_kind_check;
alter table deferred add constraint deferred_kind_check check (kind between 0 and 3);

alter table event drop constraint event_task_kind_check;
alter table event add constraint event_task_kind_check check (task_kind between 0 and 3);
alter table event drop constraint event_kind_check;
alter table event add constraint event_kind_check check (kind in (
  'succeeded', 'attempt_failed', 'snoozed', 'worker_lost', 'parked', 'failed',
  'cancel_requested', 'deadline_missed', 'ended', 'late_result',
  'operator_retry', 'operator_skip', 'operator_complete', 'cut', 'operator_compensate',
  'skipped', 'fell_back', 'fanned_out', 'signalled'));
-- Bytes are a result, the evidence of a refused one, a signal's payload, or the list that a step
-- fanned out over.
alter table event drop constraint event_detail;
alter table event add constraint event_detail check (
  detail is null or
  kind in ('succeeded', 'operator_complete', 'late_result', 'signalled', 'fanned_out'));

create or replace view task_view as
select order_id, step, branch,
       (array['forward', 'compensate', 'deadline', 'fallback'])[kind + 1] as kind,
       queue, priority, 'ready' as state, attempt, failures, losses, maybe,
       null::timestamptz as run_at, null::text as reason
from task
union all
select order_id, step, branch,
       (array['forward', 'compensate', 'deadline', 'fallback'])[kind + 1],
       queue, priority, state, attempt, failures, losses, maybe, run_at, reason
from deferred;
