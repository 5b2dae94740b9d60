// The queues: how much waits, how long, who serves them. Those that need a look come first.

import { duration, figure } from '../model/format';
import type { Queue } from '../model/types';
import type { Action } from '../state/action';
import { post } from '../state/api';
import { usePolled } from '../state/polled';
import { isOperator } from '../state/session';
import { Ask } from './dialog';
import { State } from './glyph';
import { Empty, Heading, Missing, Scroll } from './parts';

const kEveryMs = 2000;

export function Queues() {
  const list = usePolled<{ queues: Queue[] }>('/api/v1/queues', kEveryMs);
  const queues = [...(list.data?.queues ?? [])].sort(byName);
  return (
    <>
      <Heading>Queues</Heading>
      <Missing of={list} what="queues" />
      {list.data !== null && queues.length === 0 && (
        <Empty>No pipeline and no worker names a queue.</Empty>
      )}
      {queues.length > 0 && (
        <section class="panel" aria-label="Queues">
          <Scroll label="List of queues">
            <table>
              <thead>
                <tr>
                  <th scope="col">queue</th>
                  <th scope="col">state</th>
                  <th scope="col" class="right">
                    waiting
                  </th>
                  <th scope="col" class="right">
                    backlog
                  </th>
                  <th scope="col" class="right">
                    running
                  </th>
                  <th scope="col" class="right">
                    oldest
                  </th>
                  <th scope="col" class="right">
                    tasks/s
                  </th>
                  <th scope="col" class="right">
                    workers
                  </th>
                  <th scope="col" class="right">
                    slots
                  </th>
                  {isOperator.value && <th scope="col">do</th>}
                </tr>
              </thead>
              <tbody>
                {queues.map((queue) => (
                  <Row key={queue.queue} queue={queue} again={list.again} />
                ))}
              </tbody>
            </table>
          </Scroll>
        </section>
      )}
    </>
  );
}

function Row({ queue, again }: { queue: Queue; again: () => void }) {
  const [word, text] = stateOf(queue);
  return (
    <tr>
      <th scope="row">{queue.queue}</th>
      <td>
        <State word={word}>{text}</State>
      </td>
      <td class="num right">{figure(queue.ready)}</td>
      <td class="num right">{figure(queue.backlog)}</td>
      <td class="num right">{figure(queue.leased)}</td>
      <td class="num right">{queue.oldest_ms > 0 ? duration(queue.oldest_ms) : '–'}</td>
      <td class="num right">{queue.rate_per_s === undefined ? '–' : figure(queue.rate_per_s)}</td>
      <td class="num right">{queue.workers}</td>
      <td class="num right">{queue.slots}</td>
      {isOperator.value && (
        <td class="verbs">
          {queue.paused ? (
            <Ask
              label={`Resume ${queue.queue}`}
              of={() => queueAction('resume', queue.queue, again)}
            >
              Resume
            </Ask>
          ) : (
            <Ask
              label={`Pause ${queue.queue}`}
              isHarmful
              of={() => queueAction('pause', queue.queue, again)}
            >
              Pause
            </Ask>
          )}
        </td>
      )}
    </tr>
  );
}

function stateOf(queue: Queue): [word: string, text: string] {
  if (queue.paused) return ['paused', 'paused'];
  const waiting = queue.ready + queue.backlog;
  if (queue.workers === 0 && waiting > 0) return ['red', 'no worker'];
  if (queue.workers === 0) return ['yellow', 'no worker'];
  if (queue.leased > 0) return ['running', 'busy'];
  return waiting > 0 ? ['waiting', 'waiting'] : ['green', 'idle'];
}

function byName(a: Queue, b: Queue): number {
  return a.queue.localeCompare(b.queue);
}

function queueAction(verb: 'pause' | 'resume', queue: string, again: () => void): Action {
  const isPause = verb === 'pause';
  return {
    title: isPause ? `Pause ${queue}?` : `Resume ${queue}?`,
    sentence: isPause
      ? 'Nothing is handed out from it until somebody resumes it; what runs goes on.'
      : 'Its tasks are handed out again.',
    verb: isPause ? 'Pause queue' : 'Resume queue',
    isHarmful: isPause,
    run: async (why) => {
      await post(`/api/v1/queues/${encodeURIComponent(queue)}/${verb}`, { why });
      again();
      return `Queue ${queue} is ${isPause ? 'paused' : 'resumed'}.`;
    },
  };
}
