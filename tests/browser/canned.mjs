// Canned answers of the monitor's API, for what is hard to bring about with real programs: two
// hundred nodes, every colour at once, orders in every state. The shapes are those of
// docs/monitor.md; the walk (walk.test.mjs) holds the page against the real ones.

const kSecond = 1000;
const kMinute = 60 * kSecond;

function node(type, name, more = {}) {
  const group = { broker: 'brokers', dependency: 'dependencies' }[type] ?? `${type}s`;
  const app = type === 'broker' || type === 'shard' ? type : name;
  const base = { app, group, id: `${type}/${name}`, interface: '', node: name, reason: 'none' };
  const state = {
    root_cause: false,
    since_ms: Date.now() - 47 * kMinute,
    status: 'green',
    text: '',
    type,
  };
  return { ...base, ...state, ...more };
}

const kSteps = [
  'address_check',
  'complete',
  'coupon_confirm',
  'coupon_reserve',
  'invoice_request',
  'ledger_post',
  'notify_user',
  'payment',
  'price_snapshot',
  'risk_check',
  'serial_allocate',
  'settle_notify',
  'stock_confirm',
  'stock_reserve',
  'user_profile',
  'wms_dispatch',
];

/** A shop of two brokers, four shards, sixteen queues, `each` workers for each of four pools. */
export function shop(each = 5, now = Date.now()) {
  const pools = { catalogue: 0, stock: 4, money: 8, parcels: 12 };
  const nodes = [node('broker', 'ordo-0'), node('broker', 'ordo-1')];
  for (const shard of ['0', '1', '2', '3']) nodes.push(node('shard', shard));
  for (const step of kSteps) nodes.push(node('queue', step));
  const edges = [];
  for (const { id, type } of nodes) {
    if (type === 'shard' || type === 'queue') {
      edges.push({ from: 'broker/ordo-0', to: id }, { from: 'broker/ordo-1', to: id });
    }
  }
  for (const [pool, first] of Object.entries(pools)) {
    for (let i = 1; i <= each; ++i) {
      nodes.push(node('worker', `${pool}-${i}`, { app: pool }));
      for (const step of kSteps.slice(first, first + 4)) {
        edges.push({ from: `queue/${step}`, to: `worker/${pool}-${i}` });
      }
    }
  }
  return { system: 'shop', status: 'green', at_ms: now, nodes, edges };
}

function set(system, id, more) {
  Object.assign(
    system.nodes.find((each) => each.id === id),
    more,
  );
}

/** The payment queue has nobody: it is red, and with it the brokers that need it. */
export function sickShop(each = 5, now = Date.now()) {
  const system = { ...shop(each, now), status: 'red' };
  const at = now - 2 * kMinute;
  set(system, 'queue/payment', {
    status: 'red',
    reason: 'no_worker',
    text: 'No worker serves it; 137 tasks wait.',
    root_cause: true,
    value: 137,
    normal: 0,
    unit: 'tasks',
    since_ms: at,
  });
  system.edges = system.edges.filter((edge) => edge.from !== 'queue/payment');
  for (const broker of ['ordo-0', 'ordo-1']) {
    set(system, `broker/${broker}`, {
      status: 'red',
      reason: 'errors',
      interface: 'submit',
      since_ms: at + 9 * kSecond,
      text: '31 of 408 calls failed within 3 s (normal: none).',
      value: 31,
      normal: 0,
      unit: 'calls',
    });
  }
  set(system, 'worker/parcels-2', {
    status: 'yellow',
    reason: 'slow',
    interface: '3c.wms_dispatch',
    since_ms: now - 41 * kSecond,
    text: 'Takes 2.9 s on average (normal: 0.41 s).',
    value: 2.9,
    normal: 0.41,
    unit: 'seconds',
  });
  set(system, 'queue/invoice_request', {
    status: 'yellow',
    reason: 'paused',
    text: 'An operator has paused it; 12 tasks wait.',
    since_ms: now - 26 * kMinute,
  });
  return system;
}

/** Every colour at once, and a broker that cannot be asked. */
export function mixedSystem(now = Date.now()) {
  const system = { ...shop(2, now), system: 'returns', status: 'red' };
  set(system, 'broker/ordo-1', {
    status: 'red',
    reason: 'unreachable',
    text: 'It cannot be asked: connection refused.',
    root_cause: true,
    since_ms: now - 12 * kSecond,
  });
  set(system, 'shard/3', {
    status: 'unknown',
    reason: 'stale',
    text: 'Last seen 14 s ago.',
    since_ms: now - 8 * kSecond,
  });
  set(system, 'shard/1', {
    status: 'red',
    reason: 'probe_failed',
    interface: 'probe',
    root_cause: true,
    text: 'A write and read of its database failed: could not connect to server.',
    since_ms: now - 9000,
  });
  set(system, 'broker/ordo-0', {
    status: 'red',
    reason: 'errors',
    interface: 'submit',
    text: '9 of 20 calls failed within 3 s.',
    value: 9,
    normal: 0,
    unit: 'calls',
    since_ms: now - 6000,
  });
  return system;
}

