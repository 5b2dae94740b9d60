import { Page } from './kit';
import { figure, lines, processes, rows, spread } from './panels';
import { BROKER, BROKERS, max, mean, QUEUE, quantile, rate, sum } from './words';

export const engine: Page = {
  uid: 'ordo-engine',
  title: 'ordo / 3 engine',
  description: 'The broker itself: its loop, what it hands out, what it holds, its sockets.',
  variables: ['system', 'instance', 'queue'],
  rows: [
    {
      title: 'Loop',
      panels: [
        figure({
          title: 'Loop busy',
          description:
            'Share of the time that the busiest broker\'s loop works. One thread does it all: at ' +
            '1 everything waits. OrdoLoopSaturated fires above 0.9.',
          unit: 'percentunit',
          queries: [
            [`max by (system) (${rate('ordo_loop_busy_seconds_total', BROKER, 'instance')})`, '{{system}}'],
          ],
          width: 6,
          decimals: 1,
          steps: { warn: 0.7, bad: 0.9 },
        }),
        figure({
          title: 'Loop pass, 99 %',
          description: 'One pass of the loop that had something to do.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_loop_pass_seconds', BROKER), '{{system}}']],
          width: 6,
          steps: { warn: 0.01, bad: 0.1 },
        }),
        figure({
          title: 'Writes in flight',
          description: 'Writes on their way to PostgreSQL that are not durable yet.',
          unit: 'short',
          queries: [[sum('ordo_writes_in_flight', BROKER), '{{system}}']],
          width: 6,
          decimals: 0,
        }),
        figure({
          title: 'Tasks handed out',
          description: 'Attempts a second given to workers.',
          unit: 'ops',
          queries: [[rate('ordo_tasks_dispatched_total', QUEUE), '{{system}}']],
          width: 6,
        }),
        lines({
          title: 'Loop busy, by broker',
          description: 'Share of the time that each loop works and does not sleep.',
          unit: 'percentunit',
          queries: [[rate('ordo_loop_busy_seconds_total', BROKER, 'instance'), '{{instance}}']],
          width: 8,
          top: 1,
          steps: { warn: 0.7, bad: 0.9 },
        }),
        lines({
          title: 'Loop pass',
          description: 'How long one pass takes. Long ones delay every message.',
          unit: 's',
          queries: [
            [mean('ordo_loop_pass_seconds', BROKER, 'instance'), '{{instance}} mean'],
            [quantile(0.99, 'ordo_loop_pass_seconds', BROKER, 'instance'), '{{instance}} 99 %'],
          ],
          width: 8,
        }),
        rows({
          title: 'Brokers',
          description: 'Which program runs where.',
          unit: 'short',
          queries: [[max('ordo_build_info', BROKER, 'instance, version, compiler'), '']],
          columns: [
            ['system', 'system'],
            ['instance', 'broker'],
            ['version', 'version'],
            ['compiler', 'compiler'],
          ],
          value: 'up',
          width: 8,
        }),
      ],
    },
    {
      title: 'Handing out',
      panels: [
        lines({
          title: 'Handed out, by queue',
          description: 'Attempts a second given to workers.',
          unit: 'ops',
          queries: [[rate('ordo_tasks_dispatched_total', QUEUE, 'queue'), '{{queue}}']],
          width: 12,
          stacked: true,
        }),
        lines({
          title: 'Wait for a worker, 99 %',
          description:
            'From ready to handed to a worker. 5 s is promised for 99 %. Long with free slots: ' +
            'look at the loop. Long without: more workers.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_task_wait_seconds', QUEUE, 'queue'), '{{queue}}']],
          width: 12,
          steps: { warn: 1, bad: 5 },
        }),
        spread({
          title: 'Wait for a worker, spread',
          description: 'Tasks a second in each bucket of time between ready and handed out.',
          unit: 's',
          queries: [
            [`sum by (le) (rate(ordo_task_wait_seconds_bucket{${QUEUE}}[$__rate_interval]))`, '{{le}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Steps that several others open',
          description: 'Joins a second: steps whose last predecessor has succeeded.',
          unit: 'ops',
          queries: [
            [rate('ordo_joins_fired_total', BROKER, 'pipeline, step'), '{{pipeline}} {{step}}'],
          ],
          width: 12,
        }),
      ],
    },
    {
      title: 'In hand, and in the tables',
      panels: [
        lines({
          title: 'In hand: waiting and with workers',
          description:
            'Tasks in memory that wait for a worker (ready), and those that workers hold (leased). ' +
            'At most window-tasks of a queue are in hand; the rest is backlog.',
          unit: 'short',
          queries: [
            [sum('ordo_queue_ready', QUEUE), '{{system}} ready'],
            [sum('ordo_queue_leased', QUEUE), '{{system}} leased'],
          ],
          width: 8,
        }),
        lines({
          title: 'Backlog, by queue',
          description:
            'Tasks that wait in the tables because the window in memory is full; about, and 0 ' +
            'where there is none.',
          unit: 'short',
          queries: [[sum('ordo_queue_backlog', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
          stacked: true,
        }),
        lines({
          title: 'To the backlog and back',
          description:
            'Tasks a second written to the backlog, and read back a page at a time. Both high for ' +
            'long: a larger window-tasks saves the paging.',
          unit: 'ops',
          queries: [
            [rate('ordo_queue_backlogged_total', QUEUE), '{{system}} to the backlog'],
            [rate('ordo_queue_paged_in_total', QUEUE), '{{system}} read back'],
          ],
          width: 8,
        }),
        lines({
          title: 'Orders in memory',
          description: 'Orders that each broker holds.',
          unit: 'short',
          queries: [[sum('ordo_orders_resident', BROKER, 'instance'), '{{instance}}']],
          width: 8,
        }),
        lines({
          title: 'Writes in flight, by broker',
          description: 'Writes that are not durable yet. Grows where PostgreSQL does not keep up.',
          unit: 'short',
          queries: [[sum('ordo_writes_in_flight', BROKER, 'instance'), '{{instance}}']],
          width: 8,
        }),
        lines({
          title: 'Waiters',
          description: 'Requests (wait, watch) that wait for an order. At most `waiters` of them.',
          unit: 'short',
          queries: [[sum('ordo_waiters', BROKER, 'instance'), '{{instance}}']],
          width: 8,
        }),
      ],
    },
    {
      title: 'Leases and fences',
      panels: [
        lines({
          title: 'Leases that ended with their worker',
          description:
            'Tasks a second whose worker vanished; they go to another. OrdoLeasesLost fires above ' +
            '10 in 10 minutes.',
          unit: 'ops',
          queries: [[rate('ordo_leases_lost_total', BROKER), '{{system}}']],
          width: 8,
        }),
        lines({
          title: 'Late and repeated results',
          description:
            'Results a second that were refused because somebody newer holds the task (stale), or ' +
            'that had been recorded before (repeated). Neither does harm; many stale ones mean ' +
            'workers that hang.',
          unit: 'ops',
          queries: [
            [rate('ordo_results_stale_total', BROKER), '{{system}} stale'],
            [rate('ordo_results_repeated_total', BROKER), '{{system}} repeated'],
          ],
          width: 8,
        }),
        lines({
          title: 'Adopted after a takeover',
          description: 'Tasks a second that workers went on with under a new owner of the shard.',
          unit: 'ops',
          queries: [[rate('ordo_tasks_adopted_total', BROKER), '{{system}}']],
          width: 8,
        }),
      ],
    },
    {
      title: 'Sockets',
      panels: [
        lines({
          title: 'Frames',
          description: 'Frames a second of the sockets for clients and for workers, both ways.',
          unit: 'ops',
          queries: [
            [rate('ordo_socket_frames_total', BROKER, 'socket, direction'), '{{socket}} {{direction}}'],
          ],
          width: 8,
        }),
        lines({
          title: 'Bytes',
          description: 'Bytes a second of the two sockets, both ways.',
          unit: 'Bps',
          queries: [
            [rate('ordo_socket_bytes_total', BROKER, 'socket, direction'), '{{socket}} {{direction}}'],
          ],
          width: 8,
        }),
        lines({
          title: 'Size of a frame',
          description: 'Mean bytes of a frame. Under load it grows: several messages share one.',
          unit: 'bytes',
          queries: [
            [
              `${rate('ordo_socket_bytes_total', BROKER, 'socket, direction')} / ` +
                rate('ordo_socket_frames_total', BROKER, 'socket, direction'),
              '{{socket}} {{direction}}',
            ],
          ],
          width: 8,
        }),
        lines({
          title: 'Peers',
          description: 'Connections that have spoken within a minute.',
          unit: 'short',
          queries: [[sum('ordo_socket_peers', BROKER, 'socket'), '{{socket}}']],
          width: 8,
        }),
        lines({
          title: 'Refused and forbidden',
          description:
            'A second: frames refused as a whole (they were no ordo), and messages that the ' +
            'sender\'s key does not allow. Not 0: look who it is.',
          unit: 'ops',
          queries: [
            [rate('ordo_socket_refused_total', BROKER, 'socket'), '{{socket}} refused'],
            [rate('ordo_socket_forbidden_total', BROKER, 'socket'), '{{socket}} forbidden'],
          ],
          width: 8,
        }),
        lines({
          title: 'Peers given up',
          description:
            'Peers a second found gone by a send (unreachable), or given up because they did not ' +
            'read (line_full).',
          unit: 'ops',
          queries: [[rate('ordo_socket_gone_total', BROKER, 'socket, reason'), '{{socket}} {{reason}}']],
          width: 8,
        }),
      ],
    },
    { title: 'Broker programs', panels: processes(BROKERS, 'broker') },
  ],
};
