import { Page } from './kit';
import { figure, lines, spread } from './panels';
import { BROKER, max, mean, quantile, rate, rateOrZero, SHARD, sum, SYSTEM } from './words';

/** WAL is counted of a shard's whole server: shards of one server say the same, so not a sum. */
const wal = `max by (system) (rate(ordo_shard_wal_bytes_total{${SHARD}}[$__rate_interval]))`;
const since15m = (record: string) =>
  `${record}{${SYSTEM},shard=~"$shard"} or on (system, shard) 0 * ` +
  `group by (system, shard) (ordo_shard_open{${SHARD}})`;

export const postgres: Page = {
  uid: 'ordo-postgres',
  title: 'ordo / 5 PostgreSQL',
  description: 'The shards as their owners see them: commits, batches, probes, vacuum, WAL.',
  variables: ['system', 'instance', 'shard'],
  rows: [
    {
      title: 'Shards',
      panels: [
        figure({
          title: 'Shards without an owner',
          description: 'Shards that no broker owns. They take no orders; OrdoShardNotOpen fires.',
          unit: 'short',
          queries: [
            [
              `count by (system) (${max('ordo_shard_open', SHARD, 'shard')} == 0) or on (system) ` +
                `0 * group by (system) (ordo_shard_open{${SHARD}})`,
              '{{system}}',
            ],
          ],
          width: 6,
          decimals: 0,
          steps: { bad: 1 },
        }),
        figure({
          title: 'Commit, 99 %',
          description: 'One round trip of a batch of writes, of all shards.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_commit_seconds', SHARD), '{{system}}']],
          width: 6,
          steps: { warn: 0.1, bad: 0.25 },
        }),
        figure({
          title: 'Probe, 99 %',
          description: 'A write and a read of each shard every 3 s. Above 100 ms the shard is yellow.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_shard_probe_seconds', SHARD), '{{system}}']],
          width: 6,
          steps: { warn: 0.1, bad: 1 },
        }),
        figure({
          title: 'Oldest snapshot',
          description:
            'For how long the oldest transaction of the server has held back vacuum. Above 60 s ' +
            'the shard is yellow; dead rows pile up meanwhile.',
          unit: 's',
          queries: [[max('ordo_shard_oldest_snapshot_seconds', SHARD), '{{system}}']],
          width: 6,
          steps: { warn: 60, bad: 600 },
        }),
        lines({
          title: 'Owned, by broker',
          description: '1 where the broker owns the shard. Two at once cannot write: the lock is one.',
          unit: 'bool_yes_no',
          queries: [[max('ordo_shard_open', SHARD, 'instance, shard'), '{{instance}} {{shard}}']],
          width: 8,
          top: 1,
        }),
        lines({
          title: 'Term',
          description: 'The owner\'s term of each shard: a step up is a takeover.',
          unit: 'short',
          queries: [[max('ordo_shard_epoch', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Sessions lost, shards not obtained',
          description:
            'A second: sessions lost or commits in doubt (the shard is taken anew), and attempts ' +
            'to take a shard that failed (normal at a broker that stands by).',
          unit: 'ops',
          queries: [
            [rateOrZero('ordo_shard_lost_total', SHARD, 'shard'), 'lost {{shard}}'],
            [rateOrZero('ordo_shard_refused_total', SHARD, 'shard'), 'not obtained {{shard}}'],
          ],
          width: 8,
        }),
      ],
    },
    {
      title: 'Commits',
      panels: [
        lines({
          title: 'Commit time',
          description:
            'One round trip of a batch. OrdoCommitSlow fires where 1 in 100 takes over 250 ms.',
          unit: 's',
          queries: [
            [quantile(0.5, 'ordo_commit_seconds', SHARD, 'shard'), 'shard {{shard}} 50 %'],
            [quantile(0.99, 'ordo_commit_seconds', SHARD, 'shard'), 'shard {{shard}} 99 %'],
          ],
          width: 12,
          steps: { warn: 0.1, bad: 0.25 },
        }),
        spread({
          title: 'Commit time, spread',
          description: 'Commits a second in each bucket of time.',
          unit: 's',
          queries: [
            [`sum by (le) (rate(ordo_commit_seconds_bucket{${SHARD}}[$__rate_interval]))`, '{{le}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Commits',
          description: 'Batches a second of each shard.',
          unit: 'ops',
          queries: [[rate('ordo_commit_seconds_count', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Writes in a batch',
          description:
            'Orders\' writes that share one commit. Grows with the load: a slower disk makes ' +
            'larger batches, not fewer writes.',
          unit: 'short',
          queries: [
            [mean('ordo_commit_writes', SHARD, 'shard'), 'shard {{shard}} mean'],
            [quantile(0.99, 'ordo_commit_writes', SHARD, 'shard'), 'shard {{shard}} 99 %'],
          ],
          width: 8,
        }),
        lines({
          title: 'Waiting for the session',
          description: 'Store operations that wait for the one session of each shard.',
          unit: 'short',
          queries: [[max('ordo_store_waiting', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Reads of the owner, 99 %',
          description: 'Loads at the start and pages of the backlog, on the owner\'s session.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_read_seconds', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Reads for people, 99 %',
          description: 'What `ordo get`, `ls` and the page ask for; on a session of their own.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_query_seconds', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Refused writes, missing rows (15 min)',
          description:
            'Writes that the database refused alone, and rows that were to be deleted and were ' +
            'not there. Neither may happen: OrdoWritesRejected and OrdoRowsMissing fire.',
          unit: 'short',
          queries: [
            [since15m('shard:ordo_writes_rejected:increase15m'), 'refused {{shard}}'],
            [since15m('shard:ordo_rows_missing:increase15m'), 'missing {{shard}}'],
          ],
          width: 8,
          steps: { bad: 1 },
        }),
      ],
    },
    {
      title: 'Server',
      panels: [
        lines({
          title: 'Probe',
          description: 'A write and a read of the shard\'s database, every 3 s.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_shard_probe_seconds', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
          steps: { warn: 0.1 },
        }),
        lines({
          title: 'Probes that failed',
          description: 'A second, by shard. One makes the shard red.',
          unit: 'ops',
          queries: [[rate('ordo_shard_probe_failures_total', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
        }),
        lines({
          title: 'Dead rows',
          description:
            'Rows of task and deferred that wait for vacuum, as PostgreSQL counts them. Above 5 ' +
            'million the shard is yellow. Sawteeth are well: that is vacuum at work.',
          unit: 'short',
          queries: [[max('ordo_shard_dead_rows', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
          steps: { warn: 5e6 },
        }),
        lines({
          title: 'Oldest snapshot, by shard',
          description: 'For how long the oldest transaction of the server has held back vacuum.',
          unit: 's',
          queries: [[max('ordo_shard_oldest_snapshot_seconds', SHARD, 'shard'), 'shard {{shard}}']],
          width: 8,
          steps: { warn: 60 },
        }),
        lines({
          title: 'WAL',
          description: 'Bytes a second that each shard\'s whole server writes.',
          unit: 'Bps',
          queries: [
            [
              `max by (system, shard) (rate(ordo_shard_wal_bytes_total{${SHARD}}[$__rate_interval]))`,
              'server of shard {{shard}}',
            ],
          ],
          width: 8,
        }),
        lines({
          title: 'WAL for a task',
          description:
            'Bytes of WAL of the busiest server by attempts that end, of all shards; right where ' +
            'all shards live on one server. What a full disk is planned with.',
          unit: 'bytes',
          queries: [
            [`${wal} / (${rate('ordo_tasks_ended_total', BROKER)} > 0)`, '{{system}}'],
          ],
          width: 8,
        }),
      ],
    },
    {
      title: 'Partitions',
      panels: [
        lines({
          title: 'Days made and dropped',
          description:
            'Partition days made ahead, and days past retention that are gone, in an hour. One of ' +
            'each a day and shard is normal.',
          unit: 'short',
          queries: [
            [`sum by (system, shard) (increase(ordo_partition_days_made_total{${SHARD}}[1h]))`, 'made {{shard}}'],
            [
              `sum by (system, shard) (increase(ordo_partition_days_dropped_total{${SHARD}}[1h]))`,
              'dropped {{shard}}',
            ],
          ],
          width: 12,
        }),
        lines({
          title: 'Days that stay past retention',
          description:
            'Something in them is not finished: a parked order, most likely. OrdoPartitionsKept ' +
            'fires after an hour.',
          unit: 'short',
          queries: [[sum('ordo_partition_days_kept', SHARD, 'shard'), 'shard {{shard}}']],
          width: 12,
          steps: { warn: 1 },
        }),
      ],
    },
  ],
};
