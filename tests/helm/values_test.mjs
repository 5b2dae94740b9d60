// What the chart refuses, by name, before anything is installed; and that its schema is whole.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { caseFiles, chart, helm, helms, top } from './chart.mjs';

const minimal = path.join(chart, 'ci/minimal-values.yaml');
const schema = JSON.parse(fs.readFileSync(path.join(chart, 'values.schema.json'), 'utf8'));
const values = parse(fs.readFileSync(path.join(chart, 'values.yaml'), 'utf8'));
const pool = (rest) => `workerPools={"a":{"keySecret":"k",${rest}}}`;
const monitor = (rest) => `monitor={"enabled":true,"keySecret":"k","tokensSecret":"t",${rest}}`;

// What is set (--set-json), and what both Helms must say: the value's place, in words of their own.
const refused = [
  ['replicas=2', /replicas/],
  ['broker={"replicas":"two"}', /broker.replicas/],
  ['broker={"replicas":0}', /broker.replicas/],
  ['broker={"replica":2}', /broker[^]*replica/],
  ['broker={"shards":65}', /broker.shards/],
  ['broker={"config":{"windw-tasks":5}}', /broker.config[^]*windw-tasks/],
  ['broker={"config":{"listen-clients":"0.0.0.0:1"}}', /broker.config[^]*listen-clients/],
  ['broker={"config":{"plaintext":true}}', /broker.config[^]*plaintext/],
  ['broker={"config":{"beat":"1s\\nplaintext = true"}}', /broker.config.beat/],
  ['broker={"pdb":{"maxUnavailable":"half"}}', /broker.pdb.maxUnavailable/],
  ['broker={"resources":{"limit":{}}}', /broker.resources[^]*limit/],
  ['broker={"resources":{"limits":{"memory":"1 GB"}}}', /limits.memory/],
  ['broker={"system":"two words"}', /broker.system/],
  ['image={"tag":"a:b"}', /image.tag/],
  ['image={"digest":"sha256:1"}', /image.digest/],
  ['image={"pullPolicy":"always"}', /image.pullPolicy/],
  ['migrate={"mode":"job"}', /migrate.mode/],
  ['database={"existingSecret":"Bad_Name"}', /database.existingSecret/],
  ['database={"password":"x"}', /database[^]*password/],
  ['database={"sslmode":"prefer"}', /database.sslmode/],
  ['database={"port":"5432"}', /database.port/],
  ['fullnameOverride="Up"', /fullnameOverride/],
  ['commonLabels={"a b":"c"}', /commonLabels/],
  ['commonLabels={"a":1}', /commonLabels/],
  ['workerPools={"Upper":{"keySecret":"k"}}', /workerPools[^]*Upper/],
  ['workerPools={"a-pool-with-a-very-long-name":{"keySecret":"k"}}', /workerPools[^]*a-pool-with/],
  [pool('"replica":2'), /workerPools.a[^]*replica/],
  [pool('"slots":0'), /workerPools.a.slots/],
  [pool('"queues":["Pay"]'), /workerPools.a.queues.0/],
  [pool('"queues":"pay"'), /workerPools.a.queues/],
  [pool('"metrics":{"enabled":"yes"}'), /workerPools.a.metrics.enabled/],
  [pool('"metrics":{"port":7781}'), /workerPools.a.metrics[^]*port/],
  [pool('"terminationGracePeriodSeconds":5'), /workerPools.a.terminationGracePeriodSeconds/],
  [pool('"keda":{"serverAddress":"prometheus:9090"}'), /workerPools.a.keda.serverAddress/],
  ['metrics={"interval":"5"}', /metrics.interval/],
  ['monitor={"prometheus":"prometheus"}', /monitor.prometheus/],
  ['networkPolicy={"allow":true}', /networkPolicy[^]*allow/],
  // What the schema cannot say, the templates do.
  ['database={"existingSecret":""}', /database\.existingSecret is empty/],
  ['keys={"existingSecret":""}', /keys\.existingSecret is empty[^]*ordo keys new/],
  ['broker={"replicas":2,"service":{"type":"LoadBalancer"}}', /broker\.service\.type is LoadBalancer/],
  ['broker={"firstShard":4095,"shards":2}', /broker\.firstShard 4095/],
  ['workerPools={"a":{}}', /workerPools\.a\.keySecret is empty/],
  [pool('"queues":["a"],"autoscaling":{"enabled":true},"keda":{"enabled":true,"serverAddress":"http://p"}'),
    /workerPools\.a\.autoscaling\.enabled and workerPools\.a\.keda\.enabled/],
  [pool('"autoscaling":{"enabled":true}'), /workerPools\.a\.autoscaling needs workerPools\.a\.queues/],
  [pool('"queues":["a"],"autoscaling":{"enabled":true,"minReplicas":11}'), /minReplicas 11 is above maxReplicas 10/],
  [pool('"keda":{"enabled":true,"serverAddress":"http://p"}'), /workerPools\.a\.keda needs workerPools\.a\.queues/],
  [pool('"queues":["a"],"keda":{"enabled":true}'), /workerPools\.a\.keda\.serverAddress is empty/],
  [pool('"queues":["a"],"keda":{"enabled":true,"serverAddress":"http://p","minReplicaCount":11}'), /minReplicaCount 11/],
  ['monitor={"enabled":true}', /monitor\.keySecret is empty/],
  ['monitor={"enabled":true,"keySecret":"k"}', /monitor\.tokensSecret is empty/],
  [monitor('"ingress":{"enabled":true}'), /monitor\.ingress\.host is empty/],
  [monitor('"ingress":{"enabled":true,"host":"a.example"}'), /monitor\.ingress\.tlsSecret is empty/],
  ['metrics={"serviceMonitor":{"enabled":true},"podMonitor":{"enabled":true}}', /collected twice/],
];

