// What the chart tells the programs, told to the real ones: a broker starts with the configuration,
// keys and modes of files of its pod, and `helm test`'s containers run their order against it. Only
// addresses, paths and the store (memory, for there is no database here) are replaced.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { chart, idOf, render, scratch } from './chart.mjs';

const programs = Object.fromEntries(['ordo', 'ordo-broker', 'ordo-migrate', 'ordo-shop-worker']
  .map((name) => [name, process.env[`PROGRAM_${name.toUpperCase().replaceAll('-', '_')}`]]));
for (const [name, file] of Object.entries(programs)) {
  if (!file || !fs.existsSync(file)) throw new Error(`${name} is not built, or not named in the environment`);
}

const folder = scratch();
const objects = render(path.join(chart, 'ci/full-values.yaml'), { sets: ['--set', 'broker.replicas=1'] });
const find = (id) => objects.find((o) => idOf(o) === id);
const run = (name, args, options = {}) =>
  spawnSync(programs[name], args, { encoding: 'utf8', timeout: 60_000, cwd: folder, ...options });

/// The secrets as docs/kubernetes.md makes them: {name: {entry: text}}.
function makeSecrets() {
  const key = (...args) => {
    const done = run('ordo', ['keys', 'new', ...args]);
    assert.equal(done.status, 0, done.stderr);
  };
  key('--role', 'broker', '--out', 'broker.key');
  key('--role', 'operator', '--name', 'helm-test', '--out', 'operator.key');
  key('--role', 'worker', '--name', 'helm-test-worker', '--queues', 'helm_test', '--out', 'worker.key');
  const texts = (...names) => Object.fromEntries(names.map((n) => [n, fs.readFileSync(path.join(folder, n), 'utf8')]));
  return { 'ordo-keys': texts('ordo.keys', 'broker.key', 'broker.key.pub'), 'ordo-test': texts('operator.key', 'worker.key') };
}

/// Lays a pod's volumes out below a folder, once, as a kubelet would.
function layOut(spec, secrets, root) {
  const put = (volume, file, text, mode) => {
    const at = path.join(root, volume, file);
    fs.mkdirSync(path.dirname(at), { recursive: true });
    // A kubelet's files are root's. Where this is not root they must be the account's alone.
    fs.writeFileSync(at, text, { mode: process.getuid() === 0 ? mode : 0o400 });
  };
  for (const v of spec.volumes) {
    for (const source of v.projected?.sources ?? [v]) {
      const secret = source.secret && secrets[source.secret.name ?? source.secret.secretName];
      const mode = v.projected?.defaultMode ?? v.secret?.defaultMode;
      if (secret) for (const { key, path: to } of source.secret.items) put(v.name, to, secret[key], mode);
    }
    if (v.configMap) {
      for (const [file, text] of Object.entries(find(`ConfigMap/${v.configMap.name}`).data)) put(v.name, file, text, 0o644);
    }
  }
}

/// Path in a container → path below the folder of its pod's volumes.
function pathsOf(container, root) {
  const places = new Map(container.volumeMounts.map((m) => [m.mountPath, path.join(root, m.name, m.subPath ?? '')]));
  return (text) => text.replace(new RegExp([...places.keys()].join('|'), 'g'), (inside) => places.get(inside));
}

function environmentOf(container, here) {
  const plain = (container.env ?? []).filter((e) => e.value !== undefined).map((e) => [e.name, here(e.value)]);
  return { PATH: process.env.PATH, HOME: folder, ...Object.fromEntries(plain) };
}

