// One system: its map (or the same as a table) beside what is wrong.

import { useState } from 'preact/hooks';
import { age } from '../model/format';
import { weight } from '../model/health';
import { adviceFor } from '../model/reasons';
import { href, parseRoute } from '../model/route';
import { runbookIn } from '../model/markdown';
import type { Alert, System } from '../model/types';
import { clock, systems } from '../state/live';
import { usePolled } from '../state/polled';
import { me } from '../state/session';
import { Verdict } from './board';
import { Glyph, State } from './glyph';
import { Empty, Heading, Scroll } from './parts';
import { Legend, SystemMap } from './map';
import { Figures, nodeHref, Wrong } from './wrong';

const kAlertsEveryMs = 5000;

export function SystemView({ name }: { name: string }) {
  const system = systems.value.find((each) => each.system === name);
  return (
    <>
      <Heading aside={<a href="#/">All systems</a>}>System {name}</Heading>
      {system === undefined ? (
        <Empty>No broker speaks of a system “{name}” (yet).</Empty>
      ) : (
        <>
          <div class="board">
            <Verdict system={system} isAlone={true} />
          </div>
          <SystemBody system={system} />
        </>
      )}
    </>
  );
}

/** `children` stand under the map. */
export function SystemBody({
  system,
  children,
}: {
  system: System;
  children?: preact.ComponentChildren;
}) {
  const [isTable, setTable] = useState(() => parseRoute(location.hash).query.as === 'table');
  return (
    <div class="system">
      <div>
        <section class="panel map-panel" aria-labelledby="map-title">
          <div class="bar">
            <h2 id="map-title">Who needs whom</h2>
            <div class="switch" role="group" aria-label="Shown as">
              <button type="button" aria-pressed={!isTable} onClick={() => setTable(false)}>
                Map
              </button>
              <button type="button" aria-pressed={isTable} onClick={() => setTable(true)}>
                Table
              </button>
            </div>
          </div>
          {isTable ? (
            <NodeTable system={system} />
          ) : (
            <>
              <SystemMap system={system} />
              <Legend />
            </>
          )}
        </section>
        {children}
      </div>
      <aside>
        <section class="panel" aria-labelledby="wrong-title">
          <h2 id="wrong-title">What is wrong</h2>
          <Wrong system={system} />
        </section>
        <Alerts system={system.system} />
      </aside>
    </div>
  );
}

/** The map's equal: every node, worst first, with what it needs. */
function NodeTable({ system }: { system: System }) {
  const nodes = [...system.nodes].sort(
    (a, b) =>
      weight(b.status) - weight(a.status) ||
      Number(b.root_cause) - Number(a.root_cause) ||
      a.id.localeCompare(b.id),
  );
  const needs = new Map<string, string[]>();
  for (const { from, to } of system.edges) {
    const list = needs.get(from);
    if (list === undefined) needs.set(from, [to]);
    else list.push(to);
  }
  return (
    <Scroll label="All nodes" class="tall">
      <table class="nodes">
        <thead>
          <tr>
            <th scope="col">state</th>
            <th scope="col">node</th>
            <th scope="col">group · app</th>
            <th scope="col">what is wrong</th>
            <th scope="col">needs</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id}>
              <td>
                <State word={node.status} />
                {node.root_cause && <span class="cause">root cause</span>}
              </td>
              <th scope="row">
                <a href={nodeHref(system.system, node.id)}>{node.id}</a>
              </th>
              <td class="soft">
                {node.group} · {node.app}
              </td>
              <td class="wide">
                {node.status === 'green' ? (
                  <span class="soft">nothing</span>
                ) : (
                  <>
                    {node.text || adviceFor(node).word} <Figures node={node} />
                  </>
                )}
              </td>
              <td class="soft wide">{needsText(needs.get(node.id) ?? [])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function needsText(ids: string[]): string {
  return ids.length <= 4
    ? ids.join(', ')
    : `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more`;
}

function Alerts({ system }: { system: string }) {
  const has = me.value?.has_prometheus ?? false;
  const alerts = usePolled<{ alerts: Alert[] }>(has ? '/api/v1/alerts' : null, kAlertsEveryMs);
  const mine =
    alerts.data?.alerts.filter((alert) => (alert.labels.system ?? system) === system) ?? [];
  return (
    <section class="panel" aria-labelledby="alerts-title">
      <h2 id="alerts-title">Alerts</h2>
      {!has && <Empty>This monitor has no Prometheus (--prometheus): alerts are not shown.</Empty>}
      {has && alerts.error !== null && <Empty>{alerts.error.message}</Empty>}
      {has && alerts.data !== null && mine.length === 0 && (
        <Empty>None is pending or firing.</Empty>
      )}
      {mine.length > 0 && (
        <ul class="alerts">
          {mine.map((alert) => (
            <AlertItem key={`${alert.name}${JSON.stringify(alert.labels)}`} alert={alert} />
          ))}
        </ul>
      )}
    </section>
  );
}

function AlertItem({ alert }: { alert: Alert }) {
  const runbook = runbookIn(alert.runbook) ?? alert.name;
  const isFiring = alert.state === 'firing';
  const word = !isFiring ? 'waiting' : alert.severity === 'critical' ? 'red' : 'yellow';
  return (
    <li>
      <Glyph of={word} size={14} />
      <div>
        <a href={href(['runbook', runbook])}>{alert.name}</a>{' '}
        <span class="soft">
          {alert.severity} · {alert.state} for {age(clock.value - alert.since_ms)}
        </span>
        <p>{alert.summary}</p>
      </div>
    </li>
  );
}
