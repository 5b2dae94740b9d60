-- Tasks that wait for their next attempt and keep the turn of their `limit_key`: few among
-- millions of scheduled rows, and read at each takeover.
create index deferred_turn on deferred (run_at, seq)
  where state = 'scheduled' and strpos(reason, ', keeps the turn of ') > 0;