export function healthOf(systems, now = Date.now()) {
  const sources = systems.flatMap((system) =>
    system.nodes
      .filter((each) => each.type === 'broker')
      .map((each, i) => ({
        url: `http://127.0.0.1:${7780 + 10 * i}`,
        broker: each.node,
        system: system.system,
        age_ms: each.reason === 'unreachable' ? 12_000 : 400 + 100 * i,
        error: each.reason === 'unreachable' ? 'connection refused' : '',
      })),
  );
  return { at_ms: now, systems, sources };
}

const kGraph = [
  ['price_snapshot', []],
  ['user_profile', []],
  ['address_check', []],
  ['risk_check', ['price_snapshot', 'user_profile', 'address_check']],
  ['stock_reserve', ['risk_check']],
  ['coupon_reserve', ['risk_check']],
  ['payment', ['stock_reserve', 'coupon_reserve']],
  ['ledger_post', ['payment']],
  ['stock_confirm', ['ledger_post']],
  ['serial_allocate', ['stock_confirm']],
  ['coupon_confirm', ['ledger_post']],
  ['wms_dispatch', ['serial_allocate', 'coupon_confirm']],
  ['complete', ['wms_dispatch']],
  ['settle_notify', ['complete']],
  ['invoice_request', ['complete']],
  ['notify_user', ['complete']],
];
export const pipeline = {
  pipeline: '3c',
  version: 1,
  source: 'pipeline: 3c\n',
  graph: kGraph.map(([step, after]) => ({
    step,
    after,
    queue: step,
    optional: false,
    async: false,
    compensate: false,
  })),
};

export const kParkedId = '019a1b2c-3d4e-7f60-8a1b-2c3d4e5f6071';

/** An order whose payment failed five times: parked; as "succeeded": retried by an operator. */
export function order(status = 'parked', now = Date.now()) {
  const at = now - 9 * kMinute;
  let seq = 100;
  const events = [];
  const add = (offset, kind, more) =>
    events.push({ seq: ++seq, at_ms: at + offset, kind, ...more });
  const ok = (offset, step, ms, worker) =>
    add(offset, 'succeeded', { step, attempt: 1, worker, ms });
  ok(31, 'price_snapshot', 22, 'catalogue-1');
  ok(44, 'user_profile', 31, 'catalogue-2');
  ok(83, 'address_check', 61, 'catalogue-1');
  ok(120, 'risk_check', 28, 'stock-1');
  ok(171, 'stock_reserve', 40, 'stock-3');
  add(420, 'worker_lost', {
    step: 'coupon_reserve',
    attempt: 1,
    worker: 'stock-2',
    ms: 290,
    note: { reason: 'worker_lost', error: 'silent for 3 s' },
  });
  add(520, 'succeeded', { step: 'coupon_reserve', attempt: 2, worker: 'stock-1', ms: 35 });
  add(610, 'late_result', {
    step: 'coupon_reserve',
    attempt: 1,
    worker: 'stock-2',
    note: { reason: 'stale', outcome: 'succeeded' },
  });
  for (let i = 1; i <= 5; ++i) {
    add(700 + i * i * 420, i === 5 ? 'parked' : 'attempt_failed', {
      step: 'payment',
      attempt: i,
      worker: `money-${1 + (i % 3)}`,
      ms: 180 + 20 * i,
      ...(i === 5 ? { status: 'parked' } : {}),
      note: { error: 'bank answered 503', reason: i === 5 ? 'exhausted' : 'transient' },
    });
  }
  const isDone = status === 'succeeded';
  if (isDone) {
    const late = now - at - 2000;
    add(late, 'operator_retry', { step: 'payment', note: { who: 'ann', why: 'the bank is back' } });
    kGraph.slice(6).forEach(([step], i) =>
      add(late + 200 + i * 90, 'succeeded', {
        step,
        attempt: step === 'payment' ? 6 : 1,
        worker: 'money-1',
        ms: 80,
        ...(step === 'notify_user' ? { status: 'succeeded' } : {}),
      }),
    );
  }
  const done = new Set(events.filter((e) => e.kind === 'succeeded').map((e) => e.step));
  const tasks = kGraph.map(([step]) => ({
    step,
    queue: step,
    attempt: done.has(step) ? 1 : 0,
    failures: 0,
    state: done.has(step) ? 'succeeded' : 'pending',
    ...(done.has(step) ? { result: '{"ok":true}' } : {}),
  }));
  if (!isDone) {
    Object.assign(
      tasks.find((task) => task.step === 'payment'),
      {
        state: 'parked',
        attempt: 5,
        failures: 5,
        reason: 'exhausted: bank answered 503',
      },
    );
  }
  return {
    id: kParkedId,
    pipeline: '3c',
    version: 1,
    status,
    priority: 5,
    accepted_at_ms: at,
    deadline_at_ms: at + 6 * 60 * kMinute,
    key: 'cart-90211',
    customer: 'c42',
    labels: { shop: 'main' },
    context: { amount: 129.9, level: 'gold' },
    payload: '{"sku":"phone-7","count":1,"address":"1 Main Street"}',
    tasks,
    events,
  };
}

