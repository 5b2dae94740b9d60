import { Page } from './kit';
import { board, figure, lines, rows, timeline } from './panels';
import { quantile, rate, SYSTEM, ZERO } from './words';

const NODE = 'system, group, app, node, type';
const REASONS = `node:ordo_reason:max{${SYSTEM}} * on (${NODE}) group_left () node:ordo_health:max`;
const IS_CAUSE = `on (${NODE}) node:ordo_root_cause:max == 1`;
const word = (expr: string, text: string) =>
  `label_replace(${expr}, "cause", "${text}", "", "")`;
const WRONG =
  `${word(`${REASONS} and ${IS_CAUSE}`, 'root cause')} or ` +
  `${word(`${REASONS} unless ${IS_CAUSE}`, '')}`;

const budget = (window: string) =>
  `system:ordo_sli_bad:ratio${window}{${SYSTEM}} / on (sli) group_left () sli:ordo_budget:ratio`;
const perMinute = (offset: string) =>
  `60 * system:ordo_orders_accepted:rate10m{${SYSTEM}}${offset}`;

export const overview: Page = {
  uid: 'ordo-overview',
  title: 'ordo / 1 overview',
  description: 'Is it well, what is wrong, are the promises kept, does business go as usual?',
  variables: ['system'],
  refresh: '5s',
  rows: [
    {
      title: 'Now',
      panels: [
        board({
          title: 'Systems',
          description:
            'Red: a node is red. Yellow: more than two nodes are yellow. Unknown: nobody knows ' +
            'anything of any node. Seen within 9 s of a fault.',
          queries: [[`system:ordo_health:colour{${SYSTEM}}`, '{{system}}']],
          width: 8,
          height: 4,
        }),
        figure({
          title: 'Orders a minute',
          description: 'Orders made durable and acknowledged, over the last 10 minutes.',
          unit: 'opm',
          queries: [[perMinute(''), '{{system}}']],
          more: 'ordo-orders',
          width: 4,
          decimals: 0,
        }),
        figure({
          title: 'Submit, 99 %',
          description:
            'From a submit\'s arrival to durable: 99 of 100 take at most this long. 250 ms is ' +
            'promised.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_submit_seconds', SYSTEM), '{{system}}']],
          more: 'ordo-orders',
          width: 4,
          steps: { warn: 0.1, bad: 0.25 },
        }),
        figure({
          title: 'Oldest waiting task',
          description: 'Age of the oldest task in hand that waits for a worker; 0: none waits.',
          unit: 's',
          queries: [
            [`max by (system) (ordo_queue_oldest_age_seconds{${SYSTEM}})`, '{{system}}'],
          ],
          more: 'ordo-workers',
          width: 4,
          steps: { warn: 30, bad: 60 },
        }),
        figure({
          title: 'Parked in 15 minutes',
          description:
            'Tasks that have stopped and wait for an operator. `ordo ls --parked` lists them, ' +
            '`ordo explain` says why.',
          unit: 'short',
          queries: [
            [
              `sum by (system) (step:ordo_tasks_parked:increase15m{${SYSTEM}}) or on (system) ${ZERO}`,
              '{{system}}',
            ],
          ],
          more: 'ordo-trouble',
          width: 4,
          decimals: 0,
          steps: { bad: 1 },
        }),
      ],
    },
    {
      title: 'Red, yellow, green',
      panels: [
        board({
          title: 'Groups',
          description:
            'The worst node of each app: clients, brokers, shards, queues, workers, and the ' +
            'services that steps use (dependencies).',
          queries: [[`app:ordo_health:max{${SYSTEM}}`, '{{group}} {{app}}']],
          width: 12,
          height: 8,
        }),
        rows({
          title: 'What is wrong',
          description:
            'Every node that is not green, and why. A root cause is red and needs nothing else ' +
            'that is red: begin there. The reasons are explained in docs/health.md.',
          unit: '',
          queries: [[WRONG, '']],
          columns: [
            ['system', 'system'],
            ['type', 'type'],
            ['node', 'node'],
            ['app', 'app'],
            ['group', 'group'],
            ['reason', 'reason'],
            ['cause', 'cause'],
          ],
          value: 'colour',
          colours: true,
          width: 12,
        }),
        board({
          title: 'Nodes',
          description:
            'Each client, broker, shard, queue, worker and dependency. Where several brokers judge ' +
            'one, the worst word counts.',
          queries: [[`node:ordo_health:max{${SYSTEM}}`, '{{type}} {{node}}']],
          width: 24,
          height: 8,
        }),
        timeline({
          title: 'Systems, over time',
          description: 'The colour of each system. Gaps: Prometheus or its rules were not running.',
          queries: [[`system:ordo_health:colour{${SYSTEM}}`, '{{system}}']],
          width: 24,
          height: 4,
        }),
        timeline({
          title: 'Nodes, over time',
          description: 'The colour of each node: what turned red first, and what followed.',
          queries: [[`node:ordo_health:max{${SYSTEM}}`, '{{type}} {{node}}']],
          width: 24,
          height: 12,
        }),
      ],
    },
    {
      title: 'Promises',
      panels: [
        figure({
          title: 'Kept in the last hour',
          description:
            'Share of good events. submits_durable: durable within 250 ms; tasks_start: handed ' +
            'to a worker within 5 s of being ready; orders_end: no task parked on the way. Red: ' +
            'fewer than promised (99.9 %, tasks_start 99 %).',
          unit: 'percentunit',
          queries: [[`1 - system:ordo_sli_bad:ratio1h{${SYSTEM}}`, '{{system}} {{sli}}']],
          width: 12,
          height: 6,
          decimals: 3,
          named: true,
          steps: { low: true, bad: 0, good: 0.999 },
          other: ['/ tasks_start$/', { low: true, bad: 0, good: 0.99 }],
        }),
        figure({
          title: 'Budget left of the last 3 days',
          description:
            'What is left of the bad events that the promise allows for 3 days; below 0 it is ' +
            'broken.',
          unit: 'percentunit',
          queries: [[`1 - ${budget('3d')}`, '{{system}} {{sli}}']],
          width: 12,
          height: 6,
          decimals: 1,
          named: true,
          steps: { low: true, bad: -1000, warn: 0, good: 0.5 },
        }),
        lines({
          title: 'How fast budgets burn',
          description:
            '1: the budget lasts exactly its 30 days. OrdoErrorBudgetBurnFast fires above 14.4 ' +
            'in an hour or 6 in six hours, OrdoErrorBudgetBurnSlow above 1 in three days.',
          unit: 'suffix: x',
          queries: [
            [budget('1h'), '{{system}} {{sli}} 1 h'],
            [budget('6h'), '{{system}} {{sli}} 6 h'],
          ],
          width: 24,
          steps: { warn: 6, bad: 14.4 },
        }),
      ],
    },
    {
      title: 'Business',
      panels: [
        lines({
          title: 'Orders a minute, beside yesterday and last week',
          description:
            'Orders accepted, and the same hours a day and a week ago. OrdoIntakeBelowUsual ' +
            'fires below half of both.',
          unit: 'opm',
          queries: [
            [perMinute(''), '{{system}} now'],
            [perMinute(' offset 1d'), '{{system}} yesterday'],
            [perMinute(' offset 7d'), '{{system}} last week'],
          ],
          width: 12,
          dashed: '/ (yesterday|last week)$/',
        }),
        lines({
          title: 'Orders that end, by status',
          description:
            'Orders a minute that succeeded, failed or were cancelled. Below the intake for ' +
            'long: orders pile up.',
          unit: 'opm',
          queries: [
            [`60 * ${rate('ordo_orders_ended_total', SYSTEM, 'status')}`, '{{system}} {{status}}'],
          ],
          more: 'ordo-orders',
          width: 12,
          stacked: true,
        }),
      ],
    },
  ],
};
