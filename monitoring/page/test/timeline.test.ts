import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axisOf, noteText, placeOn, taskName, timelineOf } from '../src/model/timeline';
import type { GraphStep, Order, OrderEvent, Task } from '../src/model/types';

const graph = (steps: Record<string, string[]>): GraphStep[] =>
  Object.entries(steps).map(([step, after]) => ({
    step,
    after,
    queue: step,
    optional: false,
    async: false,
    compensate: false,
  }));

function order(status: string, tasks: Task[], events: Partial<OrderEvent>[]): Order {
  const all = events.map((event, seq) => ({ seq, at_ms: 0, kind: 'succeeded', ...event }));
  return {
    id: 'x',
    pipeline: 'p',
    version: 1,
    status,
    priority: 5,
    accepted_at_ms: 1000,
    tasks,
    events: all,
  };
}
const task = (step: string, state: string): Task => ({ step, state, attempt: 1, failures: 0 });
const bars = (timeline: ReturnType<typeof timelineOf>, row: number) =>
  timeline.rows[row]?.bars.map((bar) => [bar.kind, bar.from, bar.to]);

test('a step waits from the moment the one before it ended', () => {
  const one = order(
    'succeeded',
    [task('a', 'succeeded'), task('b', 'succeeded')],
    [
      { at_ms: 1100, step: 'a', ms: 60, attempt: 1 },
      { at_ms: 1500, step: 'b', ms: 300, attempt: 1 },
    ],
  );
  const timeline = timelineOf(one, graph({ a: [], b: ['a'] }), 99_999);
  assert.deepEqual(bars(timeline, 0), [
    ['waiting', 1000, 1040],
    ['succeeded', 1040, 1100],
  ]);
  assert.deepEqual(bars(timeline, 1), [
    ['waiting', 1100, 1200],
    ['succeeded', 1200, 1500],
  ]);
  assert.equal(timeline.to, 1500);
});

test('failed attempts, the wait between them, and what is parked until somebody decides', () => {
  const parked = order(
    'parked',
    [task('a', 'parked')],
    [
      { at_ms: 1100, kind: 'attempt_failed', step: 'a', ms: 100, attempt: 1 },
      { at_ms: 1500, kind: 'parked', step: 'a', ms: 100, attempt: 2 },
    ],
  );
  const timeline = timelineOf(parked, graph({ a: [] }), 3000);
  assert.deepEqual(bars(timeline, 0), [
    ['retry', 1000, 1100],
    ['waiting', 1100, 1400],
    ['failed', 1400, 1500],
    ['parked', 1500, 3000],
  ]);
});

test('an operator’s retry is a mark that ends the parking', () => {
  const done = order(
    'succeeded',
    [task('a', 'succeeded')],
    [
      { at_ms: 1500, kind: 'parked', step: 'a', ms: 500 },
      { at_ms: 9000, kind: 'operator_retry', step: 'a', note: { who: 'ann', why: 'bank is back' } },
      { at_ms: 9100, step: 'a', ms: 50 },
    ],
  );
  const timeline = timelineOf(done, graph({ a: [] }), 10_000);
  assert.deepEqual(bars(timeline, 0), [
    ['failed', 1000, 1500],
    ['parked', 1500, 9000],
    ['waiting', 9000, 9050],
    ['succeeded', 9050, 9100],
  ]);
  assert.equal(timeline.rows[0]?.marks[0]?.note, 'by ann · “bank is back”');
});

test('a refused late result moves nothing', () => {
  const late = order(
    'running',
    [task('a', 'leased')],
    [
      { at_ms: 1200, kind: 'worker_lost', step: 'a', ms: 100, attempt: 1 },
      { at_ms: 1700, kind: 'late_result', step: 'a', attempt: 1 },
    ],
  );
  assert.deepEqual(bars(timelineOf(late, graph({ a: [] }), 2000), 0), [
    ['waiting', 1000, 1100],
    ['lost', 1100, 1200],
    ['late', 1700, 1700],
    ['running', 1200, 2000],
  ]);
});

