-- For people. The same views over all shards of a database are in schema `ordo` (made by the
-- migrator).

create view order_view as
select o.id, coalesce(s.order_status, 'running') as status, p.name as pipeline, p.version,
       o.priority, o.key, o.customer, o.labels, o.context, octet_length(o.payload) as payload_bytes,
       o.accepted_at, o.deadline_at, s.at as status_at
from orders o
left join pipeline p on p.id = o.pipeline_id
left join lateral (
  select e.order_status, e.at from event e
  where e.order_id = o.id and e.order_status is not null
  order by e.seq desc limit 1) s on true;

-- What is ready and what is leased only the owner knows: both are rows of task and read as
-- `ready` here.
create view task_view as
select order_id, step, branch, (array['forward', 'compensate', 'deadline'])[kind + 1] as kind,
       queue, priority, 'ready' as state, attempt, failures, losses, maybe,
       null::timestamptz as run_at, null::text as reason
from task
union all
select order_id, step, branch, (array['forward', 'compensate', 'deadline'])[kind + 1],
       queue, priority, state, attempt, failures, losses, maybe, run_at, reason
from deferred;
