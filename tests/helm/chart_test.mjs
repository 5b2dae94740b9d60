// Every file of helm/ordo/ci through both Helms, the strict check of each object and what no schema
// says; each checker also on an object that it must flag.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { caseFiles, chart, containersOf, helm, helms, idOf, isHook, render, run, scratch } from './chart.mjs';
import { problemsOf } from './k8s_schema.mjs';
import { problemsIn } from './semantics.mjs';
import { stringify } from 'yaml';

const nameOf = (file) => path.basename(file, '-values.yaml');
const caseOf = (name) => path.join(chart, 'ci', `${name}-values.yaml`);
const find = (objects, id) => objects.find((o) => idOf(o) === id) ?? assert.fail(`no ${id}`);
const envOf = (container) => Object.fromEntries(container.env.map((e) => [e.name, e.value ?? e.valueFrom]));

for (const major of Object.keys(helms)) {
  test(`Helm ${major} is what it says`, () => {
    assert.match(helm(major, ['version', '--short']).stdout, new RegExp(`^v${major}\\.`));
  });
  test(`Helm ${major} lints the chart`, () => {
    for (const file of caseFiles) {
      const done = helm(major, ['lint', '--strict', chart, '-f', file]);
      assert.equal(done.status, 0, `${nameOf(file)}: ${done.stdout}${done.stderr}`);
    }
  });
}

for (const file of caseFiles) {
  test(`${nameOf(file)}: both Helms make the same objects, and all are valid`, async () => {
    const objects = render(file);
    assert.deepEqual(render(file, { major: 3 }), objects);
    assert.ok(objects.length > 5);
    for (const o of objects) assert.deepEqual(await problemsOf(o), [], idOf(o));
    assert.deepEqual(problemsIn(objects), []);
  });
}

test('the strict check flags what an API server would refuse', async () => {
  const wrong = [
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 1 } }, /string/],
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, dada: {} }, /dada: unknown field/],
    [{ apiVersion: 'v1', kind: 'Konfig', metadata: { name: 'a' } }, /no Konfig/],
    [{ apiVersion: 'keda.sh/v1alpha1', kind: 'ScaledObject', metadata: { name: 'a' },
      spec: { scaleTargetRef: { name: 'a' }, maxReplicaCount: '5', triggers: [] } }, /integer/],
    [{ apiVersion: 'monitoring.coreos.com/v1', kind: 'PodMonitor', metadata: { name: 'a' },
      spec: { selector: {}, podMetricsEndpoints: [{ interval: '30 sec' }] } }, /pattern/],
  ];
  for (const [object, what] of wrong) assert.match((await problemsOf(object)).join('\n'), what);
});

test('what no schema says is flagged, each kind of it', () => {
  const plants = [
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.metadata.labels['app.kubernetes.io/component'] = 'x'; }, /does not select its own/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.selector.matchLabels['helm.sh/chart'] = o.spec.template.metadata.labels['helm.sh/chart'] = 'x'; }, /which may change/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.serviceName = 'x'; }, /no headless/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.spec.containers[0].ports[2].name = 'http-metrics-port'; }, /port name[^]*asks port http-metrics/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem = false; }, /may write/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.spec.automountServiceAccountToken = true; }, /token/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.spec.volumes[0].configMap.name = 'x'; }, /wants config map x/],
    ['StatefulSet/rel-orders-broker', (o) => { o.spec.template.spec.volumes = []; }, /is no volume/],
    ['Deployment/rel-orders-worker-shop', (o) => { delete o.spec.template.spec.securityContext.seccompProfile; }, /seccomp/],
    ['Deployment/rel-orders-monitor', (o) => { delete o.spec.template.spec.containers[0].resources.limits; }, /limit of memory/],
    ['Service/rel-orders-broker', (o) => { o.spec.selector['app.kubernetes.io/component'] = 'x'; }, /selects no pod/],
    ['Service/rel-orders-broker', (o) => { o.spec.ports[0].targetPort = 'x'; }, /leads to port x/],
    ['Job/rel-orders-migrate', (o) => { o.spec.template.spec.serviceAccountName = 'ordo'; }, /not there yet/],
    ['ServiceMonitor/rel-orders', (o) => { o.spec.endpoints.pop(); }, /collects/],
    ['ServiceMonitor/rel-orders', (o) => { delete o.spec.selector.matchLabels['ordo-service']; }, /selects 2 services/],
    ['PodMonitor/rel-orders-workers', (o) => { o.spec.podMetricsEndpoints[0].relabelings[0].replacement = 'ordo'; }, /collects \/metrics false ordo$/m],
    ['PodMonitor/rel-orders-workers', (o) => { o.spec.podMetricsEndpoints[0].relabelings.pop(); }, /names no system/],
    ['Deployment/rel-orders-worker-shop', (o) => { o.spec.template.spec.containers[0].ports = []; }, /finds no pod with port[^]*opens a port/],
    ['NetworkPolicy/rel-orders-worker-shop', (o) => { delete o.spec.ingress; }, /shuts Prometheus out/],
    ['ConfigMap/rel-orders-clients', (o) => { o.metadata.name = 'rel-orders-broker'; }, /twice/],
  ];
  for (const [id, change, what] of plants) {
    const objects = structuredClone(render(caseOf('full')));
    change(find(objects, id));
    assert.match(problemsIn(objects).join('\n'), what, id);
  }
  const scaled = render(caseOf('keda'));
  find(scaled, 'Deployment/rel-ordo-worker-mail').spec.replicas = 1;
  assert.match(problemsIn(scaled).join('\n'), /although it is scaled/);
});