const kStates = ['running', 'succeeded', 'parked', 'failed', 'cancelled', 'succeeded', 'running'];
/** Page `page` of three, fifty orders each. */
export function orders(which, page = 0, now = Date.now()) {
  const list = [];
  for (let i = 0; i < 50; ++i) {
    const at = page * 50 + i;
    const state = which === 'parked' ? 'parked' : which === 'open' ? 'running' : kStates[at % 7];
    const id = at === 2 ? kParkedId : `019a1b2c-3d4e-7f60-8a1b-${String(100000000000 + at * 7919)}`;
    list.push({
      id,
      pipeline: at % 3 ? '3c' : 'digital',
      version: 1,
      status: state,
      priority: 5,
      accepted_at_ms: now - at * 7300,
      customer: `c${40 + (at % 9)}`,
      key: `cart-${90211 + at}`,
    });
  }
  return { orders: list, after: String(page + 1), is_last: page === 2 };
}

export const parked = () => ({
  groups: [
    {
      pipeline: '3c',
      step: 'payment',
      error: 'bank answered 503',
      count: 37,
      oldest_ms: 9 * kMinute,
      first: kParkedId,
    },
    {
      pipeline: '3c',
      step: 'wms_dispatch',
      error: 'parcel_lost',
      count: 3,
      oldest_ms: 44 * kMinute,
      first: kParkedId,
    },
    {
      pipeline: 'digital',
      step: 'code_issue',
      error: '',
      count: 1,
      oldest_ms: 3 * 60 * kMinute,
      first: kParkedId,
    },
  ],
  looked_at: 41,
  is_all: true,
});

export const queues = () => ({
  queues: kSteps.map((queue, i) => ({
    queue,
    paused: queue === 'invoice_request',
    ready: queue === 'payment' ? 137 : i % 4,
    leased: queue === 'payment' ? 0 : i % 3,
    backlog: queue === 'payment' ? 1204 : 0,
    workers: queue === 'payment' ? 0 : 5,
    slots: queue === 'payment' ? 0 : 40,
    oldest_ms: queue === 'payment' ? 131_000 : (i % 4) * 12,
    rate_per_s: queue === 'payment' ? 0 : 11.7 + i,
  })),
});

export const workers = () => ({
  workers: ['catalogue', 'stock', 'money', 'parcels'].flatMap((pool, p) =>
    [1, 2, 3, 4, 5].map((i) => ({
      name: `${pool}-${i}`,
      version: '0.1.0',
      queues: kSteps.slice(p * 4, p * 4 + 4),
      slots: 8,
      used: (p * 3 + i * 2) % 9,
      silent_ms: pool === 'stock' && i === 2 ? 4200 : 300 + i * 70,
      draining: pool === 'parcels' && i === 5,
    })),
  ),
});

export function history(now = Date.now()) {
  const end = Math.floor(now / 15_000) * 15;
  const health = [];
  for (let i = 240; i >= 0; --i) {
    const value = i <= 8 ? 2 : i <= 11 ? 1 : i > 150 && i < 158 ? 1 : i >= 200 && i < 204 ? -1 : 0;
    health.push([end - i * 15, value]);
  }
  const bad = health.filter(([, value]) => value > 0).map(([at]) => at);
  return { step_s: 15, health, reasons: [{ reason: 'no_worker', points: bad }] };
}

export function business(now = Date.now()) {
  const end = Math.floor(now / 60_000) * 60;
  const curve = (base, wave, dip) =>
    Array.from({ length: 60 }, (_, i) => {
      const value = base + wave * Math.sin(i / 9) + 14 * Math.sin(i * 1.7) + 9 * Math.cos(i * 2.9);
      return [end - (59 - i) * 60, Math.max(0, Math.round(value - (i > 57 ? dip * (i - 57) : 0)))];
    });
  return {
    step_s: 60,
    now: curve(420, 60, 90),
    yesterday: curve(400, 55, 0),
    last_week: curve(368, 70, 0),
  };
}

export const alerts = (now = Date.now()) => ({
  alerts: [
    {
      name: 'OrdoQueueDown',
      severity: 'critical',
      state: 'firing',
      since_ms: now - 110 * kSecond,
      summary: 'Queue payment of shop is red: no_worker',
      description: '',
      runbook: 'docs/runbooks/OrdoQueueDown.md',
      labels: { system: 'shop', node: 'payment', role: 'cause' },
    },
    {
      name: 'OrdoTasksParked',
      severity: 'warning',
      state: 'pending',
      since_ms: now - 30 * kSecond,
      summary: '37 tasks of 3c.payment were parked within 15 minutes',
      description: '',
      runbook: 'docs/runbooks/OrdoTasksParked.md',
      labels: { system: 'shop' },
    },
  ],
});
