import { Page } from './kit';
import { figure, lines, rows, spread } from './panels';
import { BROKER, increase, max, mean, PIPELINE, QUEUE, quantile, rate, sum } from './words';

const used = (by: string) =>
  `${sum('ordo_queue_leased', QUEUE, by)} / (${sum('ordo_queue_slots', QUEUE, by)} > 0)`;

export const workers: Page = {
  uid: 'ordo-workers',
  title: 'ordo / 4 workers',
  description: 'Who serves which queue, how busy they are, how long steps run and how they end.',
  variables: ['system', 'instance', 'queue', 'pipeline'],
  rows: [
    {
      title: 'Workers',
      panels: [
        figure({
          title: 'Workers',
          description: 'Workers with a session.',
          unit: 'short',
          queries: [[max('ordo_workers', BROKER), '{{system}}']],
          width: 6,
          decimals: 0,
          steps: { low: true, bad: 0, good: 1 },
        }),
        figure({
          title: 'Free slots',
          description: 'Slots without a task. 0 while tasks wait: more workers, or more slots each.',
          unit: 'short',
          queries: [[max('ordo_worker_slots_free', BROKER), '{{system}}']],
          width: 6,
          decimals: 0,
          steps: { low: true, bad: -1, warn: 0, good: 1 },
        }),
        figure({
          title: 'Oldest waiting task',
          description: 'Age of the oldest task in hand that waits, of all queues; 0: none waits.',
          unit: 's',
          queries: [[max('ordo_queue_oldest_age_seconds', QUEUE), '{{system}}']],
          width: 6,
          steps: { warn: 30, bad: 60 },
        }),
        figure({
          title: 'Queues that wait for a worker',
          description: 'Queues in which something waits and that no worker serves.',
          unit: 'short',
          queries: [
            [
              `count by (system) (${sum('ordo_queue_ready', QUEUE, 'queue')} > 0 and ` +
                `${sum('ordo_queue_workers', QUEUE, 'queue')} == 0) or on (system) ` +
                `0 * group by (system) (ordo_workers{${BROKER}})`,
              '{{system}}',
            ],
          ],
          width: 6,
          decimals: 0,
          steps: { bad: 1 },
        }),
        lines({
          title: 'Workers, by queue',
          description: 'Workers that serve each queue; one may serve several.',
          unit: 'short',
          queries: [[max('ordo_queue_workers', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
        }),
        lines({
          title: 'Come and go',
          description:
            'Workers a second that began a session (joined), were known already (resynced), said ' +
            'goodbye (left), or fell silent and were given up (lost).',
          unit: 'ops',
          queries: [
            [rate('ordo_workers_joined_total', BROKER), '{{system}} joined'],
            [rate('ordo_workers_resynced_total', BROKER), '{{system}} resynced'],
            [rate('ordo_workers_left_total', BROKER), '{{system}} left'],
            [rate('ordo_workers_lost_total', BROKER), '{{system}} lost'],
          ],
          width: 8,
        }),
        lines({
          title: 'Leases that ended with their worker',
          description: 'Tasks a second that a vanished worker held; they go to another.',
          unit: 'ops',
          queries: [[rate('ordo_leases_lost_total', BROKER), '{{system}}']],
          width: 8,
        }),
      ],
    },
    {
      title: 'Queues',
      panels: [
        rows({
          title: 'Share of slots in use',
          description:
            'Tasks that workers hold, by the slots of the workers that serve the queue. Slots are ' +
            'shared by the queues of a worker: 1 means that one queue has them all.',
          unit: 'percentunit',
          queries: [[used('queue'), '']],
          columns: [
            ['system', 'system'],
            ['queue', 'queue'],
          ],
          value: 'in use',
          decimals: 0,
          steps: { warn: 0.8, bad: 0.95 },
          width: 8,
        }),
        lines({
          title: 'Slots, by queue',
          description: 'Slots of the workers that serve each queue.',
          unit: 'short',
          queries: [[sum('ordo_queue_slots', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
        }),
        lines({
          title: 'With workers, by queue',
          description: 'Tasks that workers hold.',
          unit: 'short',
          queries: [[sum('ordo_queue_leased', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
          stacked: true,
        }),
        lines({
          title: 'Waiting, by queue',
          description: 'Tasks in hand and in the backlog that wait for a worker.',
          unit: 'short',
          queries: [
            [
              `${sum('ordo_queue_ready', QUEUE, 'queue')} + ${sum('ordo_queue_backlog', QUEUE, 'queue')}`,
              '{{queue}}',
            ],
          ],
          width: 8,
          stacked: true,
        }),
        lines({
          title: 'Oldest waiting task, by queue',
          description: 'Its age; red from health-oldest (1 min), OrdoBacklogAgeHigh from 5 min.',
          unit: 's',
          queries: [[max('ordo_queue_oldest_age_seconds', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
          steps: { warn: 30, bad: 60 },
        }),
        lines({
          title: 'Paused queues',
          description: '1 while an operator has paused the queue: nothing is handed out.',
          unit: 'bool_yes_no',
          queries: [[max('ordo_queue_paused', QUEUE, 'queue'), '{{queue}}']],
          width: 8,
          top: 1,
        }),
      ],
    },
    {
      title: 'Steps',
      panels: [
        lines({
          title: 'Run time, 99 %',
          description: 'From handed to a worker to its result, by step.',
          unit: 's',
          queries: [
            [quantile(0.99, 'ordo_task_run_seconds', PIPELINE, 'pipeline, step'), '{{pipeline}} {{step}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Run time, mean',
          description: 'From handed to a worker to its result, by step.',
          unit: 's',
          queries: [[mean('ordo_task_run_seconds', PIPELINE, 'pipeline, step'), '{{pipeline}} {{step}}']],
          width: 12,
        }),
        spread({
          title: 'Run time, spread',
          description: 'Attempts a second in each bucket of time, of all steps chosen above.',
          unit: 's',
          queries: [
            [`sum by (le) (rate(ordo_task_run_seconds_bucket{${PIPELINE}}[$__rate_interval]))`, '{{le}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'How attempts end',
          description:
            'Attempts a second by outcome. Workers say succeeded, transient, permanent, snooze or ' +
            'unknown; timeout, lost, handed_back and cancelled are seen by the broker.',
          unit: 'ops',
          queries: [[rate('ordo_tasks_ended_total', PIPELINE, 'outcome'), '{{system}} {{outcome}}']],
          width: 12,
          stacked: true,
        }),
        rows({
          title: 'Attempts by step and outcome',
          description: 'Within the time shown above; outcomes that did not occur are left out.',
          unit: 'short',
          queries: [
            [
              `${increase('ordo_tasks_ended_total', PIPELINE, 'pipeline, step, outcome', '$__range')} > 0`,
              '',
            ],
          ],
          columns: [
            ['system', 'system'],
            ['pipeline', 'pipeline'],
            ['step', 'step'],
            ['outcome', 'outcome'],
          ],
          value: 'attempts',
          decimals: 0,
          width: 24,
        }),
      ],
    },
  ],
};