test('brokers, clients and workers are told each broker by its pod', () => {
  const objects = render(caseOf('pools'));
  const hosts = [0, 1].map((i) => `rel-ordo-broker-${i}.rel-ordo-broker-pods.shop.svc`);
  const clients = find(objects, 'ConfigMap/rel-ordo-clients').data;
  assert.equal(clients.ORDO_ENDPOINT, hosts.map((h) => `tcp://${h}:7700`).join());
  assert.equal(clients.ORDO_BROKERS, hosts.map((h) => `tcp://${h}:7701`).join());
  const env = envOf(find(objects, 'Deployment/rel-ordo-worker-pay').spec.template.spec.containers[0]);
  assert.equal(env.ORDO_BROKERS, clients.ORDO_BROKERS);
  assert.equal(find(objects, 'Service/rel-ordo-broker-pods').spec.publishNotReadyAddresses, true);
});

test('a pool has its share for a broker that stands by, and time to drain', () => {
  const objects = render(caseOf('pools'));
  const env = (pool) => envOf(find(objects, `Deployment/rel-ordo-worker-${pool}`).spec.template.spec.containers[0]);
  assert.deepEqual([env('pay').ORDO_SLOTS, env('pay').ORDO_TAKE_AHEAD, env('stock').ORDO_TAKE_AHEAD], ['4', '4', '0']);
  const pay = find(objects, 'Deployment/rel-ordo-worker-pay');
  assert.equal(pay.spec.template.spec.terminationGracePeriodSeconds, 300);
  assert.equal(env('pay').ORDO_DRAIN_TIMEOUT_MS, '290000');
  assert.equal(find(objects, 'Deployment/rel-ordo-worker-idle').spec.replicas, 0);
  assert.equal(pay.spec.template.spec.containers[0].image, 'shop/pay:7');
  assert.match(find(objects, 'Deployment/rel-ordo-worker-stock').spec.template.spec.containers[0].image, /^shop\/stock@sha256:0{64}$/);
});

test('one broker is ready with a shard, one of several also while it stands by', () => {
  const path_of = (name) => render(caseOf(name)).find((o) => o.kind === 'StatefulSet')
    .spec.template.spec.containers[0].readinessProbe.httpGet.path;
  assert.equal(path_of('minimal'), '/readyz');
  assert.equal(path_of('pools'), '/standbyz');
});

test('another configuration makes other pods, another replica count none', () => {
  const sum = (...sets) => find(render(caseOf('minimal'), { sets }), 'StatefulSet/rel-ordo-broker')
    .spec.template.metadata.annotations['checksum/config'];
  assert.equal(sum(), sum('--set', 'networkPolicy.enabled=false'));
  assert.notEqual(sum(), sum('--set', 'broker.config.beat=2s'));
});

test('scaling counts what waits and what runs, of this system and these queues', () => {
  const keda = find(render(caseOf('keda')), 'ScaledObject/rel-ordo-worker-mail').spec;
  const [{ metadata }] = keda.triggers;
  assert.equal(metadata.query, 'sum({__name__=~"ordo_queue_(ready|backlog|leased)",system="shop-rel-ordo",queue=~"mail|mail\\\\.bulk"})');
  assert.equal(metadata.ignoreNullValues, 'false');
  assert.equal(keda.minReplicaCount, 0);
  const hpa = find(render(caseOf('hpa')), 'HorizontalPodAutoscaler/rel-ordo-worker-pack').spec;
  assert.deepEqual(hpa.metrics[0].external.metric.selector.matchExpressions[0].values, ['pack', 'print-a4']);
});

test('a pool serves metrics where it was asked to, to Prometheus alone', () => {
  const objects = render(caseOf('worker-metrics'));
  const of = (pool) => find(objects, `Deployment/rel-ordo-worker-${pool}`).spec.template.spec.containers[0];
  for (const pool of ['pay', 'mail']) {
    assert.deepEqual([envOf(of(pool)).ORDO_LISTEN_HTTP, envOf(of(pool)).ORDO_OPEN_HTTP], ['0.0.0.0:7781', '1']);
    assert.deepEqual(of(pool).ports, [{ name: 'http-metrics', containerPort: 7781 }]);
    assert.deepEqual(find(objects, `NetworkPolicy/rel-ordo-worker-${pool}`).spec.ingress, [{
      ports: [{ port: 'http-metrics', protocol: 'TCP' }],
      from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'observability' } } }],
    }]);
  }
  assert.deepEqual([of('old').ports, envOf(of('old')).ORDO_LISTEN_HTTP], [undefined, undefined]);
  assert.equal(find(objects, 'NetworkPolicy/rel-ordo-worker-old').spec.ingress, undefined);
  const { metadata, spec } = find(objects, 'PodMonitor/rel-ordo-workers');
  assert.equal(metadata.labels.release, 'prom');
  assert.equal(spec.podMetricsEndpoints[0].interval, '15s');
  const without = (...sets) => render(caseOf('worker-metrics'), { sets }).filter((o) => idOf(o) === 'PodMonitor/rel-ordo-workers');
  assert.deepEqual(without('--set', 'metrics.podMonitor.enabled=false'), []);
  assert.deepEqual(without('--set', 'workerDefaults.metrics.enabled=false'), []);
});