/// Starts a program; `line` is its first line on stdout.
function begin(name, args, env) {
  const child = spawn(programs[name], args, { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let log = '';
  child.stderr.on('data', (part) => { log += part; });
  const line = new Promise((resolve, reject) => {
    child.stdout.on('data', (part) => {
      out += part;
      if (out.includes('\n')) resolve(out.split('\n')[0]);
    });
    child.on('exit', (code) => reject(new Error(`${name} ended with ${code}: ${log}`)));
  });
  const ended = new Promise((resolve) => { child.on('exit', resolve); });
  return { line, log: () => log, stop: async () => { child.kill('SIGTERM'); return ended; } };
}

test('the broker takes the configuration of its pod, and helm test its way through it', async () => {
  const secrets = makeSecrets();
  const { spec } = find('StatefulSet/rel-orders-broker').spec.template;
  const [container] = spec.containers;
  layOut(spec, secrets, path.join(folder, 'broker'));
  const here = pathsOf(container, path.join(folder, 'broker'));
  const free = '127.0.0.1:0';
  const args = [...container.args.map(here), '--store', 'memory', '--first-shard', '0', '--listen-clients', free, '--listen-workers', free,
    '--listen-http', free, '--keys', here('/etc/ordo/keys/ordo.keys'), '--secret-key-file', here('/etc/ordo/keys/broker.key')];
  const broker = begin('ordo-broker', args, environmentOf(container, here));
  let worker;
  try {
    const endpoints = JSON.parse(await broker.line);
    const pod = find('Pod/rel-orders-test').spec;
    const inits = Object.fromEntries(pod.initContainers.map((c) => [c.name, c]));
    layOut(pod, secrets, path.join(folder, 'test'));
    const told = (c) => {
      const inside = pathsOf(c, path.join(folder, 'test'));
      const addressed = (text) => inside(text).replace(/^tcp:\/\/rel-orders-broker-0[^,]*:7700$/, endpoints.clients)
        .replace(/^tcp:\/\/rel-orders-broker-0[^,]*:7701$/, endpoints.workers);
      return { name: c.command[0], args: c.command.slice(1).map(inside), env: environmentOf(c, addressed) };
    };
    const applied = told(inits.pipeline);
    const stored = run(applied.name, applied.args, { env: applied.env });
    assert.equal(stored.status, 0, stored.stderr);
    const again = run(applied.name, applied.args, { env: applied.env });
    assert.equal(again.status, 0, `a second test: ${again.stderr}`);
    const side = told(inits.worker);
    assert.equal(inits.worker.restartPolicy, 'Always');
    worker = begin(side.name, side.args, side.env);
    worker.line.catch(() => {});
    const submit = told(pod.containers[0]);
    const order = run(submit.name, submit.args, { env: submit.env });
    assert.equal(order.status, 0, `${order.stdout}${order.stderr}\nworker: ${worker.log()}`);
    assert.match(order.stdout, /succeeded/);
    assert.equal(await worker.stop(), 0);
    worker = null;
    // Without the worker there is nobody: the test's verdict is the order's.
    const alone = run(submit.name, submit.args, { env: { ...submit.env, ORDO_TIMEOUT: '1s' } });
    assert.equal(alone.status, 5, alone.stdout + alone.stderr);
    assert.equal(await broker.stop(), 0);
  } finally {
    await worker?.stop();
    await broker.stop();
  }
});

test('the broker reads every setting of its config map as it was meant', () => {
  const file = path.join(folder, 'broker.conf');
  fs.writeFileSync(file, find('ConfigMap/rel-orders-broker').data['broker.conf']);
  const done = run('ordo-broker', ['--config', file, '--print-config'], { env: { PATH: process.env.PATH } });
  assert.equal(done.status, 0, done.stderr);
  for (const line of ['system = shop', 'shards = 4', 'first-shard = 2', 'window-tasks = 1000000', 'waiting-orders = 1000000000000',
    'health-oldest = 5m', 'drain = 20s', 'log-format = text', 'open-http = true']) {
    assert.match(done.stdout, new RegExp(`^# from ${file}:\\d+\n${line}$`, 'm'));
  }
});

test('the migration knows its flags', () => {
  const [container] = find('Job/rel-orders-migrate').spec.template.spec.containers;
  const done = run('ordo-migrate', container.args, { env: { ORDO_DATABASE: 'host=127.0.0.1 port=1' } });
  assert.equal(done.status, 69, `cannot be reached, and nothing else is wrong: ${done.stderr}`);
});

test('the monitor knows its flags', { skip: !process.env.PROGRAM_ORDO_MONITOR && 'this tree has no ordo-monitor' }, () => {
  const [container] = find('Deployment/rel-orders-monitor').spec.template.spec.containers;
  const { stdout } = spawnSync(process.env.PROGRAM_ORDO_MONITOR, ['--help'], { encoding: 'utf8' });
  for (const flag of container.args) assert.ok(stdout.includes(flag.split('=')[0]), `${flag} is no flag of ordo-monitor`);
});

test('a pool\'s environment is what a worker takes', () => {
  const [container] = find('Deployment/rel-orders-worker-shop').spec.template.spec.containers;
  const names = container.env.map((e) => e.name).filter((n) => n.startsWith('ORDO_'));
  const { stdout } = run('ordo-shop-worker', ['--help']);
  for (const name of names) assert.ok(stdout.includes(name), `${name} is no variable of a worker`);
});
