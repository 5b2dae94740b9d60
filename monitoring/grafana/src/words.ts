// What all dashboards have in common: colours and their words, names of variables, pieces of PromQL.
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';

/** Every query goes to the data source that the reader has chosen. */
export const SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Selectors by the variables of a dashboard. Recording rules know a system, but no instance. */
export const SYSTEM = 'system=~"$system"';
export const BROKER = `${SYSTEM},instance=~"$instance"`;
export const PIPELINE = `${BROKER},pipeline=~"$pipeline"`;
export const QUEUE = `${BROKER},queue=~"$queue"`;
export const SHARD = `${BROKER},shard=~"$shard"`;

/** Programs by their job: numbers of a process have the same names in all. */
export const BROKERS = `job="ordo",${BROKER}`;
export const WORKERS = `job="ordo-workers",${SYSTEM}`;

/** Labels that every sum keeps, so that systems are never added up. */
function by(labels: string): string {
  return labels === '' ? 'system' : `system, ${labels}`;
}

/** Sum of a gauge by labels. */
export function sum(metric: string, selector: string, labels = ''): string {
  return `sum by (${by(labels)}) (${metric}{${selector}})`;
}

export function max(metric: string, selector: string, labels = ''): string {
  return `max by (${by(labels)}) (${metric}{${selector}})`;
}

/** Events a second of a counter by labels. */
export function rate(metric: string, selector: string, labels = ''): string {
  return `sum by (${by(labels)}) (rate(${metric}{${selector}}[$__rate_interval]))`;
}

/** Events in the time that a point of the graph stands for; a point of a table: the whole range. */
export function increase(metric: string, selector: string, labels = '', over = '$__rate_interval') {
  return `sum by (${by(labels)}) (increase(${metric}{${selector}}[${over}]))`;
}

/** 0 for each system whose brokers are asked: for counters that appear with their first event. */
export const ZERO = `0 * group by (system) (up{job="ordo",${SYSTEM}})`;

/** A rate whose counter appears with its first event, shown as 0 until then. */
export function rateOrZero(metric: string, selector: string, labels = ''): string {
  return `${rate(metric, selector, labels)} or on (system) ${ZERO}`;
}

/** A quantile of a histogram by labels. */
export function quantile(q: number, metric: string, selector: string, labels = ''): string {
  const buckets = `rate(${metric}_bucket{${selector}}[$__rate_interval])`;
  return `histogram_quantile(${q}, sum by (${by(labels)}, le) (${buckets}))`;
}

/** The mean of a histogram by labels. */
export function mean(metric: string, selector: string, labels = ''): string {
  return `${rate(`${metric}_sum`, selector, labels)} / ${rate(`${metric}_count`, selector, labels)}`;
}

// Dark enough for white text. The word says the colour too: nobody has to see it.
export const GREY = '#6e6e6e';
export const GREEN = '#2e7d32';
export const YELLOW = '#b26a00';
export const RED = '#c62828';

/** What the numbers of a colour mean, in the words that ordo uses everywhere. */
export const COLOURS: dashboard.ValueMapping[] = [
  {
    type: dashboard.MappingType.ValueToText,
    options: {
      '-1': { text: '? unknown', color: GREY, index: 0 },
      '0': { text: '✓ green', color: GREEN, index: 1 },
      '1': { text: '▲ yellow', color: YELLOW, index: 2 },
      '2': { text: '✕ red', color: RED, index: 3 },
    },
  },
  {
    type: dashboard.MappingType.SpecialValue,
    options: {
      match: dashboard.SpecialValueMatch.NullAndNan,
      result: { text: '? no data', color: GREY, index: 4 },
    },
  },
];

/** A share or a mean of nothing: there were no events. */
export const NOTHING: dashboard.ValueMapping = {
  type: dashboard.MappingType.SpecialValue,
  options: {
    match: dashboard.SpecialValueMatch.NullAndNan,
    result: { text: 'nothing yet', color: GREY },
  },
};

/** Steps from a grey base, so that what nobody has measured is never green. */
export type Steps = { good?: number; warn?: number; bad?: number; low?: boolean };

/**
 * Thresholds. `warn` and `bad` are where yellow and red begin; below them all is green from `good`
 * (0) on. `low`: little is bad, so that red comes first: red from `bad`, yellow from `warn`, green
 * from `good`.
 */
export function thresholds(steps: Steps): dashboard.Threshold[] {
  const made: dashboard.Threshold[] = [{ value: null, color: GREY }];
  const add = (value: number | undefined, color: string) => {
    if (value !== undefined) made.push({ value, color });
  };
  if (steps.low) {
    add(steps.bad, RED);
    add(steps.warn, YELLOW);
    add(steps.good, GREEN);
  } else if (steps.warn !== undefined || steps.bad !== undefined || steps.good !== undefined) {
    add(steps.good ?? 0, GREEN);
    add(steps.warn, YELLOW);
    add(steps.bad, RED);
  }
  return made;
}
