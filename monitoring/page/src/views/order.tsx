// One order: why it stands where it stands, what happened to it, and what can be done.

import { moment, prettyJson, asText, count } from '../model/format';
import { href } from '../model/route';
import { isFinal, noteText, taskName } from '../model/timeline';
import type { Explanation, Order, OrderEvent, Pipeline, Task } from '../model/types';
import type { Action } from '../state/action';
import { post, withQuery } from '../state/api';
import { clock } from '../state/live';
import { usePolled } from '../state/polled';
import { isOperator } from '../state/session';
import { Ask } from './dialog';
import { Glyph, State } from './glyph';
import { PipelineGraph } from './graph';
import { Fact } from './node';
import { OrderTimeline } from './order_timeline';
import { Empty, Heading, Missing, Scroll } from './parts';

const kOpenEveryMs = 2000;
const kEndedEveryMs = 30_000;

export function OrderView({ id }: { id: string }) {
  const path = `/api/v1/orders/${encodeURIComponent(id)}`;
  const order = usePolled<Order>(path, kOpenEveryMs);
  const shown = order.data;
  const every = shown !== null && isFinal(shown.status) ? kEndedEveryMs : kOpenEveryMs;
  const explain = usePolled<Explanation>(`${path}/explain`, every);
  const graph = usePolled<Pipeline>(
    shown &&
      withQuery(`/api/v1/pipelines/${encodeURIComponent(shown.pipeline)}`, {
        version: String(shown.version),
      }),
    0,
  );
  const again = () => {
    order.again();
    explain.again();
  };
  return (
    <>
      <Heading aside={<a href="#/orders">Orders</a>}>
        Order <span class="mono id">{id}</span>
      </Heading>
      {(shown === null || order.error !== null) && <Missing of={order} what="the order" />}
      {shown !== null && (
        <>
          <Head order={shown} explanation={explain.data} again={again} />
          <div class="order">
            <OrderTimeline order={shown} graph={graph.data?.graph ?? []} />
            <section class="panel" aria-labelledby="graph-title">
              <h2 id="graph-title">
                Pipeline {shown.pipeline} <span class="soft">v{shown.version}</span>
              </h2>
              {graph.data !== null ? (
                <PipelineGraph steps={graph.data.graph} tasks={shown.tasks ?? []} />
              ) : (
                <Missing of={graph} what="the pipeline" />
              )}
            </section>
          </div>
          <Tasks order={shown} again={again} />
          <Events events={shown.events ?? []} />
          <Data order={shown} />
        </>
      )}
    </>
  );
}

function Head(props: { order: Order; explanation: Explanation | null; again: () => void }) {
  const { order, explanation, again } = props;
  const canCancel = isOperator.value && !isFinal(order.status);
  return (
    <section class={`verdict slim status-${order.status}`} aria-label="How it is">
      <div class="badge">
        <Glyph of={order.status} size={32} />
        <span class="word">{order.status}</span>
      </div>
      <div class="body">
        <p class="headline" id="explain">
          {explanation?.sentence ?? '…'}
        </p>
        {explanation !== null && explanation.facts.length > 0 && (
          <details>
            <summary>{count(explanation.facts.length, 'fact')} behind it</summary>
            <ul>
              {explanation.facts.map((fact) => (
                <li key={fact}>{fact}</li>
              ))}
            </ul>
          </details>
        )}
        <dl class="facts">
          <Fact name="accepted" value={moment(order.accepted_at_ms, clock.value)} />
          {order.deadline_at_ms !== undefined && (
            <Fact name="deadline" value={moment(order.deadline_at_ms, clock.value)} />
          )}
          <Fact name="priority" value={order.priority} />
          {order.customer && (
            <Fact
              name="customer"
              value={
                <a href={href(['orders'], { which: 'customer', customer: order.customer })}>
                  {order.customer}
                </a>
              }
            />
          )}
          {order.key && <Fact name="key" value={order.key} />}
        </dl>
        {canCancel && (
          <p class="verbs">
            <Ask isHarmful of={() => cancelAction(order, again)}>
              Cancel order
            </Ask>
          </p>
        )}
      </div>
    </section>
  );
}

