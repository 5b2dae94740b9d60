// The maths of a curve: a round scale, and points as the path of an SVG. Pure.

import type { Point } from './types';

/** The smallest of 1, 2, 5 times a power of ten that leaves at most `ticks` steps up to `max`. */
export function niceStep(max: number, ticks = 4): number {
  const raw = Math.max(max, 1e-9) / ticks;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = [1, 2, 5, 10].find((f) => f * power >= raw - 1e-12) ?? 10;
  return factor * power;
}

export interface Scale {
  x: (seconds: number) => number;
  y: (value: number) => number;
  ticks: number[];
  from: number;
  to: number;
}

export interface Frame {
  width: number;
  height: number;
  left: number;
  bottom: number;
  top: number;
}

export function scaleOf(series: Point[][], frame: Frame): Scale {
  const all = series.flat();
  const times = all.map(([at]) => at);
  const from = Math.min(...times);
  const to = Math.max(...times, from + 1);
  const step = niceStep(Math.max(...all.map(([, value]) => value), 1));
  const top = Math.ceil(Math.max(...all.map(([, value]) => value), 1) / step - 1e-9) * step;
  const ticks: number[] = [];
  for (let at = 0; at <= top + step / 2; at += step) ticks.push(at);
  const x = (at: number) => frame.left + ((at - from) / (to - from)) * (frame.width - frame.left);
  const inner = frame.height - frame.bottom - frame.top;
  const y = (value: number) => frame.top + inner - (value / top) * inner;
  return { x, y, ticks, from, to };
}

/** A gap of more than two steps breaks the line: what is not known is not drawn. */
export function pathOf(points: Point[], scale: Scale, step: number): string {
  let path = '';
  let last = -Infinity;
  for (const [at, value] of points) {
    const isFirst = at - last > 2 * step + 1e-6;
    path += `${isFirst ? 'M' : 'L'}${scale.x(at).toFixed(1)} ${scale.y(value).toFixed(1)}`;
    if (isFirst) path += 'h0'; // with round ends: a dot, also where nothing follows
    last = at;
  }
  return path;
}

/** Neighbouring points of one figure as spans: [from, to, figure]. */
export function spansOf(points: Point[], step: number): [number, number, number][] {
  const spans: [number, number, number][] = [];
  for (const [at, value] of points) {
    const last = spans[spans.length - 1];
    if (last !== undefined && last[2] === value && at - last[1] <= step + 1e-6) last[1] = at + step;
    else spans.push([at, at + step, value]);
  }
  return spans;
}
