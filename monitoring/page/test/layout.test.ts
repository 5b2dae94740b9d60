import assert from 'node:assert/strict';
import { test } from 'node:test';
import { layersOf, rowsOf } from '../src/model/layers';
import { drawSteps } from '../src/model/steps';
import { kBoxHeight, layoutMap, shapeOf, shareColumns } from '../src/model/topology';
import type { Edge, GraphStep, HealthNode, System } from '../src/model/types';
import { node } from './nodes';

const chain = (text: string) =>
  text.split(' ').map((pair) => {
    const [from = '', to = ''] = pair.split('>');
    return { from, to };
  });

test('a node stands below everything that needs it', () => {
  const layers = layersOf(['d', 'c', 'b', 'a'], chain('a>b b>c a>c c>d'));
  assert.deepEqual(
    ['a', 'b', 'c', 'd'].map((id) => layers.get(id)),
    [0, 1, 2, 3],
  );
});

test('a ring is drawn, and every node of it once', () => {
  const rows = rowsOf(['a', 'b', 'c'], chain('a>b b>c c>a'));
  assert.deepEqual(rows.flat().sort(), ['a', 'b', 'c']);
});

test('lines that need not cross do not', () => {
  const rows = rowsOf(['a', 'b', 'x', 'y'], chain('a>y b>x'));
  const [upper = [], lower = []] = rows;
  assert.equal(upper.indexOf('a') < upper.indexOf('b'), lower.indexOf('y') < lower.indexOf('x'));
});

test('a graph of 256 steps is laid out in no time', () => {
  const ids = Array.from({ length: 256 }, (_, i) => `s${i}`);
  const links = ids.flatMap((to, i) =>
    [1, 3, 7, 20].filter((d) => d <= i).map((d) => ({ from: `s${i - d}`, to })),
  );
  const started = performance.now();
  rowsOf(ids, links);
  assert.ok(performance.now() - started < 500);
});

function shop(workers: number): System {
  const nodes: HealthNode[] = [node('broker/a'), node('broker/b')];
  const edges: Edge[] = [];
  for (let i = 0; i < 12; ++i) {
    nodes.push(node(`queue/q${i}`));
    edges.push({ from: 'broker/a', to: `queue/q${i}` }, { from: 'broker/b', to: `queue/q${i}` });
  }
  nodes.push(node('shard/0'));
  edges.push({ from: 'broker/a', to: 'shard/0' });
  for (let i = 0; i < workers; ++i) {
    nodes.push(node(`worker/w${i}`, 'green', { app: i % 2 ? 'odd' : 'even' }));
    edges.push({ from: `queue/q${i % 12}`, to: `worker/w${i}` });
  }
  return { system: 's', status: 'green', at_ms: 1, nodes, edges };
}

test('groups stand in tiers, upstream above downstream; no two boxes overlap', () => {
  for (const width of [340, 700, 1200]) {
    const { boxes, groups, height } = layoutMap(shop(3), new Set(), width);
    const top = (name: string) => groups.find((g) => g.group === name)?.y ?? NaN;
    assert.ok(top('brokers') < top('queues') && top('queues') < top('workers'));
    assert.ok(top('brokers') < top('shards') && top('shards') < top('workers'));
    for (const a of boxes) {
      assert.ok(a.x >= 0 && a.x + a.width <= width + 0.01 && a.y + kBoxHeight <= height);
      const hit = boxes.find(
        (b) =>
          b !== a && Math.abs(a.y - b.y) < kBoxHeight && a.x < b.x + b.width && b.x < a.x + a.width,
      );
      assert.equal(hit, undefined, `${a.id} lies on ${hit?.id ?? ''} at ${width}`);
    }
  }
});

test('many nodes of an app are one box until it is opened; its lines go to it', () => {
  const closed = layoutMap(shop(40), new Set(), 1000);
  assert.deepEqual(
    closed.boxes.filter((b) => b.kind === 'app').map((b) => b.id),
    ['app:workers/even', 'app:workers/odd'],
  );
  assert.ok(closed.lines.some((line) => line.to === 'app:workers/odd'));
  const open = layoutMap(shop(40), new Set(['app:workers/odd']), 1000);
  assert.equal(open.boxes.length, closed.boxes.length + 20);
  assert.ok(!open.lines.some((line) => line.to === 'app:workers/odd'));
  const places = (layout: typeof open) =>
    layout.boxes.filter((b) => b.nodes[0]?.group === 'queues').map((b) => [b.id, b.x, b.y]);
  assert.deepEqual(places(open), places(closed));
});

test('colours move nothing', () => {
  const sick = shop(40);
  for (const each of sick.nodes)
    Object.assign(each, { status: 'red', text: 'x', root_cause: true });
  assert.equal(shapeOf(sick), shapeOf(shop(40)));
  const places = (system: System) =>
    layoutMap(system, new Set(), 1000).boxes.map((b) => [b.id, b.x, b.y, b.width]);
  assert.deepEqual(places(sick), places(shop(40)));
});

test('a column goes where it saves rows, and none where it saves nothing', () => {
  assert.deepEqual(shareColumns([4, 16], 6), [1, 4]);
  assert.deepEqual(shareColumns([1, 1], 9), [1, 1]);
  assert.deepEqual(shareColumns([3], 2), [2]);
});

test('a line that passes a layer has a place of its own in it', () => {
  const step = (name: string, ...after: string[]): GraphStep => ({
    step: name,
    after,
    queue: name,
    optional: false,
    async: false,
    compensate: false,
  });
  const drawn = drawSteps([step('a'), step('b', 'a'), step('c', 'b'), step('d', 'c', 'a')]);
  const middle = new Map(drawn.places.map((place) => [place.step, place.x]));
  assert.equal(drawn.paths.length, 4);
  const long = drawn.paths.find((path) => path.split('C').length === 4) ?? '';
  const passes = [...long.matchAll(/(\d+)(?: \d+)?V/g)].map((match) => Number(match[1]));
  assert.equal(passes.length, 2);
  assert.ok(passes.every((x) => x !== (middle.get('b') ?? 0) + 74));
});

test('a group that nobody is said to need stands at the foot', () => {
  const system = shop(3);
  system.nodes.unshift(node('dependency/bank'));
  const { groups } = layoutMap(system, new Set(), 1000);
  const lowest = Math.max(...groups.map((group) => group.y));
  assert.equal(groups.find((group) => group.group === 'dependencys')?.y, lowest);
});
