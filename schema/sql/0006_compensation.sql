-- Orders undo what they did: what the end of an order took with an unknown outcome, and who gave up
-- on a parked task. The words of an event are those of schema/vocabulary.hpp.
alter table event drop constraint event_kind_check;
alter table event add constraint event_kind_check check (kind in (
  'succeeded', 'attempt_failed', 'snoozed', 'worker_lost', 'parked', 'failed',
  'cancel_requested', 'deadline_missed', 'ended', 'late_result',
  'operator_retry', 'operator_skip', 'operator_complete', 'cut', 'operator_compensate',
  'signalled', 'skipped'));
