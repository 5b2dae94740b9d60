import { Page } from './kit';
import { figure, lines, processes, rows, spread } from './panels';
import { BROKER, increase, max, mean, PIPELINE, QUEUE, quantile, rate, sum, WORKERS } from './words';

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
    {
      title: 'Worker programs, by their own word (where --listen-http is given)',
      panels: [
        figure({
          title: 'Results that wait',
          description:
            'Results that no broker has recorded yet, of all workers. Some are always on their way; ' +
            'where none arrives for a minute OrdoResultsWaiting fires.',
          unit: 'short',
          queries: [[sum('ordo_worker_results_waiting', WORKERS), '{{system}}']],
          width: 6,
          decimals: 0,
        }),
        figure({
          title: 'Sessions that are missing',
          description:
            'Brokers that workers were told of and have no session with. OrdoWorkerCutOff fires ' +
            'after a minute.',
          unit: 'short',
          queries: [
            [
              `${sum('ordo_worker_brokers', WORKERS)} - ${sum('ordo_worker_brokers_up', WORKERS)}`,
              '{{system}}',
            ],
          ],
          width: 6,
          decimals: 0,
          steps: { warn: 1 },
        }),
        figure({
          title: 'Slots that hang',
          description: 'Slots whose handler is long past its timeout and does not return.',
          unit: 'short',
          queries: [[sum('ordo_worker_slots_hung', WORKERS), '{{system}}']],
          width: 6,
          decimals: 0,
          steps: { warn: 1 },
        }),
        figure({
          title: 'Workers that drain',
          description: 'Workers that finish what they have and take nothing more.',
          unit: 'short',
          queries: [[sum('ordo_worker_draining', WORKERS), '{{system}}']],
          width: 6,
          decimals: 0,
        }),
        lines({
          title: 'Handlers, 99 %',
          description:
            'What handlers take with their hooks. The run time above has the way to the worker and ' +
            'back, and the commit, besides.',
          unit: 's',
          queries: [
            [quantile(0.99, 'ordo_worker_handler_seconds', WORKERS, 'handler'), '{{handler}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Handlers that returned',
          description:
            'A second, by outcome: succeeded, transient (an exception too), permanent or snooze.',
          unit: 'ops',
          queries: [
            [rate('ordo_worker_attempts_total', WORKERS, 'handler, outcome'), '{{handler}} {{outcome}}'],
          ],
          width: 12,
          stacked: true,
        }),
        lines({
          title: 'Share of slots in a handler, by worker',
          description: '1: all are busy. Where tasks wait besides, more workers or slots help.',
          unit: 'percentunit',
          queries: [
            [
              `${sum('ordo_worker_slots_used', WORKERS, 'instance')} / ` +
                sum('ordo_worker_slots', WORKERS, 'instance'),
              '{{instance}}',
            ],
          ],
          width: 8,
          top: 1,
        }),
        lines({
          title: 'Tasks ahead, by worker',
          description: 'Tasks that a worker has taken and that wait there for a slot (take-ahead).',
          unit: 'short',
          queries: [[sum('ordo_worker_tasks_ahead', WORKERS, 'instance'), '{{instance}}']],
          width: 8,
        }),
        lines({
          title: 'Results with an answer',
          description:
            'A second: recorded, or refused because they came too late. Sent again: nobody had ' +
            'answered yet.',
          unit: 'ops',
          queries: [
            [rate('ordo_worker_results_total', WORKERS, 'outcome'), '{{system}} {{outcome}}'],
            [rate('ordo_worker_results_repeated_total', WORKERS), '{{system}} sent again'],
          ],
          width: 8,
        }),
        lines({
          title: 'Timed out, handed back, taken away',
          description:
            'Tasks a second whose timeout passed in the worker, that went back before they began, ' +
            'or that somebody newer has.',
          unit: 'ops',
          queries: [
            [rate('ordo_worker_tasks_timed_out_total', WORKERS), '{{system}} timed out'],
            [rate('ordo_worker_tasks_handed_back_total', WORKERS), '{{system}} handed back'],
            [rate('ordo_worker_tasks_revoked_total', WORKERS), '{{system}} taken away'],
          ],
          width: 8,
        }),
        lines({
          title: 'Connections dialled anew, by worker',
          description: 'A second. Again and again: a broker that restarts, or a network that cuts.',
          unit: 'ops',
          queries: [[rate('ordo_worker_reconnects_total', WORKERS, 'instance'), '{{instance}}']],
          width: 8,
        }),
        lines({
          title: 'Age of the thread, by worker',
          description:
            'Since the worker\'s own thread last came round; it does once a second at least, and ' +
            '/livez fails from 3 s on.',
          unit: 's',
          queries: [[max('ordo_worker_loop_age_seconds', WORKERS, 'instance'), '{{instance}}']],
          width: 8,
          steps: { warn: 2, bad: 3 },
        }),
        ...processes(WORKERS, 'worker'),
      ],
    },
  ],
};
