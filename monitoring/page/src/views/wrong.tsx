// What is wrong, as sentences: causes first, beneath each what is red because of it.

import { count, listing, measure } from '../model/format';
import { kWasGreen, troublesOf, type Trouble } from '../model/health';
import { adviceFor } from '../model/reasons';
import { href } from '../model/route';
import type { HealthNode, System } from '../model/types';
import { Glyph } from './glyph';
import { Ago } from './parts';

export function nodeHref(system: string, id: string): string {
  return href(['system', system, 'node', id]);
}

export function Wrong({ system, limit = 50 }: { system: System; limit?: number }) {
  const all = troublesOf(system);
  const quiet = all.filter(({ node }) => isQuiet(node)).length;
  const [troubles, alike] = withoutRepeats(all.filter(({ node }) => !isQuiet(node)));
  if (all.length === 0) {
    return (
      <p class="empty good">
        <Glyph of="green" /> Nothing: all {system.nodes.length} nodes are green.
      </p>
    );
  }
  return (
    <ol class="wrong">
      {troubles.slice(0, limit).map((trouble) => (
        <TroubleItem key={trouble.node.id} system={system.system} trouble={trouble} />
      ))}
      {troubles.length > limit && <li class="more">and {troubles.length - limit} more nodes</li>}
      {[...alike.values()].map(([first, ...others]) => (
        <li key={first.id} class="more">
          <Glyph of={first.status} /> {count(others.length + 1, `more ${first.type}`)}:{' '}
          {first.status} · {adviceFor(first).word} (
          {listing([first, ...others].map((node) => node.node))})
        </li>
      ))}
      {quiet > 0 && (
        <li class="more">
          <Glyph of="unknown" /> {count(quiet, 'node')}: no news; green when last heard of.
        </li>
      )}
    </ol>
  );
}

/** Of many nodes that are not well for one reason these are shown whole, the others in a line. */
const kAlike = 2;
type Alike = Map<string, [HealthNode, ...HealthNode[]]>;
function withoutRepeats(troubles: Trouble[]): [Trouble[], Alike] {
  const seen = new Map<string, number>();
  const alike: Alike = new Map();
  const shown = troubles.filter(({ node }) => {
    const key = `${node.type} ${node.status} ${node.reason}`;
    const before = seen.get(key) ?? 0;
    seen.set(key, before + 1);
    if (node.status === 'red' || before < kAlike) return true;
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [node]);
    else others.push(node);
    return false;
  });
  return [shown, alike];
}

/** Unknown, and green before: of many such one line is enough. */
function isQuiet(node: HealthNode): boolean {
  return node.status === 'unknown' && node.text === kWasGreen;
}

const kBriefLines = 6;
/** What is beside the first trouble, a line each: for a board of several systems. */
export function Brief({ system }: { system: System }) {
  const rest = troublesOf(system)
    .slice(1)
    .filter(({ node }) => !isQuiet(node));
  if (rest.length === 0) return null;
  return (
    <ul class="brief">
      {rest.slice(0, kBriefLines).map(({ node }) => (
        <li key={node.id}>
          <Glyph of={node.status} size={14} />
          <a href={nodeHref(system.system, node.id)}>
            {node.type} <b>{node.node}</b>
          </a>
          <span>
            <span class={`tone-${node.status}`}>
              {node.status} · {adviceFor(node).word}
            </span>
            {node.root_cause && <span class="cause">root cause</span>} {node.text}
          </span>
        </li>
      ))}
      {rest.length > kBriefLines && <li class="more">and {rest.length - kBriefLines} more</li>}
    </ul>
  );
}

function TroubleItem({ system, trouble }: { system: string; trouble: Trouble }) {
  const { node, follows } = trouble;
  const advice = adviceFor(node);
  return (
    <li class={`trouble tone-${node.status}`}>
      <p class="what">
        <Glyph of={node.status} />
        <a href={nodeHref(system, node.id)}>
          {node.type} <b>{node.node}</b>
        </a>
        <span class="word">
          {node.status} · {advice.word}
        </span>
        {node.root_cause && <span class="cause">root cause</span>}
      </p>
      <p class="text">{node.text}</p>
      <Figures node={node} />
      <p class="act">
        <b>Do:</b> {advice.act} <a href={href(['runbook', advice.runbook])}>Runbook</a>
      </p>
      {follows.length > 0 && (
        <div class="follows">
          <p>Red because of it:</p>
          <ul>
            {follows.map((other) => (
              <Follower key={other.id} system={system} node={other} />
            ))}
          </ul>
        </div>
      )}
    </li>
  );
}

function Follower({ system, node }: { system: string; node: HealthNode }) {
  return (
    <li>
      <Glyph of={node.status} size={13} />
      <a href={nodeHref(system, node.id)}>
        {node.type} <b>{node.node}</b>
      </a>
      <span class="soft">{node.text || adviceFor(node).word}</span>
    </li>
  );
}

/** Interface, current figure beside the normal one, since when. */
export function Figures({ node }: { node: HealthNode }) {
  return (
    <p class="figures">
      {node.interface !== '' && (
        <span>
          interface <code>{node.interface}</code>
        </span>
      )}
      {node.value !== undefined && (
        <span>
          now <b class="num">{measure(node.value, node.unit)}</b>
          {node.normal !== undefined && (
            <>
              {' '}
              · normal <span class="num">{measure(node.normal, node.unit)}</span>
            </>
          )}
        </span>
      )}
      {node.status !== 'unknown' && (
        <span>
          for <Ago ms={node.since_ms} />
        </span>
      )}
    </p>
  );
}
