-- Partitions of orders and event: a day of ids each. They are made ahead by create + attach,
-- which blocks no insert (create table … partition of would), and leave by detach concurrently +
-- drop (the broker's maintenance, because detach concurrently runs in no function).

-- The smallest id of a moment.
create function id_floor(p_at timestamptz) returns uuid
language sql immutable strict parallel safe
as $$
  select (lpad(to_hex(floor(extract(epoch from p_at) * 1000)::bigint), 12, '0')
          || repeat('0', 20))::uuid
$$;

-- Makes what is missing for the days p_from to p_to (UTC, both included); returns how many days
-- it made. Safe to call by two at once.
create function make_partitions(p_from date, p_to date) returns int
language plpgsql
set search_path from current
as $$
declare
  v_day    date := p_from;
  v_parent text;
  v_name   text;
  v_made   int := 0;
  v_is_new boolean;
begin
  perform pg_advisory_xact_lock(hashtext('ordo partitions'), hashtext(current_schema()));
  while v_day <= p_to loop
    v_is_new := false;
    foreach v_parent in array array['orders', 'event'] loop
      v_name := v_parent || '_' || to_char(v_day, 'YYYYMMDD');
      continue when to_regclass(quote_ident(current_schema()) || '.' || v_name) is not null;
      execute format('create table %I (like %I including defaults including constraints)',
                     v_name, v_parent);
      -- Insert only, dropped whole: a vacuum of the day that grows buys nothing.
      execute format('alter table %I set (autovacuum_vacuum_insert_threshold = 50000000,
                      autovacuum_vacuum_insert_scale_factor = 0,
                      autovacuum_analyze_threshold = 1000000)', v_name);
      execute format('alter table %I attach partition %I for values from (%L) to (%L)',
                     v_parent, v_name, id_floor(v_day::timestamp at time zone 'UTC'),
                     id_floor((v_day + 1)::timestamp at time zone 'UTC'));
      v_is_new := true;
    end loop;
    v_made := v_made + v_is_new::int;
    v_day := v_day + 1;
  end loop;
  return v_made;
end $$;

-- Whether anything that is not finished has its id in [p_low, p_high).
create function has_unfinished(p_low uuid, p_high uuid) returns boolean
language sql stable strict
set search_path from current
set enable_seqscan = off
as $$
  select exists (select from task where order_id >= p_low and order_id < p_high)
      or exists (select from deferred where order_id >= p_low and order_id < p_high)
      or exists (select from signal where order_id >= p_low and order_id < p_high)
$$;