for (const major of Object.keys(helms)) {
  test(`Helm ${major} refuses each wrong value and says which`, () => {
    for (const [set, what] of refused) {
      const done = helm(major, ['template', 'rel', chart, '-f', minimal, '--set-json', set]);
      assert.notEqual(done.status, 0, `${set} was taken`);
      // Helm 4 writes places as /a/b, Helm 3 as a.b.
      assert.match(done.stderr.replaceAll('/', '.'), what, set);
    }
  });
}

test('names of releases that no service can have are refused', () => {
  assert.match(helm(4, ['template', '1st', chart, '-f', minimal]).stderr, /called 1st: names of services begin with a letter/);
  assert.match(helm(4, ['template', 'a', chart, '-f', minimal, '--kube-version', '1.28.0']).stderr, /incompatible with Kubernetes/);
});

function* objectsOf(node, at = '') {
  if (Array.isArray(node)) for (const [i, item] of node.entries()) yield* objectsOf(item, `${at}/${i}`);
  if (node === null || typeof node !== 'object' || Array.isArray(node)) return;
  if (node.properties) yield [at, node];
  for (const [key, item] of Object.entries(node)) yield* objectsOf(item, `${at}/${key}`);
}

test('the schema is closed: no object takes a key it does not know', () => {
  // A parent chart puts what it likes into global.
  for (const [at, node] of objectsOf(schema)) {
    if (at !== '/properties/global') assert.equal(node.additionalProperties, false, at);
  }
});

test('the schema and values.yaml know the same keys', () => {
  const resolve = (node) => (node.$ref ? schema.definitions[node.$ref.split('/').pop()] : node);
  const compare = (value, node, at) => {
    const { properties } = resolve(node);
    const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (!properties || !isMap || Object.keys(value).length === 0) return;
    if (at.endsWith('.resources')) return;
    assert.deepEqual(Object.keys(value).sort(), Object.keys(properties).sort(), at || 'top');
    for (const key of Object.keys(value)) compare(value[key], properties[key], `${at}.${key}`);
  };
  compare(values, schema, '');
});

test('broker.config takes the settings of docs/configuration.md that the chart does not set itself', () => {
  const document = fs.readFileSync(path.join(top, 'docs/configuration.md'), 'utf8');
  const settings = [...document.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map((m) => m[1]);
  const ours = ['name', 'system', 'metrics', 'database', 'shard-databases', 'shards', 'first-shard', 'store',
    'listen-clients', 'listen-workers', 'listen-http', 'keys', 'secret-key-file', 'plaintext', 'open-http',
    'endpoints-file', 'drain'];
  const taken = Object.keys(schema.properties.broker.properties.config.properties);
  assert.deepEqual([...taken, ...ours].sort(), settings.sort());
});

test('no values, no template and no example holds a password', () => {
  for (const file of [...caseFiles, path.join(chart, 'values.yaml')]) {
    assert.doesNotMatch(fs.readFileSync(file, 'utf8'), /^\s*password:/m, file);
  }
});
