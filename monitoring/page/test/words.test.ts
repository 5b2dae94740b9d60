import assert from 'node:assert/strict';
import { test } from 'node:test';
import { niceStep, pathOf, scaleOf, spansOf } from '../src/model/curve';
import {
  age,
  count,
  duration,
  figure,
  isOrderId,
  listing,
  measure,
  shortId,
} from '../src/model/format';
import { parseInline, parseMarkdown, runbookIn } from '../src/model/markdown';
import { href, parseRoute, tokenIn } from '../src/model/route';

test('durations have two units at most', () => {
  const said = [0, 999, 1500, 42_400, 185_000, 900_000, 7_500_000, 400_000_000].map(duration);
  assert.deepEqual(said, [
    '0 ms',
    '999 ms',
    '1.5 s',
    '42 s',
    '3 min 5 s',
    '15 min',
    '2 h 5 min',
    '4 d 15 h',
  ]);
  assert.deepEqual([0, 400, 1999, 61_000].map(age), ['0 s', '0 s', '1 s', '1 min 1 s']);
});

test('figures with their units', () => {
  assert.deepEqual([0.412, 12.34, 137, 1234567, NaN].map(figure), [
    '0.41',
    '12.3',
    '137',
    '1,234,567',
    '–',
  ]);
  assert.equal(measure(0.41, 'seconds'), '410 ms');
  assert.equal(measure(9, 'calls'), '9 calls');
  assert.equal(measure(undefined, 'calls'), '');
  assert.deepEqual([count(1, 'task'), count(2, 'task')], ['1 task', '2 tasks']);
});

test('lists and ids in a sentence', () => {
  assert.equal(listing([]), '');
  assert.equal(listing(['a']), 'a');
  assert.equal(listing(['a', 'b', 'c']), 'a, b and c');
  assert.equal(listing(['a', 'b', 'c', 'd']), 'a, b and 2 more');
  assert.ok(isOrderId(' 019a1b2c-3d4e-7f60-8a1b-2c3d4e5f6071 '));
  assert.ok(!isOrderId('c42'));
  assert.equal(shortId('019a1b2c-3d4e-7f60-8a1b-2c3d4e5f6071'), '019a1b2c…5f6071');
});

test('a route survives its URL, whatever is in it', () => {
  const parts = ['system', 'a b', 'node', 'worker/pay-1?#%'];
  const query = { which: 'customer', customer: 'ö&=' };
  assert.deepEqual(parseRoute(href(parts, query)), { parts, query });
  assert.deepEqual(parseRoute(''), { parts: [], query: {} });
  assert.deepEqual(parseRoute('#/a%/b').parts, ['a%', 'b']);
  assert.equal(tokenIn('#token=ab%2Bc'), 'ab+c');
  assert.equal(tokenIn('#/token'), null);
});

test('a scale is round and holds everything', () => {
  assert.deepEqual(
    [3, 17, 420, 0.3].map((max) => niceStep(max)),
    [1, 5, 200, 0.1],
  );
  const frame = { width: 100, height: 100, left: 10, bottom: 10, top: 0 };
  const scale = scaleOf(
    [
      [
        [0, 5],
        [60, 17],
      ],
    ],
    frame,
  );
  assert.deepEqual(scale.ticks, [0, 5, 10, 15, 20]);
  assert.deepEqual([scale.x(0), scale.x(60), scale.y(0), scale.y(20)], [10, 100, 90, 0]);
});

test('what is not known breaks the line, and ends a span', () => {
  const scale = { x: (v: number) => v, y: (v: number) => v, ticks: [], from: 0, to: 1 };
  assert.equal(
    pathOf(
      [
        [0, 1],
        [60, 1],
        [300, 1],
      ],
      scale,
      60,
    ),
    'M0.0 1.0h0L60.0 1.0M300.0 1.0h0',
  );
  assert.deepEqual(
    spansOf(
      [
        [0, 0],
        [15, 0],
        [30, 2],
        [90, 2],
      ],
      15,
    ),
    [
      [0, 30, 0],
      [30, 45, 2],
      [90, 105, 2],
    ],
  );
});

test('Markdown becomes a tree, never HTML', () => {
  const [heading, list, code] = parseMarkdown('# A `b`\n\n2. one\n   two\n\n       x < y\n');
  assert.equal(heading?.kind, 'heading');
  assert.deepEqual(list, { kind: 'list', start: 2, items: [[{ kind: 'text', text: 'one two' }]] });
  assert.deepEqual(code, { kind: 'code', text: 'x < y' });
  assert.deepEqual(parseInline('<img src=x> [a](b.md)'), [
    { kind: 'text', text: '<img src=x> ' },
    { kind: 'link', text: 'a', to: 'b.md' },
  ]);
  assert.equal(runbookIn('docs/runbooks/OrdoNodeRed.md'), 'OrdoNodeRed');
  assert.equal(runbookIn('../metrics.md'), null);
});
