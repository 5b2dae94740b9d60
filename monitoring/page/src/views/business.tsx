// Orders a minute, beside yesterday's and last week's at the same time of day.

import { useRef, useState } from 'preact/hooks';
import { pathOf, scaleOf } from '../model/curve';
import { figure, moment } from '../model/format';
import type { Business, Point } from '../model/types';
import { clock } from '../state/live';
import { usePolled } from '../state/polled';
import { me } from '../state/session';
import { useWidth } from '../state/width';
import { Empty, Missing, Scroll } from './parts';

const kEveryMs = 30_000;
const kFrame = { height: 180, left: 40, bottom: 22, top: 8 };
type Name = 'now' | 'yesterday' | 'last_week';
const kNames: [key: Name, label: string][] = [
  ['now', 'now'],
  ['yesterday', 'yesterday'],
  ['last_week', 'last week'],
];

export function BusinessCurve() {
  const has = me.value?.has_prometheus ?? false;
  const business = usePolled<Business>(has ? '/api/v1/business?minutes=60' : null, kEveryMs);
  return (
    <section class="panel" aria-labelledby="business-title">
      <div class="bar">
        <h2 id="business-title">Orders accepted a minute</h2>
        <p class="keys">
          {kNames.map(([key, label]) => (
            <span key={key} class={`key line-${key}`}>
              <svg viewBox="0 0 24 4" width="24" height="4" aria-hidden="true">
                <path d="M0 2h24" />
              </svg>
              {label}
            </span>
          ))}
        </p>
      </div>
      {!has && <Empty>This monitor has no Prometheus (--prometheus): there is no curve.</Empty>}
      {has && <Missing of={business} what="the curve" />}
      {business.data !== null && !isEmpty(business.data) && <Curve data={business.data} />}
      {business.data !== null && isEmpty(business.data) && (
        <Empty>No order has been counted yet.</Empty>
      )}
    </section>
  );
}

function isEmpty(data: Business): boolean {
  return kNames.every(([key]) => data[key].length === 0);
}

function Curve({ data }: { data: Business }) {
  const picture = useRef<SVGSVGElement>(null);
  const width = useWidth(picture, 1000);
  const [near, setNear] = useState<number | null>(null);
  const series = kNames.map(([key]) => data[key]);
  const frame = { ...kFrame, width };
  const scale = scaleOf(series, frame);
  const times = hourMarks(scale.from, scale.to);
  const follow = (event: MouseEvent) => {
    const box = picture.current?.getBoundingClientRect();
    if (box === undefined) return;
    const share = (event.clientX - box.left - kFrame.left) / (width - kFrame.left);
    setNear(scale.from + share * (scale.to - scale.from));
  };
  const at = near === null ? null : nearest(data.now.length > 0 ? data.now : data.yesterday, near);
  return (
    <>
      <svg
        class="curve"
        ref={picture}
        height={kFrame.height}
        role="img"
        aria-label={sentence(data)}
        onMouseMove={follow}
        onMouseLeave={() => setNear(null)}
      >
        {scale.ticks.map((tick) => (
          <g key={tick}>
            <path class="grid" d={`M${kFrame.left} ${scale.y(tick)}H${width}`} />
            <text x={kFrame.left - 8} y={scale.y(tick) + 4} text-anchor="end">
              {figure(tick)}
            </text>
          </g>
        ))}
        {times.map((time) => (
          <text key={time} x={scale.x(time)} y={kFrame.height - 4} text-anchor="middle">
            {clockOf(time)}
          </text>
        ))}
        {[...kNames].reverse().map(([key]) => (
          <path key={key} class={`line-${key}`} d={pathOf(data[key], scale, data.step_s)} />
        ))}
        {at !== null && (
          <path
            class="cursor"
            d={`M${scale.x(at)} ${kFrame.top}V${kFrame.height - kFrame.bottom}`}
          />
        )}
      </svg>
      <p class="readout num">{at === null ? sentence(data) : readout(data, at)}</p>
      <CurveTable data={data} />
    </>
  );
}

function CurveTable({ data }: { data: Business }) {
  const times = [...new Set(kNames.flatMap(([key]) => data[key].map(([at]) => at)))];
  return (
    <details>
      <summary>As a table</summary>
      <Scroll label="Orders a minute as a table" class="short">
        <table>
          <thead>
            <tr>
              <th scope="col">minute</th>
              {kNames.map(([key, label]) => (
                <th key={key} scope="col" class="right">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {times
              .sort((a, b) => b - a)
              .map((time) => (
                <tr key={time}>
                  <td class="num">{clockOf(time)}</td>
                  {kNames.map(([key]) => (
                    <td key={key} class="num right">
                      {valueAt(data[key], time)}
                    </td>
                  ))}
                </tr>
              ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

function hourMarks(from: number, to: number): number[] {
  const marks: number[] = [];
  const every = 600; // ten minutes
  for (let at = Math.ceil((from + 120) / every) * every; at < to - 60; at += every) marks.push(at);
  return marks;
}

function clockOf(seconds: number): string {
  return moment(seconds * 1000, seconds * 1000).slice(0, 5);
}

function nearest(points: Point[], at: number): number | null {
  let found: number | null = null;
  for (const [time] of points) {
    if (found === null || Math.abs(time - at) < Math.abs(found - at)) found = time;
  }
  return found;
}

function valueAt(points: Point[], at: number): string {
  const found = points.find(([time]) => time === at);
  return found === undefined ? '–' : figure(found[1]);
}

function readout(data: Business, at: number): string {
  const parts = kNames.map(([key, label]) => `${label} ${valueAt(data[key], at)}`);
  return `${clockOf(at)}: ${parts.join(' · ')}`;
}

function sentence(data: Business): string {
  const last = data.now[data.now.length - 1];
  if (last === undefined) return 'Nothing is known of now.';
  const [at, value] = last;
  const others = (['yesterday', 'last_week'] as const)
    .filter((key) => data[key].some(([time]) => time === at))
    .map((key) => `${valueAt(data[key], at)} ${key === 'yesterday' ? 'yesterday' : 'last week'}`);
  const beside = others.length > 0 ? ` (${others.join(', ')})` : '';
  return `${figure(value)} orders a minute at ${moment(at * 1000, clock.value)}${beside}`;
}
