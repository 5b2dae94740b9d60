// An order's history as bars: for each task when it waited, when an attempt ran and how that ended.
//
// Source: events say when an attempt ended and how long it took, so a bar is [at - ms, at]; what
// lies
//         between the moment a task could run and its first bar, or between two bars, is waiting.
// Units:  milliseconds since 1970, as the broker's database counts them.

import type { GraphStep, Order, OrderEvent, Task } from './types';

export type BarKind =
  'waiting' | 'running' | 'succeeded' | 'failed' | 'retry' | 'lost' | 'snoozed' | 'parked' | 'late';

export interface Bar {
  kind: BarKind;
  from: number;
  to: number;
  attempt: number;
  worker: string;
  /** What the attempt or the operator said. */
  note: string;
}
export interface Mark {
  at: number;
  kind: string;
  note: string;
}
export interface Row {
  step: string;
  branch: number;
  task_kind?: 'compensate';
  state: string;
  bars: Bar[];
  marks: Mark[];
}
export interface Timeline {
  rows: Row[];
  /** What happened to the whole order: cancellation, missed deadline. */
  marks: Mark[];
  from: number;
  to: number;
}

const kBarOf: Record<string, BarKind> = {
  succeeded: 'succeeded',
  attempt_failed: 'retry',
  failed: 'failed',
  parked: 'failed',
  snoozed: 'snoozed',
  worker_lost: 'lost',
  late_result: 'late',
  cut: 'lost',
};
/** States of a task that has not ended, and what its open bar shows. */
const kOpenBarOf: Record<string, BarKind> = {
  ready: 'waiting',
  backlog: 'waiting',
  scheduled: 'waiting',
  waiting: 'waiting',
  held: 'waiting',
  leased: 'running',
  parked: 'parked',
};
const kFinal = new Set(['succeeded', 'failed', 'cancelled']);

export function isFinal(status: string): boolean {
  return kFinal.has(status);
}

/** A task's name: "ship", "ship #2" of a branch, "~ship" of what undoes it. */
export function taskName(task: {
  step?: string;
  branch?: number;
  task_kind?: 'compensate';
}): string {
  const name = (task.task_kind ? '~' : '') + (task.step ?? '');
  return task.branch ? `${name} #${task.branch}` : name;
}

export function timelineOf(order: Order, graph: GraphStep[], now: number): Timeline {
  const events = [...(order.events ?? [])].sort((a, b) => a.at_ms - b.at_ms || a.seq - b.seq);
  const last = events[events.length - 1]?.at_ms ?? order.accepted_at_ms;
  const end = isFinal(order.status) ? last : Math.max(last, now);
  const marks = events.filter((event) => !event.step && event.kind !== 'ended').map(markOf);
  const opened = openingTimes(order, graph, events);
  const rows = tasksOf(order, events).map((task) => {
    const mine = events.filter((event) => event.step && taskName(event) === taskName(task));
    const from = task.task_kind ? undoFrom(task.step, graph, events) : opened.get(task.step);
    return rowOf(task, mine, from, end);
  });
  return { rows, marks, from: order.accepted_at_ms, to: Math.max(end, order.accepted_at_ms + 1) };
}

/** The tasks that the order names; those that only events speak of are added at their end. */
function tasksOf(order: Order, events: OrderEvent[]): Task[] {
  const tasks = [...(order.tasks ?? [])];
  const known = new Set(tasks.map(taskName));
  for (const event of events) {
    if (!event.step || known.has(taskName(event))) continue;
    known.add(taskName(event));
    const { step, branch, task_kind } = event;
    tasks.push({ step, branch, task_kind, state: event.kind, attempt: 0, failures: 0 });
  }
  return tasks;
}

/** When each step could begin: the acceptance, or when the last step before it was through. */
function openingTimes(
  order: Order,
  graph: GraphStep[],
  events: OrderEvent[],
): Map<string, number | undefined> {
  const through = new Map<string, number>();
  for (const event of events) {
    const kinds = ['succeeded', 'skipped', 'operator_skip', 'operator_complete'];
    const ends = kinds.includes(event.kind) && event.task_kind !== 'compensate';
    if (ends && event.step) through.set(event.step, event.at_ms);
  }
  const opened = new Map<string, number | undefined>();
  for (const { step, after } of graph) {
    const ends = after.map((before) => through.get(before));
    const isOpen = ends.every((at) => at !== undefined);
    opened.set(
      step,
      isOpen ? Math.max(order.accepted_at_ms, ...ends.map((at) => at ?? 0)) : undefined,
    );
  }
  return opened;
}

/** When a step could be undone: nothing ran any more, and the steps after it were undone. */
function undoFrom(step: string, graph: GraphStep[], events: OrderEvent[]): number | undefined {
  const begun = events.findIndex((event) => event.status === 'compensating');
  if (begun < 0) return undefined;
  const later = stepsAfter(step, graph);
  return events
    .slice(begun)
    .filter((event) => !event.step || !event.task_kind || later.has(event.step))
    .filter((event) => event.kind !== 'late_result' && event.kind !== 'ended')
    .reduce((at, event) => Math.max(at, event.at_ms), 0);
}

