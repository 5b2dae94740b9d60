// The workers: how busy, last heard of, what they serve.

import { duration, listing } from '../model/format';
import type { Worker } from '../model/types';
import { usePolled } from '../state/polled';
import { State } from './glyph';
import { Empty, Heading, Missing, Scroll } from './parts';

const kEveryMs = 2000;
/** Two beats, as docs/health.md has it. */
const kQuietMs = 2000;

export function Workers() {
  const list = usePolled<{ workers: Worker[] }>('/api/v1/workers', kEveryMs);
  const workers = [...(list.data?.workers ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <>
      <Heading>Workers</Heading>
      <Missing of={list} what="workers" />
      {list.data !== null && workers.length === 0 && <Empty>No worker is connected.</Empty>}
      {workers.length > 0 && (
        <section class="panel" aria-label="Workers">
          <Scroll label="List of workers">
            <table>
              <thead>
                <tr>
                  <th scope="col">worker</th>
                  <th scope="col">state</th>
                  <th scope="col">slots in use</th>
                  <th scope="col" class="right">
                    last beat
                  </th>
                  <th scope="col">version</th>
                  <th scope="col">queues</th>
                </tr>
              </thead>
              <tbody>
                {workers.map((worker) => (
                  <Row key={worker.name} worker={worker} />
                ))}
              </tbody>
            </table>
          </Scroll>
        </section>
      )}
    </>
  );
}

function Row({ worker }: { worker: Worker }) {
  const [word, text] = stateOf(worker);
  const share = worker.slots > 0 ? worker.used / worker.slots : 0;
  return (
    <tr>
      <th scope="row">{worker.name}</th>
      <td>
        <State word={word}>{text}</State>
      </td>
      <td>
        <span class="gauge" aria-hidden="true">
          <span style={{ width: `${Math.min(100, share * 100)}%` }} />
        </span>
        <span class="num">
          {worker.used} of {worker.slots}
        </span>
      </td>
      <td class="num right">{duration(worker.silent_ms)} ago</td>
      <td class="soft">{worker.version}</td>
      <td class="wide" title={worker.queues.join(', ')}>
        {listing(worker.queues, 6)}
      </td>
    </tr>
  );
}

function stateOf(worker: Worker): [word: string, text: string] {
  if (worker.hung) return [worker.hung >= worker.slots ? 'red' : 'yellow', `${worker.hung} hung`];
  if (worker.silent_ms > kQuietMs) return ['yellow', 'quiet'];
  if (worker.draining) return ['draining', 'draining'];
  return worker.used > 0 ? ['running', 'busy'] : ['green', 'idle'];
}
