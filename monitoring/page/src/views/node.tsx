// One node: how it is, what it needs and who needs it, and its last hour.

import { useMemo } from 'preact/hooks';
import { spansOf } from '../model/curve';
import { age, duration, moment } from '../model/format';
import { followsOf } from '../model/health';
import { adviceFor, nameOf } from '../model/reasons';
import { href } from '../model/route';
import type { Colour, HealthNode, History, System } from '../model/types';
import { withQuery } from '../state/api';
import { clock, systems } from '../state/live';
import { usePolled } from '../state/polled';
import { me } from '../state/session';
import { Glyph, State } from './glyph';
import { Ago, Empty, Heading, Missing, Scroll } from './parts';
import { nodeHref } from './wrong';
import { measure } from '../model/format';

const kEveryMs = 15_000;
const kColours: Record<string, Colour> = {
  '0': 'green',
  '1': 'yellow',
  '2': 'red',
  '-1': 'unknown',
};

export function NodeView({ system, id }: { system: string; id: string }) {
  const tree = systems.value.find((each) => each.system === system);
  const node = tree?.nodes.find((each) => each.id === id);
  const back = <a href={href(['system', system])}>System {system}</a>;
  if (tree === undefined || node === undefined) {
    const [type = '', ...name] = id.split('/');
    return (
      <>
        <Heading aside={back}>{id}</Heading>
        <Empty>This node is not there (any more).</Empty>
        {tree !== undefined && <Past system={system} type={type} node={name.join('/')} />}
      </>
    );
  }
  return (
    <>
      <Heading aside={back}>
        {node.type} {node.node}
      </Heading>
      <NodeCard tree={tree} node={node} />
      <Past system={system} type={node.type} node={node.node} />
      <div class="pair">
        <Neighbours
          title="Needs"
          tree={tree}
          ids={tree.edges.filter((e) => e.from === id).map((e) => e.to)}
        />
        <Neighbours
          title="Is needed by"
          tree={tree}
          ids={tree.edges.filter((e) => e.to === id).map((e) => e.from)}
        />
      </div>
    </>
  );
}

function NodeCard({ tree, node }: { tree: System; node: HealthNode }) {
  const advice = adviceFor(node);
  const hit = node.root_cause ? followsOf(tree, node.id) : [];
  const isWell = node.status === 'green';
  return (
    <section class={`verdict tone-${node.status}`} aria-label="How it is">
      <div class="badge">
        <Glyph of={node.status} size={44} />
        <span class="word">{node.status}</span>
      </div>
      <div class="body">
        <h2>
          {node.id} {node.root_cause && <span class="cause">root cause</span>}
        </h2>
        <p class="headline">{isWell ? 'It is well.' : node.text || advice.word}</p>
        <dl class="facts">
          <Fact name="since" value={<Ago ms={node.since_ms} />} />
          <Fact name="group" value={node.group} />
          <Fact name="app" value={node.app} />
          {node.interface !== '' && <Fact name="interface" value={<code>{node.interface}</code>} />}
          {node.value !== undefined && <Fact name="now" value={measure(node.value, node.unit)} />}
          {node.normal !== undefined && (
            <Fact name="normal" value={measure(node.normal, node.unit)} />
          )}
          {!isWell && <Fact name="reason" value={advice.word} />}
        </dl>
        {hit.length > 0 && (
          <p>
            Takes down with it:{' '}
            {hit.map((other, i) => (
              <span key={other.id}>
                {i > 0 && ', '}
                <a href={nodeHref(tree.system, other.id)}>{nameOf(other)}</a>
              </span>
            ))}
          </p>
        )}
        {!isWell && (
          <p class="act">
            <b>Do:</b> {advice.act} <a href={href(['runbook', advice.runbook])}>Runbook</a>
          </p>
        )}
        <p class="more">
          {node.type === 'queue' && <a href="#/queues">All queues</a>}
          {node.type === 'worker' && <a href="#/workers">All workers</a>}
        </p>
      </div>
    </section>
  );
}

export function Fact({ name, value }: { name: string; value: preact.ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="num">{value}</dd>
    </div>
  );
}