function stepsAfter(step: string, graph: GraphStep[]): Set<string> {
  const later = new Set<string>();
  const look = (one: string): void => {
    for (const next of graph) {
      if (!next.after.includes(one) || later.has(next.step)) continue;
      later.add(next.step);
      look(next.step);
    }
  };
  look(step);
  return later;
}

function rowOf(task: Task, events: OrderEvent[], opened: number | undefined, end: number): Row {
  const row: Row = {
    step: task.step,
    branch: task.branch ?? 0,
    task_kind: task.task_kind,
    state: task.state,
    bars: [],
    marks: [],
  };
  let free = opened;
  let isParked = false;
  for (const event of events) {
    const kind = kBarOf[event.kind];
    if (kind === undefined) {
      row.marks.push(markOf(event));
    } else {
      const bar = barOf(kind, event, kind === 'late' ? undefined : free);
      if (free !== undefined && kind !== 'late' && bar.from > free) {
        row.bars.push(gap(isParked ? 'parked' : 'waiting', free, bar.from));
      }
      row.bars.push(bar);
      if (kind === 'late') continue;
    }
    if (isParked && kind === undefined && free !== undefined && event.at_ms > free) {
      row.bars.push(gap('parked', free, event.at_ms));
    }
    isParked = event.kind === 'parked';
    free = Math.max(free ?? 0, event.at_ms);
  }
  const open = kOpenBarOf[task.state];
  if (open !== undefined && free !== undefined && end > free) {
    const attempt = open === 'running' ? task.attempt : 0;
    row.bars.push({ ...gap(open, free, end), attempt, worker: task.worker ?? '' });
  }
  return row;
}

function barOf(kind: BarKind, event: OrderEvent, free: number | undefined): Bar {
  const from = Math.max(event.at_ms - (event.ms ?? 0), free ?? 0);
  return {
    kind,
    from: Math.min(from, event.at_ms),
    to: event.at_ms,
    attempt: event.attempt ?? 0,
    worker: event.worker ?? '',
    note: noteText(event.note),
  };
}

function gap(kind: BarKind, from: number, to: number): Bar {
  return { kind, from, to, attempt: 0, worker: '', note: '' };
}

function markOf(event: OrderEvent): Mark {
  return { at: event.at_ms, kind: event.kind, note: noteText(event.note) };
}

/** The part of a note that a person wants first. */
export function noteText(note: unknown): string {
  if (typeof note === 'string') return note;
  if (typeof note !== 'object' || note === null) return '';
  const fields = note as Record<string, unknown>;
  const said: string[] = [];
  if (fields.who) said.push(`by ${String(fields.who)}`);
  if (fields.why) said.push(`“${String(fields.why)}”`);
  if (fields.error) said.push(String(fields.error));
  else if (fields.reason) said.push(String(fields.reason).replaceAll('_', ' '));
  if (fields.delay_ms) said.push(`again in ${String(fields.delay_ms)} ms`);
  return said.join(' · ');
}

/** A stretch of time on the axis; a long one in which nothing happens is cut short. */
export interface Stretch {
  from: number;
  to: number;
  /** Share of the width where it begins and ends, 0 to 1. */
  start: number;
  end: number;
  isCut: boolean;
}

/** What a cut stretch is as wide as, measured by all others together. */
const kCutShare = 0.3;
const kCutsAtMost = 4;

/**
 * The axis. Where one stretch between two events is longer than all others together (an order that
 * was parked overnight), it is cut short, else the attempts beside it could not be seen.
 */
export function axisOf(timeline: Timeline): Stretch[] {
  const moments = new Set([timeline.from, timeline.to]);
  for (const row of timeline.rows) {
    for (const bar of row.bars) moments.add(bar.from).add(bar.to);
    for (const mark of row.marks) moments.add(mark.at);
  }
  for (const mark of timeline.marks) moments.add(mark.at);
  const at = [...moments]
    .filter((t) => t >= timeline.from && t <= timeline.to)
    .sort((a, b) => a - b);
  const spans = at.slice(1).map((to, i) => ({ from: at[i] ?? to, to, weight: to - (at[i] ?? to) }));
  const cut = new Set<object>();
  for (let n = 0; n < kCutsAtMost && spans.length > 1; ++n) {
    const longest = spans.reduce((a, b) => (b.weight > a.weight ? b : a));
    const others = spans.reduce((sum, span) => sum + span.weight, 0) - longest.weight;
    if (longest.weight <= others || cut.has(longest) || others === 0) break;
    longest.weight = others * kCutShare;
    cut.add(longest);
  }
  const total = spans.reduce((sum, span) => sum + span.weight, 0) || 1;
  let start = 0;
  return spans.map((span) => {
    const begin = start;
    start += span.weight / total;
    return { from: span.from, to: span.to, start: begin, end: start, isCut: cut.has(span) };
  });
}

/** Where a moment stands on the axis, 0 to 1. */
export function placeOn(axis: Stretch[], at: number): number {
  for (const span of axis) {
    if (at > span.to) continue;
    if (at <= span.from) return span.start;
    return span.start + ((at - span.from) / (span.to - span.from)) * (span.end - span.start);
  }
  return axis[axis.length - 1]?.end ?? 0;
}