test('without the pipeline, and with events of steps that no task names, it still draws', () => {
  const odd = order(
    'failed',
    [],
    [{ at_ms: 1300, kind: 'failed', step: 'a', branch: 2, ms: 5000 }],
  );
  const timeline = timelineOf(odd, [], 2000);
  assert.equal(timeline.rows[0]?.branch, 2);
  assert.equal(timeline.rows[0]?.bars[0]?.to, 1300);
});

test('a long silence is cut short, and moments keep their order on the axis', () => {
  const parked = order(
    'parked',
    [task('a', 'parked')],
    [
      { at_ms: 1100, kind: 'attempt_failed', step: 'a', ms: 100 },
      { at_ms: 1500, kind: 'parked', step: 'a', ms: 100 },
    ],
  );
  const axis = axisOf(timelineOf(parked, graph({ a: [] }), 36_000_000));
  assert.deepEqual(
    axis.map((s) => s.isCut),
    [false, false, false, true],
  );
  const places = [1000, 1100, 1250, 1400, 1500, 20_000_000, 36_000_000].map((at) =>
    placeOn(axis, at),
  );
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
  assert.equal(places[0], 0);
  assert.ok(Math.abs((places[6] ?? 0) - 1) < 1e-9);
  assert.ok((places[4] ?? 0) > 0.7, 'the attempts keep most of the width');
});

test('an order without events has an axis', () => {
  const fresh = timelineOf(order('running', [task('a', 'ready')], []), graph({ a: [] }), 1000);
  assert.equal(placeOn(axisOf(fresh), 1000), 0);
});

test('a note’s first words', () => {
  assert.equal(noteText({ error: 'bank answered 503', reason: 'transient' }), 'bank answered 503');
  assert.equal(noteText({ reason: 'order_ending' }), 'order ending');
  assert.equal(noteText(undefined), '');
});

test('what undoes a step has a row of its own, from when the steps after it were undone', () => {
  const undone = order(
    'failed',
    [
      task('a', 'succeeded'),
      task('b', 'succeeded'),
      task('c', 'failed'),
      { ...task('a', 'succeeded'), task_kind: 'compensate' },
      { ...task('b', 'succeeded'), task_kind: 'compensate' },
    ],
    [
      { at_ms: 1100, step: 'a', ms: 100, attempt: 1 },
      { at_ms: 1200, step: 'b', ms: 100, attempt: 1 },
      { at_ms: 1300, kind: 'failed', step: 'c', ms: 100, attempt: 1, status: 'compensating' },
      { at_ms: 1500, step: 'b', task_kind: 'compensate', ms: 150, attempt: 1 },
      { at_ms: 1600, step: 'a', task_kind: 'compensate', ms: 100, attempt: 1 },
      { at_ms: 1600, kind: 'ended', status: 'failed' },
    ],
  );
  const timeline = timelineOf(undone, graph({ a: [], b: ['a'], c: ['b'] }), 9000);
  assert.deepEqual(timeline.rows.map(taskName), ['a', 'b', 'c', '~a', '~b']);
  assert.deepEqual(bars(timeline, 0), [['succeeded', 1000, 1100]]);
  assert.deepEqual(bars(timeline, 3), [['succeeded', 1500, 1600]]);
  assert.deepEqual(bars(timeline, 4), [
    ['waiting', 1300, 1350],
    ['succeeded', 1350, 1500],
  ]);
});

test('an attempt that the end of its order cut is shown as lost', () => {
  const cut = order(
    'cancelled',
    [task('a', 'cancelled')],
    [{ at_ms: 1500, kind: 'cut', step: 'a', ms: 500, attempt: 1 }],
  );
  assert.deepEqual(bars(timelineOf(cut, graph({ a: [] }), 9000), 0), [['lost', 1000, 1500]]);
});
