import { Page } from './kit';
import { figure, lines, rows, spread } from './panels';
import { BROKER, increase, PIPELINE, quantile, rate, rateOrZero } from './words';

export const orders: Page = {
  uid: 'ordo-orders',
  title: 'ordo / 2 orders',
  description: 'What comes in, what is turned away, what ends and how, and how long it takes.',
  variables: ['system', 'instance', 'pipeline'],
  rows: [
    {
      title: 'In and out',
      panels: [
        figure({
          title: 'Accepted',
          description: 'Orders a second made durable and acknowledged.',
          unit: 'reqps',
          queries: [[rate('ordo_orders_accepted_total', PIPELINE), '{{system}}']],
          width: 6,
        }),
        figure({
          title: 'Ended',
          description: 'Orders a second that ended, whatever their status.',
          unit: 'reqps',
          queries: [[rate('ordo_orders_ended_total', PIPELINE), '{{system}}']],
          width: 6,
        }),
        figure({
          title: 'Order time, 99 %',
          description: 'From acceptance to the end: 99 of 100 orders take at most this long.',
          unit: 's',
          queries: [[quantile(0.99, 'ordo_order_seconds', PIPELINE), '{{system}}']],
          width: 6,
        }),
        figure({
          title: 'In memory',
          description:
            'Orders that brokers hold: those under way whose tasks are in hand. The rest waits ' +
            'in the tables.',
          unit: 'short',
          queries: [[`sum by (system) (ordo_orders_resident{${BROKER}})`, '{{system}}']],
          width: 6,
          decimals: 0,
        }),
        lines({
          title: 'Accepted, by pipeline',
          description: 'Orders a second made durable and acknowledged.',
          unit: 'reqps',
          queries: [
            [rate('ordo_orders_accepted_total', PIPELINE, 'pipeline'), '{{system}} {{pipeline}}'],
          ],
          width: 12,
          stacked: true,
        }),
        lines({
          title: 'Ended, by status',
          description:
            'Orders a second that succeeded, failed or were cancelled.',
          unit: 'reqps',
          queries: [
            [rate('ordo_orders_ended_total', PIPELINE, 'status'), '{{system}} {{status}}'],
          ],
          width: 12,
          stacked: true,
        }),
        rows({
          title: 'By pipeline and status',
          description: 'Orders that ended within the time shown above.',
          unit: 'short',
          queries: [
            [increase('ordo_orders_ended_total', PIPELINE, 'pipeline, status', '$__range'), ''],
          ],
          columns: [
            ['system', 'system'],
            ['pipeline', 'pipeline'],
            ['status', 'status'],
          ],
          value: 'orders',
          decimals: 0,
          width: 24,
        }),
      ],
    },
    {
      title: 'How long orders take',
      panels: [
        spread({
          title: 'Order time',
          description: 'From acceptance to the end, orders a second in each bucket.',
          unit: 's',
          queries: [
            [`sum by (le) (rate(ordo_order_seconds_bucket{${PIPELINE}}[$__rate_interval]))`, '{{le}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Order time, by pipeline',
          description: 'The middle one of all orders, and the slowest but one in a hundred.',
          unit: 's',
          queries: [
            [quantile(0.5, 'ordo_order_seconds', PIPELINE, 'pipeline'), '{{pipeline}} 50 %'],
            [quantile(0.99, 'ordo_order_seconds', PIPELINE, 'pipeline'), '{{pipeline}} 99 %'],
          ],
          width: 12,
        }),
      ],
    },
    {
      title: 'Submits',
      panels: [
        lines({
          title: 'Submit to durable',
          description:
            'From a submit\'s arrival to its order being durable; the acknowledgement leaves ' +
            'then. 250 ms is promised for 99.9 %.',
          unit: 's',
          queries: [
            [quantile(0.5, 'ordo_submit_seconds', BROKER), '{{system}} 50 %'],
            [quantile(0.99, 'ordo_submit_seconds', BROKER), '{{system}} 99 %'],
            [quantile(0.999, 'ordo_submit_seconds', BROKER), '{{system}} 99.9 %'],
          ],
          width: 12,
          steps: { warn: 0.1, bad: 0.25 },
        }),
        spread({
          title: 'Submit to durable, spread',
          description: 'Submits a second in each bucket of time.',
          unit: 's',
          queries: [
            [`sum by (le) (rate(ordo_submit_seconds_bucket{${BROKER}}[$__rate_interval]))`, '{{le}}'],
          ],
          width: 12,
        }),
        lines({
          title: 'Told to come back later',
          description:
            'Submits a second that met something full: inbox_full (PostgreSQL too slow), ' +
            'queue_full (too few workers), rate and client_rate (limits of the configuration). ' +
            'Clients try again by themselves.',
          unit: 'reqps',
          queries: [
            [rateOrZero('ordo_orders_busy_total', BROKER, 'reason'), '{{system}} {{reason}}'],
          ],
          width: 8,
          stacked: true,
        }),
        lines({
          title: 'Refused',
          description: 'Orders a second that the database did not take, by reason.',
          unit: 'reqps',
          queries: [
            [rateOrZero('ordo_orders_refused_total', BROKER, 'reason'), '{{system}} {{reason}}'],
          ],
          width: 8,
          stacked: true,
        }),
        lines({
          title: 'There already',
          description:
            'Submits a second whose order had been accepted before: clients that repeat a submit ' +
            'of unknown outcome. Many: answers get lost, or a client repeats too soon.',
          unit: 'reqps',
          queries: [
            [rate('ordo_orders_duplicate_total', PIPELINE, 'pipeline'), '{{system}} {{pipeline}}'],
          ],
          width: 8,
          stacked: true,
        }),
      ],
    },
  ],
};
