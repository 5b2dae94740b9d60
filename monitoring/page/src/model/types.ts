// What the monitor's API answers (docs/monitor.md), as types. Nothing here is checked at run time:
// the page and the monitor are of one build.

export type Colour = 'green' | 'yellow' | 'red' | 'unknown';

export interface HealthNode {
  id: string;
  group: string;
  app: string;
  node: string;
  type: string;
  status: Colour;
  reason: string;
  interface: string;
  text: string;
  value?: number;
  normal?: number;
  unit?: string;
  since_ms: number;
  root_cause: boolean;
}
/** Points from who needs to what is needed. */
export interface Edge {
  from: string;
  to: string;
}
export interface System {
  system: string;
  status: Colour;
  at_ms: number;
  nodes: HealthNode[];
  edges: Edge[];
}
export interface Source {
  url: string;
  broker: string;
  system: string;
  age_ms: number;
  error: string | null;
}
export interface Health {
  at_ms: number;
  systems: System[];
  sources: Source[];
}

export interface Me {
  name: string;
  role: 'observer' | 'operator';
  version: string;
  system: string;
  has_prometheus: boolean;
}

export interface Task {
  step: string;
  /** Of what undoes the step; absent of the step itself. */
  task_kind?: 'compensate';
  state: string;
  branch?: number;
  queue?: string;
  attempt: number;
  failures: number;
  worker?: string;
  run_in_ms?: number;
  reason?: string;
  result?: string;
  result_hex?: string;
}
export interface OrderEvent {
  seq: number;
  at_ms: number;
  kind: string;
  status?: string;
  step?: string;
  task_kind?: 'compensate';
  branch?: number;
  attempt?: number;
  worker?: string;
  ms?: number;
  note?: unknown;
  detail_bytes?: number;
}
export interface Order {
  id: string;
  pipeline: string;
  version: number;
  status: string;
  priority: number;
  accepted_at_ms: number;
  deadline_at_ms?: number;
  key?: string;
  customer?: string;
  labels?: unknown;
  context?: unknown;
  payload?: string;
  payload_hex?: string;
  tasks?: Task[];
  events?: OrderEvent[];
}
export interface OrderList {
  orders: Order[];
  after: string;
  is_last: boolean;
}
export interface Explanation {
  sentence: string;
  facts: string[];
}
export interface ParkedGroup {
  pipeline: string;
  step: string;
  error: string;
  count: number;
  /** How long ago the oldest was accepted. */
  oldest_ms: number;
  first: string;
}
export interface ParkedList {
  groups: ParkedGroup[];
  looked_at: number;
  is_all: boolean;
}
export interface Queue {
  queue: string;
  paused: boolean;
  ready: number;
  leased: number;
  backlog: number;
  workers: number;
  slots: number;
  oldest_ms: number;
  rate_per_s?: number;
}
export interface Worker {
  name: string;
  version: string;
  queues: string[];
  slots: number;
  used: number;
  silent_ms: number;
  draining: boolean;
  /** Slots whose handler does not come back. */
  hung?: number;
}
export interface GraphStep {
  step: string;
  after: string[];
  queue: string;
  optional: boolean;
  async: boolean;
  compensate: boolean;
}
export interface Pipeline {
  pipeline: string;
  version: number;
  source?: string;
  graph: GraphStep[];
}
/** One moment and its figure; the moment in seconds since 1970. */
export type Point = [number, number];
export interface History {
  step_s: number;
  health: Point[];
  reasons: { reason: string; points: number[] }[];
}
export interface Business {
  step_s: number;
  now: Point[];
  yesterday: Point[];
  last_week: Point[];
}
export interface Alert {
  name: string;
  severity: string;
  state: string;
  since_ms: number;
  summary: string;
  description: string;
  runbook: string;
  labels: Record<string, string>;
}
export interface BulkAnswer {
  matched: number;
  done: number;
  failed: { id: string; step: string; error: string }[];
  dry_run: boolean;
}
