import { Page } from './kit';
import { figure, lines, rows } from './panels';
import { BROKER, increase, PIPELINE, rate, rateOrZero, SYSTEM, ZERO } from './words';

const STEP = `${SYSTEM},pipeline=~"$pipeline"`;
const FAILED = 'outcome=~"transient|timeout|unknown|lost"';
const ended = (more: string, labels: string) =>
  rate('ordo_tasks_ended_total', `${PIPELINE}${more === '' ? '' : `,${more}`}`, labels);
const share = (more: string, labels: string) =>
  `${ended(more, labels)} / (${ended('', labels)} > 0)`;

export const trouble: Page = {
  uid: 'ordo-trouble',
  title: 'ordo / 6 retries and parked',
  description: 'What fails and is tried again, what waits for an operator, and why.',
  variables: ['system', 'instance', 'pipeline'],
  from: 'now-3h',
  rows: [
    {
      title: 'Now',
      panels: [
        figure({
          title: 'Parked in 15 minutes',
          description:
            'Tasks that have stopped and wait for an operator: `ordo ls --parked`, then retry, ' +
            'skip or complete.',
          unit: 'short',
          queries: [
            [
              `sum by (system) (step:ordo_tasks_parked:increase15m{${STEP}}) or on (system) ${ZERO}`,
              '{{system}}',
            ],
          ],
          width: 6,
          decimals: 0,
          steps: { bad: 1 },
        }),
        figure({
          title: 'Alarms in 15 minutes',
          description:
            'Tasks that have failed alarm_after times: they are still tried again, but not for ever.',
          unit: 'short',
          queries: [
            [
              `sum by (system) (step:ordo_task_alarms:increase15m{${STEP}}) or on (system) ${ZERO}`,
              '{{system}}',
            ],
          ],
          width: 6,
          decimals: 0,
          steps: { warn: 1 },
        }),
        figure({
          title: 'Technical failures',
          description:
            'Share of attempts that ended transient, timeout, unknown or lost. They are tried ' +
            'again.',
          unit: 'percentunit',
          queries: [[share(FAILED, ''), '{{system}}']],
          width: 6,
          decimals: 2,
          steps: { warn: 0.005, bad: 0.05 },
        }),
        figure({
          title: 'Business refusals',
          description:
            'Share of attempts that ended permanent: sold out, card declined. No fault of the ' +
            'machinery, and never tried again.',
          unit: 'percentunit',
          queries: [[share('outcome="permanent"', ''), '{{system}}']],
          width: 6,
          decimals: 2,
        }),
      ],
    },
    {
      title: 'Retries',
      panels: [
        lines({
          title: 'Tried again, by step',
          description: 'Failed attempts a second that are tried again.',
          unit: 'ops',
          queries: [
            [rate('ordo_tasks_retried_total', PIPELINE, 'pipeline, step'), '{{pipeline}} {{step}}'],
          ],
          width: 12,
          stacked: true,
        }),
        lines({
          title: 'Share that is tried again, by step',
          description: 'OrdoRetryStorm fires above a fifth, with 50 attempts in 10 minutes.',
          unit: 'percentunit',
          queries: [
            [
              `${rate('ordo_tasks_retried_total', PIPELINE, 'pipeline, step')} / ` +
                `(${ended('', 'pipeline, step')} > 0)`,
              '{{pipeline}} {{step}}',
            ],
          ],
          width: 12,
          top: 1,
          steps: { warn: 0.1, bad: 0.2 },
        }),
        lines({
          title: 'Alarms, by step (15 min)',
          description: 'Tasks that failed as often as their step allows quietly.',
          unit: 'short',
          queries: [[`step:ordo_task_alarms:increase15m{${STEP}}`, '{{pipeline}} {{step}}']],
          width: 12,
          bars: true,
        }),
        lines({
          title: 'Transient or permanent',
          description:
            'Attempts a second that failed and are tried again (transient, timeout, unknown, ' +
            'lost), beside those that failed for good (permanent).',
          unit: 'ops',
          queries: [
            [
              ended('outcome=~"transient|timeout|unknown|lost|permanent"', 'outcome'),
              '{{system}} {{outcome}}',
            ],
          ],
          width: 12,
          stacked: true,
        }),
      ],
    },
    {
      title: 'Parked',
      panels: [
        lines({
          title: 'Parked, by step and reason (15 min)',
          description:
            'Tasks that wait for an operator. exhausted: all attempts failed. The runbook is ' +
            'OrdoTasksParked.',
          unit: 'short',
          queries: [
            [`step:ordo_tasks_parked:increase15m{${STEP}}`, '{{pipeline}} {{step}} {{reason}}'],
          ],
          width: 12,
          bars: true,
        }),
        rows({
          title: 'Parked within the time shown',
          description: 'New parked tasks; what an operator has since dealt with is not taken off.',
          unit: 'short',
          queries: [
            [increase('ordo_tasks_parked_total', PIPELINE, 'pipeline, step, reason', '$__range'), ''],
          ],
          columns: [
            ['system', 'system'],
            ['pipeline', 'pipeline'],
            ['step', 'step'],
            ['reason', 'reason'],
          ],
          value: 'tasks',
          decimals: 0,
          width: 12,
        }),
      ],
    },
    {
      title: 'Errors',
      panels: [
        lines({
          title: 'Technical failures, by step',
          description:
            'Share of attempts that ended transient, timeout, unknown or lost. From 0.5 % a ' +
            'worker is yellow, from 5 % red (with 50 calls in 3 s; by number below that).',
          unit: 'percentunit',
          queries: [[share(FAILED, 'pipeline, step'), '{{pipeline}} {{step}}']],
          width: 12,
          top: 1,
          steps: { warn: 0.005, bad: 0.05 },
        }),
        lines({
          title: 'Business refusals, by step',
          description: 'Share of attempts that ended permanent.',
          unit: 'percentunit',
          queries: [[share('outcome="permanent"', 'pipeline, step'), '{{pipeline}} {{step}}']],
          width: 12,
          top: 1,
        }),
        lines({
          title: 'Late, repeated and lost',
          description:
            'A second: leases that ended with their worker, results refused because somebody ' +
            'newer held the task, results that had been recorded before.',
          unit: 'ops',
          queries: [
            [rate('ordo_leases_lost_total', BROKER), '{{system}} lost'],
            [rate('ordo_results_stale_total', BROKER), '{{system}} stale'],
            [
              rate('ordo_results_repeated_total', BROKER),
              '{{system}} repeated',
            ],
          ],
          width: 12,
        }),
        lines({
          title: 'Refused by the database',
          description: 'Orders a second that the database did not take, by reason.',
          unit: 'reqps',
          queries: [
            [
              rateOrZero('ordo_orders_refused_total', BROKER, 'reason'),
              '{{system}} {{reason}}',
            ],
          ],
          width: 12,
        }),
      ],
    },
  ],
};