function Tasks({ order, again }: { order: Order; again: () => void }) {
  const tasks = order.tasks ?? [];
  return (
    <section class="panel" aria-labelledby="tasks-title">
      <h2 id="tasks-title">Steps</h2>
      {tasks.length === 0 && <Empty>None is known.</Empty>}
      {tasks.length > 0 && (
        <Scroll label="Steps of the order">
          <table>
            <thead>
              <tr>
                <th scope="col">step</th>
                <th scope="col">state</th>
                <th scope="col">queue</th>
                <th scope="col" class="right">
                  attempts
                </th>
                <th scope="col" class="right">
                  failed
                </th>
                <th scope="col">worker</th>
                <th scope="col">why · result</th>
                {isOperator.value && <th scope="col">do</th>}
              </tr>
            </thead>
            <tbody>
              {tasks.map((task) => (
                <tr key={taskName(task)}>
                  <th scope="row">{taskName(task)}</th>
                  <td>
                    <State word={task.state} />
                  </td>
                  <td class="soft">{task.queue}</td>
                  <td class="num right">{task.attempt || ''}</td>
                  <td class="num right">{task.failures || ''}</td>
                  <td>{task.worker}</td>
                  <td class="wide">{task.reason || cut(task.result ?? task.result_hex ?? '')}</td>
                  {isOperator.value && (
                    <td class="verbs">
                      <TaskVerbs order={order} task={task} again={again} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

/** A table's cell shows the beginning; the whole is under the events' details. */
function cut(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)} …` : text;
}

function TaskVerbs({ order, task, again }: { order: Order; task: Task; again: () => void }) {
  if (task.state !== 'parked' && task.state !== 'scheduled') return null;
  const name = taskName(task);
  const isParked = task.state === 'parked';
  return (
    <>
      <Ask label={`Retry ${name}`} of={() => taskAction('retry', order, task, again)}>
        Retry
      </Ask>
      {isParked && (
        <>
          <Ask label={`Skip ${name}`} isHarmful of={() => taskAction('skip', order, task, again)}>
            Skip
          </Ask>
          <Ask label={`Complete ${name}`} of={() => taskAction('complete', order, task, again)}>
            Complete
          </Ask>
        </>
      )}
      {isParked && !task.task_kind && (
        <Ask
          label={`Give up ${name}`}
          isHarmful
          of={() => taskAction('compensate', order, task, again)}
        >
          Give up
        </Ask>
      )}
    </>
  );
}

function cancelAction(order: Order, again: () => void): Action {
  return {
    title: 'Cancel this order?',
    sentence:
      'Steps that have not begun are not run; what runs is told to stop; what was done is undone ' +
      'where the pipeline says how. The order does not come back.',
    verb: 'Cancel order',
    isHarmful: true,
    run: async (why) => {
      await post(`/api/v1/orders/${order.id}/cancel`, { why });
      again();
      return 'The order is being cancelled.';
    },
  };
}

const kTaskVerbs = {
  retry: ['Retry', 'It goes out to a worker again, with all its attempts.'],
  skip: [
    'Skip',
    'It is left out, and the steps after it go on without its result. This cannot be undone.',
  ],
  complete: ['Complete', 'It is recorded as succeeded with the result below; no worker runs it.'],
  compensate: [
    'Give up',
    'The order ends as failed, and what was done is undone where the pipeline says how.',
  ],
} as const;

function taskAction(
  verb: keyof typeof kTaskVerbs,
  order: Order,
  task: Task,
  again: () => void,
): Action {
  const [word, sentence] = kTaskVerbs[verb];
  const name = taskName(task);
  const step = encodeURIComponent((task.task_kind ? '~' : '') + task.step);
  const path = `/api/v1/orders/${order.id}/tasks/${step}/${task.branch ?? 0}`;
  return {
    title: `${word} step ${name}?`,
    sentence,
    verb: `${word} step`,
    isHarmful: verb === 'skip' || verb === 'compensate',
    asksResult: verb === 'complete',
    run: async (why, result) => {
      await post(`${path}/${verb}`, verb === 'complete' ? { why, result } : { why });
      again();
      return `Step ${name}: ${verb} is recorded.`;
    },
  };
}

function Events({ events }: { events: OrderEvent[] }) {
  return (
    <section class="panel" aria-labelledby="events-title">
      <h2 id="events-title">History</h2>
      {events.length === 0 ? (
        <Empty>Nothing has happened yet.</Empty>
      ) : (
        <Scroll label="Events of the order" class="tall">
          <table class="events">
            <thead>
              <tr>
                <th scope="col">when</th>
                <th scope="col">what</th>
                <th scope="col">step</th>
                <th scope="col" class="right">
                  attempt
                </th>
                <th scope="col" class="right">
                  took
                </th>
                <th scope="col">worker · who</th>
                <th scope="col">said</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.seq}>
                  <td class="num">{moment(event.at_ms, clock.value)}</td>
                  <td>
                    {event.kind.replaceAll('_', ' ')}
                    {event.status && <span class="soft"> → {event.status}</span>}
                  </td>
                  <td>{event.step && taskName(event)}</td>
                  <td class="num right">{event.attempt}</td>
                  <td class="num right">{event.ms !== undefined && `${event.ms} ms`}</td>
                  <td>{event.worker}</td>
                  <td class="wide">
                    <Note note={event.note} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function Note({ note }: { note: unknown }) {
  const short = noteText(note);
  const whole = asText(note);
  if (whole === '' || whole === short) return <>{short}</>;
  return (
    <details>
      <summary>{short || 'details'}</summary>
      <pre tabIndex={0}>{whole}</pre>
    </details>
  );
}

function Data({ order }: { order: Order }) {
  const parts: [name: string, text: string][] = [
    ['Payload', order.payload === undefined ? '' : prettyJson(order.payload)],
    ['Payload (bytes)', order.payload_hex ?? ''],
    ['Context', asText(order.context)],
    ['Labels', asText(order.labels)],
  ];
  const given = parts.filter(([, text]) => text !== '');
  if (given.length === 0) return null;
  return (
    <div class="pair">
      {given.map(([name, text]) => (
        <section class="panel" key={name}>
          <h2>{name}</h2>
          <pre tabIndex={0} aria-label={name}>
            {text}
          </pre>
        </section>
      ))}
    </div>
  );
}
