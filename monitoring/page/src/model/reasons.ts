// What each reason of docs/health.md means for who stands before the page: a word, what to do
// first, and the runbook that says the rest. A reason that is not here is shown as it came.

import type { HealthNode } from './types';

export interface Advice {
  /** The reason in two or three words. */
  word: string;
  /** What to do first, one or two sentences. `NODE` stands for the node's name. */
  act: string;
  /** Name of a runbook in docs/runbooks; empty: chosen by the node's type. */
  runbook: string;
}

const kReasons: Record<string, Advice> = {
  errors: {
    word: 'errors',
    act: 'Look at what the failed attempts say (the order’s events, the worker’s log); if one \
service fails for all, repair it or pause the queue until it is back.',
    runbook: '',
  },
  slow: {
    word: 'slow',
    act: 'Find what the interface waits for: the service it calls, its database, the network. \
Pause the queue if waiting makes it worse.',
    runbook: '',
  },
  stalled: {
    word: 'stalled',
    act: 'The process is there, but does nothing. Take a stack trace, then restart it: what was \
acknowledged is in the database.',
    runbook: '',
  },
  silent: {
    word: 'silent',
    act: 'See whether the process and its network are there; restart it. Its tasks have gone to \
other workers already.',
    runbook: 'OrdoWorkerDown',
  },
  hung: {
    word: 'hung slots',
    act: 'Handlers do not come back after their timeout. Take a stack trace, restart the worker, \
and give the handler’s calls timeouts of their own.',
    runbook: 'OrdoWorkerDown',
  },
  no_worker: {
    word: 'no worker',
    act: 'Start a worker that serves NODE. If one runs, see whether it reaches the broker and \
names this queue.',
    runbook: 'OrdoNoWorkers',
  },
  over_limit: {
    word: 'over limit',
    act: 'More comes than is done. Add workers or slots for it; if they are idle, see what the \
steps wait for.',
    runbook: 'OrdoBacklogGrowing',
  },
  too_old: {
    word: 'waits too long',
    act: 'The oldest task has waited too long. Add workers for NODE, or repair what makes its \
tasks slow.',
    runbook: 'OrdoBacklogAgeHigh',
  },
  paused: {
    word: 'paused',
    act: 'An operator stopped it. Resume it under Queues once the reason is gone.',
    runbook: 'OrdoQueuePaused',
  },
  closed: {
    word: 'not owned',
    act: 'No broker owns this shard: its orders stand still. See whether its database answers and \
whether a broker is configured for it.',
    runbook: 'OrdoShardNotOpen',
  },
  probe_failed: {
    word: 'database down',
    act: 'A write and read of its database failed. Repair PostgreSQL or the way to it; the broker \
takes the shard up again by itself.',
    runbook: 'OrdoShardDown',
  },
  probe_slow: {
    word: 'database slow',
    act: 'Look at the disk, the locks and what else runs on this PostgreSQL.',
    runbook: 'OrdoCommitSlow',
  },
  dead_rows: {
    word: 'dead rows',
    act: 'Vacuum does not keep up. End what holds it back, or vacuum the tables by hand.',
    runbook: 'OrdoTableBloat',
  },
  old_snapshot: {
    word: 'old snapshot',
    act: 'A transaction holds vacuum back. Find it in pg_stat_activity and end it.',
    runbook: 'OrdoOldSnapshot',
  },
  stale: {
    word: 'no news',
    act: 'Nobody tells how it is. See whether the broker that speaks of it can be reached.',
    runbook: 'OrdoNodeUnknown',
  },
  breaker: {
    word: 'breaker',
    act: 'Half of the calls of NODE failed. Repair it: its tasks are held, lose no attempt \
and go on by themselves after a probe that works.',
    runbook: 'OrdoDependencyDown',
  },
  unreachable: {
    word: 'unreachable',
    act: 'The monitor cannot ask this broker. See whether the process runs and its HTTP address \
answers; restart it if not.',
    runbook: 'OrdoBrokerDown',
  },
};

const kRunbookOfType: Record<string, string> = {
  broker: 'OrdoBrokerDown',
  shard: 'OrdoShardDown',
  queue: 'OrdoQueueDown',
  worker: 'OrdoWorkerDown',
  dependency: 'OrdoDependencyDown',
  client: 'OrdoSubmitsTurnedAway',
};

export function adviceFor(node: HealthNode): Advice {
  const known = kReasons[node.reason];
  const byType = node.status === 'yellow' ? 'OrdoNodeYellow' : kRunbookOfType[node.type];
  const runbook = known?.runbook || byType || 'OrdoNodeRed';
  if (known === undefined) {
    return { word: node.reason.replaceAll('_', ' '), act: 'The runbook says more.', runbook };
  }
  return { word: known.word, act: known.act.replaceAll('NODE', node.node), runbook };
}

/** "queue payment", "shard 0": how people call a node. */
export function nameOf(node: { type: string; node: string }): string {
  return `${node.type} ${node.node}`;
}
