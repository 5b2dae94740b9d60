// An order's steps as bars over time. The events beneath say the same as a table.

import { duration, moment } from '../model/format';
import {
  axisOf,
  placeOn,
  taskName,
  timelineOf,
  type Bar,
  type Mark,
  type Row,
  type Stretch,
} from '../model/timeline';
import type { GraphStep, Order } from '../model/types';
import { clock } from '../state/live';
import { Glyph } from './glyph';

const kWords: Record<Bar['kind'], string> = {
  waiting: 'waited',
  running: 'runs',
  succeeded: 'succeeded',
  failed: 'failed for the last time',
  retry: 'failed, tried again',
  lost: 'worker lost',
  snoozed: 'asked to be called later',
  parked: 'waits for an operator',
  late: 'late result, refused',
};

export function OrderTimeline({ order, graph }: { order: Order; graph: GraphStep[] }) {
  const timeline = timelineOf(order, graph, clock.value);
  const axis = axisOf(timeline);
  const kinds = new Set(timeline.rows.flatMap((row) => row.bars.map((bar) => bar.kind)));
  return (
    <section class="panel timeline" aria-labelledby="timeline-title">
      <div class="bar">
        <h2 id="timeline-title">
          Timeline{' '}
          <span class="soft">
            {duration(timeline.to - timeline.from)} from {moment(timeline.from, clock.value)}
          </span>
        </h2>
        <p class="keys">
          {[...kinds].map((kind) => (
            <span key={kind} class="key">
              <span class={`bar-key ${kind}`} aria-hidden="true" />
              {kWords[kind]}
            </span>
          ))}
        </p>
      </div>
      <ol>
        {timeline.rows.map((row) => (
          <TimelineRow
            key={taskName(row)}
            row={row}
            axis={axis}
            start={timeline.from}
          />
        ))}
      </ol>
      <Axis axis={axis} marks={timeline.marks} />
    </section>
  );
}

function TimelineRow({ row, axis, start }: { row: Row; axis: Stretch[]; start: number }) {
  const name = taskName(row);
  return (
    <li>
      <span class="step" title={name}>
        <Glyph of={row.state} size={14} />
        {name}
      </span>
      <span class="lane">
        {row.bars.map((bar, i) => {
          const from = placeOn(axis, bar.from);
          const text = barText(bar, start);
          return (
            <span
              key={i}
              class={`tl ${bar.kind}`}
              role="img"
              aria-label={text}
              title={text}
              style={{ left: percent(from), width: percent(placeOn(axis, bar.to) - from) }}
            />
          );
        })}
        {row.marks.map((mark, i) => (
          <Pin key={i} mark={mark} axis={axis} />
        ))}
      </span>
    </li>
  );
}

function Pin({ mark, axis }: { mark: Mark; axis: Stretch[] }) {
  const what = `${mark.kind.replaceAll('_', ' ')} at ${moment(mark.at, clock.value)}`;
  const text = mark.note ? `${what}: ${mark.note}` : what;
  return (
    <span
      class="pin"
      role="img"
      aria-label={text}
      title={text}
      style={{ left: percent(placeOn(axis, mark.at)) }}
    />
  );
}

function Axis({ axis, marks }: { axis: Stretch[]; marks: Mark[] }) {
  return (
    <div class="ruler">
      <span />
      <span class="lane">
        {axis
          .filter((span) => span.isCut)
          .map((span) => (
            <span
              key={span.from}
              class="cut"
              style={{ left: percent(span.start), width: percent(span.end - span.start) }}
            >
              … {duration(span.to - span.from)} …
            </span>
          ))}
        {marks.map((mark, i) => (
          <Pin key={i} mark={mark} axis={axis} />
        ))}
      </span>
    </div>
  );
}

function percent(share: number): string {
  return `${(Math.max(0, Math.min(1, share)) * 100).toFixed(3)}%`;
}

function barText(bar: Bar, start: number): string {
  const parts = [
    bar.attempt > 0 ? `attempt ${bar.attempt} ${kWords[bar.kind]}` : kWords[bar.kind],
    `${duration(bar.to - bar.from)}, from +${duration(bar.from - start)}`,
  ];
  if (bar.worker) parts.push(bar.worker);
  if (bar.note) parts.push(bar.note);
  return parts.join(' · ');
}