function Neighbours({ title, tree, ids }: { title: string; tree: System; ids: string[] }) {
  const nodes = tree.nodes.filter((node) => ids.includes(node.id));
  return (
    <section class="panel">
      <h2>{title}</h2>
      {nodes.length === 0 ? (
        <Empty>Nothing.</Empty>
      ) : (
        <ul class="plain">
          {nodes.map((node) => (
            <li key={node.id}>
              <State word={node.status} />
              <a href={nodeHref(tree.system, node.id)}>{node.id}</a>
              <span class="soft">{node.text}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Past({ system, type, node }: { system: string; type: string; node: string }) {
  const has = me.value?.has_prometheus ?? false;
  const query = { system, type, node, minutes: '60' };
  const past = usePolled<History>(has ? withQuery('/api/v1/history', query) : null, kEveryMs);
  return (
    <section class="panel" aria-labelledby="past-title">
      <h2 id="past-title">The last hour</h2>
      {!has && (
        <Empty>This monitor has no Prometheus (--prometheus): nothing is kept of what was.</Empty>
      )}
      {has && <Missing of={past} what="the history" />}
      {past.data !== null && <Strip history={past.data} />}
    </section>
  );
}

const kWide = 1000;
/** Height says the same as colour: red is full, yellow two thirds, green one third. */
const kHeights: Record<Colour, number> = { red: 36, yellow: 24, green: 12, unknown: 36 };

function Strip({ history }: { history: History }) {
  const spans = useMemo(() => spansOf(history.health, history.step_s), [history]);
  const [first] = spans;
  const last = spans[spans.length - 1];
  if (first === undefined || last === undefined)
    return <Empty>Nothing is known of the last hour.</Empty>;
  const [from, to] = [first[0], last[1]];
  const x = (at: number) => ((at - from) / Math.max(1, to - from)) * kWide;
  const now = clock.value;
  const bad = spans.filter(([, , value]) => value !== 0);
  return (
    <>
      <svg
        class="strip"
        viewBox={`0 0 ${kWide} 40`}
        preserveAspectRatio="none"
        role="img"
        aria-label={stripLabel(bad.length)}
      >
        {spans.map(([a, b, value]) => {
          const colour = kColours[String(value)] ?? 'unknown';
          const height = kHeights[colour];
          return (
            <rect
              key={a}
              class={`tone-${colour}`}
              x={x(a)}
              y={38 - height}
              width={Math.max(1.5, x(b) - x(a))}
              height={height}
            >
              <title>{spanText(colour, a, b - a, now)}</title>
            </rect>
          );
        })}
      </svg>
      <p class="axis">
        <span>{moment(from * 1000, clock.value)}</span>
        <span>now</span>
      </p>
      <details open={bad.length > 0 && bad.length < 8}>
        <summary>As a table</summary>
        <Scroll label="History as a table">
          <table>
            <thead>
              <tr>
                <th scope="col">from</th>
                <th scope="col">for</th>
                <th scope="col">state</th>
                <th scope="col">reason</th>
              </tr>
            </thead>
            <tbody>
              {[...spans].reverse().map(([a, b, value]) => (
                <tr key={a}>
                  <td class="num">{moment(a * 1000, clock.value)}</td>
                  <td class="num">{age((b - a) * 1000)}</td>
                  <td>
                    <State word={kColours[String(value)] ?? 'unknown'} />
                  </td>
                  <td>{reasonsWithin(history, a, b)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
    </>
  );
}

function spanText(colour: Colour, from: number, seconds: number, now: number): string {
  return `${colour} from ${moment(from * 1000, now)} for ${duration(seconds * 1000)}`;
}

function stripLabel(bad: number): string {
  return bad === 0
    ? 'Green for the whole hour'
    : `${bad} stretches that were not green; the table lists them`;
}

function reasonsWithin(history: History, from: number, to: number): string {
  return history.reasons
    .filter(({ reason, points }) => reason !== 'none' && points.some((at) => at >= from && at < to))
    .map(({ reason }) => reason.replaceAll('_', ' '))
    .join(', ');
}
