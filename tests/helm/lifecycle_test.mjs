// A release's life against a stand-in for the API server, with both Helms: install, upgrade, test,
// rollback, uninstall, a migration that fails. It shows what Helm asks for and in which order; no
// pod runs here.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { chart, helms, idOf, scratch } from './chart.mjs';
import { start } from './fake_api.mjs';

const full = path.join(chart, 'ci/full-values.yaml');
const keda = path.join(chart, 'ci/keda-values.yaml');
// The older one waits for ReplicaSets, of which the stand-in makes none.
const waits = { 3: [], 4: ['--wait'] };

async function cluster(major) {
  const api = await start();
  const home = scratch();
  const kubeconfig = path.join(home, 'config');
  fs.writeFileSync(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: api.url } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'shop' } }], users: [{ name: 'u', user: {} }] }));
  const helm = async (...args) => {
    const from = api.log.length;
    const done = await promisify(execFile)(helms[major], [...args, '--kubeconfig', kubeconfig, '-n', 'shop'],
      { env: { PATH: process.env.PATH, HOME: home }, timeout: 120_000 });
    return { ...done, log: api.log.slice(from) };
  };
  return { api, helm };
}

/// Each is in the log, one after the other.
function inOrder(log, ...wanted) {
  let at = -1;
  for (const what of wanted) {
    const next = log.findIndex((line, i) => i > at && what.test(line));
    assert.ok(next > at, `${what} is not there or too early:\n${log.join('\n')}`);
    at = next;
  }
}

const ours = (api) => api.objects().filter((o) => o.kind !== 'Secret').map(idOf).sort();
const secretSize = (api) => Math.max(...api.objects().filter((o) => o.type === 'helm.sh/release.v1')
  .map((o) => JSON.stringify(o).length));

for (const major of Object.keys(helms)) {
  test(`Helm ${major}: a release from install to uninstall`, async () => {
    const { api, helm } = await cluster(major);
    try {
      const installed = await helm('install', 'rel', chart, '-f', full, ...waits[major]);
      assert.match(installed.stdout, /3 broker\(s\), 4 shard\(s\), 1 worker pool/);
      inOrder(installed.log, /(PATCH|POST) networkpolicies\/rel-orders-migrate$/, /(PATCH|POST) jobs\/rel-orders-migrate$/,
        /DELETE jobs\/rel-orders-migrate$/, /(PATCH|POST) statefulsets\/rel-orders-broker$/);
      assert.ok(!ours(api).includes('Pod/rel-orders-test'), 'the test waits for `helm test`');
      assert.ok(!ours(api).includes('Job/rel-orders-migrate'), 'a migration that succeeded goes');
      assert.ok(secretSize(api) < 1 << 20, `the release takes ${secretSize(api)} bytes; a Secret holds 1 MiB`);
      const before = api.objects().find((o) => o.kind === 'StatefulSet');

      const tested = await helm('test', 'rel');
      assert.match(tested.stdout, /Succeeded/);
      inOrder(tested.log, /configmaps\/rel-orders-test$/, /(PATCH|POST) pods\/rel-orders-test$/, /DELETE pods\/rel-orders-test$/);

      const upgraded = await helm('upgrade', 'rel', chart, '-f', full, '--set', 'broker.config.beat=2s', ...waits[major]);
      inOrder(upgraded.log, /jobs\/rel-orders-migrate$/, /DELETE jobs\/rel-orders-migrate$/, /PATCH statefulsets\/rel-orders-broker$/);
      const after = api.objects().find((o) => o.kind === 'StatefulSet');
      const sum = (o) => o.spec.template.metadata.annotations['checksum/config'];
      assert.notEqual(sum(before), sum(after));
      assert.deepEqual(after.spec.selector, before.spec.selector);

      const back = await helm('rollback', 'rel', '1', ...waits[major]);
      assert.ok(!back.log.some((line) => line.includes('-migrate')), 'tables are not migrated back');
      assert.equal(sum(api.objects().find((o) => o.kind === 'StatefulSet')), sum(before));

      await helm('uninstall', 'rel', ...waits[major]);
      assert.deepEqual(ours(api), [], 'nothing is left');
    } finally {
      await api.stop();
    }
  });

  test(`Helm ${major}: where the migration fails nothing is started, and its Job stays for its log`, async () => {
    const { api, helm } = await cluster(major);
    try {
      api.failJobs(true);
      await assert.rejects(helm('install', 'rel', chart, '-f', full, '--timeout', '20s'), /pre-install|BackoffLimitExceeded|failed/);
      assert.deepEqual(ours(api).filter((id) => id.startsWith('StatefulSet')), []);
      assert.ok(ours(api).includes('Job/rel-orders-migrate'));
      api.failJobs(false);
      const again = await helm('upgrade', '--install', 'rel', chart, '-f', full, ...waits[major]);
      inOrder(again.log, /DELETE jobs\/rel-orders-migrate$/, /(PATCH|POST) jobs\/rel-orders-migrate$/, /statefulsets\/rel-orders-broker$/);
    } finally {
      await api.stop();
    }
  });

  test(`Helm ${major}: turning scaling on takes the replicas out of the Deployment`, async () => {
    const { api, helm } = await cluster(major);
    try {
      const pool = () => api.objects().find((o) => idOf(o) === 'Deployment/rel-ordo-worker-mail');
      await helm('install', 'rel', chart, '-f', keda, '--set', 'workerDefaults.keda.enabled=false');
      assert.equal(pool().spec.replicas, 2);
      await helm('upgrade', 'rel', chart, '-f', keda);
      assert.ok(ours(api).includes('ScaledObject/rel-ordo-worker-mail'));
      // A server keeps a field that nobody sets any more; what Helm sent says nothing of it.
      assert.ok(!('replicas' in pool().spec));
    } finally {
      await api.stop();
    }
  });
}

test('the stand-in refuses what a server refuses', async () => {
  const { api, helm } = await cluster(4);
  try {
    const wrong = 'extraObjects=[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"dada":{}}]';
    await assert.rejects(helm('install', 'rel', chart, '-f', keda, '--set-json', wrong), /dada: unknown field/);
  } finally {
    await api.stop();
  }
});
