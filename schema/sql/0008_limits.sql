-- Ready tasks that something keeps back (reason says what) and that memory has no room for.
create index deferred_held on deferred (reason, queue, seq) where state = 'held';