test('migration runs where it was asked to', () => {
  const jobs = (name) => render(caseOf(name)).filter((o) => o.kind === 'Job').length;
  const inits = (name) => render(caseOf(name)).find((o) => o.kind === 'StatefulSet').spec.template.spec.initContainers?.length ?? 0;
  assert.deepEqual(['minimal', 'pools', 'external-db'].map((n) => [jobs(n), inits(n)]), [[1, 0], [0, 1], [0, 0]]);
});

test('names stay within their bounds', () => {
  const objects = render(caseOf('full'), { release: 'a.release-with-a-name-of-53-characters-which-is-most1' });
  assert.deepEqual(problemsIn(objects), []);
});

test('dashboards and rules are data: braces stay, each file is one object', () => {
  const copy = path.join(scratch(), 'ordo');
  fs.cpSync(chart, copy, { recursive: true });
  const board = '{"title": "{{ queue }}", "uid": "a"}\n';
  fs.writeFileSync(path.join(copy, 'files/dashboards/one_two.json'), board);
  const objects = render(caseOf('full'), { folder: copy });
  const map = find(objects, 'ConfigMap/rel-orders-dashboard-one-two');
  assert.equal(map.data['one_two.json'], board);
  const boards = objects.filter((o) => o.metadata.labels?.grafana_dashboard === '1');
  assert.equal(boards.length, fs.readdirSync(path.join(copy, 'files/dashboards')).length);
  for (const o of boards) assert.ok(JSON.parse(Object.values(o.data)[0]).uid, idOf(o));
});

test('promtool takes the PrometheusRule, and its runbooks and dashboards are links', () => {
  const rule = render(caseOf('full')).find((o) => o.kind === 'PrometheusRule');
  const file = path.join(scratch(), 'rules.yaml');
  fs.writeFileSync(file, stringify(rule.spec));
  assert.match(run('promtool', ['check', 'rules', file]), /SUCCESS: [1-9][0-9]* rules found/);
  const links = rule.spec.groups.flatMap((g) => g.rules).filter((r) => r.alert).map((r) => r.annotations.runbook_url);
  for (const link of links) assert.match(link, /^https:\/\/git\.example\/ordo\/blob\/main\/docs\/runbooks\/Ordo\w+\.md$/);
  const boards = rule.spec.groups.flatMap((g) => g.rules).filter((r) => r.alert).map((r) => r.annotations.dashboard_url);
  for (const link of boards) assert.match(link, /^https:\/\/grafana\.example\/d\/ordo-[a-z]+$/);
  fs.writeFileSync(file, stringify(rule.spec).replace('expr:', 'exprr:'));
  assert.throws(() => run('promtool', ['check', 'rules', file]));
});

test('the package holds everything that the folder renders, and no test values', () => {
  const folder = scratch();
  assert.equal(helm(4, ['package', chart, '-d', folder]).status, 0);
  const [file] = fs.readdirSync(folder);
  assert.deepEqual(render(caseOf('full'), { folder: path.join(folder, file) }), render(caseOf('full')));
  const names = run('tar', ['tzf', path.join(folder, file)]).split('\n');
  assert.ok(names.includes('ordo/files/rules/health.yaml') && !names.some((n) => n.startsWith('ordo/ci/')));
});

test('hooks run in order: policy, then migration; the test stands for itself', () => {
  const hooks = render(caseOf('full')).filter(isHook).map((o) => [idOf(o), Number(o.metadata.annotations['helm.sh/hook-weight'] ?? 0)]);
  const weight = Object.fromEntries(hooks);
  assert.ok(weight['NetworkPolicy/rel-orders-migrate'] < weight['Job/rel-orders-migrate']);
  assert.ok(weight['ConfigMap/rel-orders-test'] < weight['Pod/rel-orders-test']);
});

test('every container of ours runs a program that is installed', () => {
  const installed = ['ordo', 'ordo-broker', 'ordo-migrate', 'ordo-monitor', 'ordo-shop-worker'];
  for (const o of render(caseOf('full'))) {
    const spec = o.kind === 'Pod' ? o.spec : o.spec?.template?.spec;
    if (!spec) continue;
    for (const c of containersOf(spec)) assert.ok(installed.includes(c.command[0]), `${idOf(o)}: ${c.command}`);
  }
});
