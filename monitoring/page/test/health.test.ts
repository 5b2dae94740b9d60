import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dropSilent,
  followsOf,
  redEdges,
  sortSystems,
  summary,
  titleOf,
  troublesOf,
  withoutNews,
} from '../src/model/health';
import { adviceFor } from '../src/model/reasons';
import type { Colour, Health, System } from '../src/model/types';
import { node } from './nodes';

/** Two brokers need queue a and b; both are red because of worker w, which queue a needs. */
function system(): System {
  const nodes = [
    node('broker/1', 'red'),
    node('broker/2', 'red'),
    node('queue/a', 'red'),
    node('queue/b', 'yellow'),
    node('worker/w', 'red', { root_cause: true, reason: 'silent' }),
    node('shard/0', 'unknown'),
    node('shard/1'),
  ];
  const edges = ['1', '2'].flatMap((n) => [
    { from: `broker/${n}`, to: 'queue/a' },
    { from: `broker/${n}`, to: 'queue/b' },
    { from: `broker/${n}`, to: 'shard/0' },
  ]);
  return {
    system: 's',
    status: 'red',
    at_ms: 1,
    nodes,
    edges: [...edges, { from: 'queue/a', to: 'worker/w' }],
  };
}

test('a cause comes first, with everything that is red because of it, nearest first', () => {
  const [first, ...rest] = troublesOf(system());
  assert.equal(first?.node.id, 'worker/w');
  assert.deepEqual(
    first?.follows.map((n) => n.id),
    ['queue/a', 'broker/1', 'broker/2'],
  );
  assert.deepEqual(
    rest.map((t) => t.node.id),
    ['queue/b', 'shard/0'],
  );
});

test('what follows from two causes is told once, but each cause names it', () => {
  const two = system();
  two.nodes.push(node('shard/9', 'red', { root_cause: true }));
  two.edges.push({ from: 'broker/1', to: 'shard/9' });
  const told = troublesOf(two)
    .flatMap((t) => [t.node, ...t.follows])
    .map((n) => n.id);
  assert.equal(new Set(told).size, told.length);
  assert.deepEqual(
    followsOf(two, 'shard/9').map((n) => n.id),
    ['broker/1'],
  );
  assert.ok(followsOf(two, 'worker/w').some((n) => n.id === 'broker/1'));
});

test('a red ring without a cause ends', () => {
  const ring = system();
  ring.nodes = [node('a/1', 'red'), node('b/1', 'red')];
  ring.edges = [
    { from: 'a/1', to: 'b/1' },
    { from: 'b/1', to: 'a/1' },
  ];
  assert.equal(troublesOf(ring).length, 2);
  assert.equal(redEdges(ring).length, 2);
});

test('nothing stays green, yellow or red without news', () => {
  const old = withoutNews(system());
  assert.equal(old.status, 'unknown');
  assert.ok(old.nodes.every((n) => n.status === 'unknown' && !n.root_cause));
  assert.match(old.nodes[0]?.text ?? '', /Was red: 1 is red/);
});

test('a system all of whose sources are silent is unknown; one that has a voice is not', () => {
  const source = { url: 'u', broker: 'b', system: 's', age_ms: 7000, error: '' };
  const health: Health = { at_ms: 1, systems: [system()], sources: [source] };
  assert.equal(dropSilent(health).systems[0]?.status, 'unknown');
  const heard: Health = { ...health, sources: [source, { ...source, age_ms: 300 }] };
  assert.equal(dropSilent(heard).systems[0]?.status, 'red');
});

test('the worst system comes first', () => {
  const named = (name: string, status: Colour) => ({ ...system(), system: name, status });
  const sorted = sortSystems([
    named('a', 'green'),
    named('b', 'unknown'),
    named('d', 'red'),
    named('c', 'red'),
  ]);
  assert.deepEqual(
    sorted.map((s) => s.system),
    ['c', 'd', 'b', 'a'],
  );
});

test('title and spoken summary say how many, and why', () => {
  assert.equal(titleOf([system()], false), '(4 red) ordo');
  assert.equal(titleOf([system()], true), '(no fresh data) ordo');
  assert.equal(titleOf([{ ...system(), nodes: [node('a/1')] }], false), 'ordo');
  assert.equal(summary([system()]), 's is red: 4 red, 1 yellow, 1 unknown, because of worker/w');
});

test('each reason says what to do; one that is new is shown as it came', () => {
  assert.equal(
    adviceFor(node('queue/pay', 'red', { reason: 'no_worker' })).runbook,
    'OrdoNoWorkers',
  );
  assert.match(adviceFor(node('queue/pay', 'red', { reason: 'no_worker' })).act, /serves pay/);
  assert.equal(adviceFor(node('shard/0', 'red', { reason: 'errors' })).runbook, 'OrdoShardDown');
  assert.equal(
    adviceFor(node('shard/0', 'yellow', { reason: 'errors' })).runbook,
    'OrdoNodeYellow',
  );
  assert.equal(adviceFor(node('shard/0', 'red', { reason: 'on_fire' })).word, 'on fire');
});
