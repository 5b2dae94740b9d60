// The first thing one sees: every system, worst first, and of each only what is not green.

import { age, count, listing } from '../model/format';
import { countColours, followsOf, troublesOf } from '../model/health';
import { adviceFor, nameOf } from '../model/reasons';
import { href } from '../model/route';
import type { Source, System } from '../model/types';
import { health, isStale, systems } from '../state/live';
import { BusinessCurve } from './business';
import { Glyph, Tally } from './glyph';
import { Ago, Empty, Heading } from './parts';
import { SystemBody } from './system';
import { Brief, nodeHref } from './wrong';

export function Board() {
  const all = systems.value;
  const [only] = all;
  const isSingle = all.length === 1 && only !== undefined;
  return (
    <>
      <Heading>Health</Heading>
      {all.length === 0 && (
        <Empty>{health.value === null ? 'Asking …' : 'No system is known.'}</Empty>
      )}
      <div class="board">
        {all.map((system) => (
          <Verdict key={system.system} system={system} isAlone={isSingle} />
        ))}
      </div>
      {isSingle ? (
        <SystemBody system={only}>
          <BusinessCurve />
        </SystemBody>
      ) : (
        <BusinessCurve />
      )}
      <Sources />
    </>
  );
}

/** One system: colour, shape, word; the cause, whom it takes down, what to do. */
export function Verdict({ system, isAlone }: { system: System; isAlone: boolean }) {
  const link = href(['system', system.system]);
  return (
    <section class={`verdict tone-${system.status}`} aria-label={`System ${system.system}`}>
      <div class="badge">
        <Glyph of={system.status} size={44} />
        <span class="word">{system.status}</span>
      </div>
      <div class="body">
        <h2>
          <a href={link}>{system.system}</a>
          <Tally counts={countColours(system.nodes)} />
        </h2>
        <Headline system={system} />
        {!isAlone && <Brief system={system} />}
      </div>
    </section>
  );
}

function Headline({ system }: { system: System }) {
  const [first, ...others] = troublesOf(system);
  if (first === undefined) {
    return <p class="headline">All {system.nodes.length} nodes are well.</p>;
  }
  if (isStale.value || system.status === 'unknown') {
    return (
      <p class="headline">Nobody tells how it is. The last that was known is shown in grey.</p>
    );
  }
  const { node } = first;
  const advice = adviceFor(node);
  const hit = followsOf(system, node.id);
  const causes = others.filter((other) => other.node.root_cause).length;
  return (
    <>
      <p class="headline">
        <a href={nodeHref(system.system, node.id)}>{nameOf(node)}</a>
        {': '}
        {node.text || advice.word}
      </p>
      <p class="effect">
        {hit.length > 0 && (
          <span>
            Takes down with it: <b>{listing(hit.map(nameOf))}</b>.
          </span>
        )}
        {causes > 0 && <span>{count(causes, 'other root cause')} beside it.</span>}
        <span>
          {capital(node.status)} for <Ago ms={node.since_ms} />.
        </span>
      </p>
      <p class="act">
        <b>Do:</b> {advice.act} <a href={href(['runbook', advice.runbook])}>Runbook</a>
      </p>
    </>
  );
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Whom the monitor asks, and how long ago each answered. */
function Sources() {
  const sources = health.value?.sources ?? [];
  if (sources.length === 0) return null;
  return (
    <details class="panel sources">
      <summary>
        {count(sources.length, 'source')} of this page
        {sources.some(isSilent) && (
          <span class="tone-red"> · {sources.filter(isSilent).length} silent</span>
        )}
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">broker</th>
            <th scope="col">system</th>
            <th scope="col">address</th>
            <th scope="col">answered</th>
            <th scope="col">error</th>
          </tr>
        </thead>
        <tbody>
          {sources.map((source) => (
            <tr key={source.url}>
              <td>{source.broker || '–'}</td>
              <td>{source.system || '–'}</td>
              <td>
                <code>{source.url}</code>
              </td>
              <td class="num">{source.age_ms < 0 ? 'never' : `${age(source.age_ms)} ago`}</td>
              <td>{source.error || 'none'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function isSilent(source: Source): boolean {
  return Boolean(source.error);
}
