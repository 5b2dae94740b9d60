// The chart's copies and tables are those of the repository.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { parse } from 'yaml';
import { chart, scratch, top } from './chart.mjs';
import { copies, differences, readme } from './generate.mjs';

const read = (...place) => fs.readFileSync(path.join(...place), 'utf8');

test('rules and dashboards of the chart are those of monitoring/', () => {
  assert.deepEqual(differences(top), [], 'run: tests/helm/with_tools.sh generate.mjs');
  assert.ok(copies(top).some(([from]) => from.endsWith('health_alerts.yaml')));
});

test('a copy that differs, is missing or is left over is flagged', () => {
  const tree = path.join(scratch(), 'tree');
  for (const part of ['monitoring', 'helm']) fs.cpSync(path.join(top, part), path.join(tree, part), { recursive: true });
  const rules = path.join(tree, 'helm/ordo/files/rules');
  fs.appendFileSync(path.join(rules, 'sli.yaml'), '# more\n');
  fs.rmSync(path.join(rules, 'health.yaml'));
  fs.writeFileSync(path.join(rules, 'old.yaml'), '');
  fs.appendFileSync(path.join(tree, 'helm/ordo/values.yaml'), '## @param more What is not there\n');
  const found = differences(tree).join('\n');
  for (const name of ['sli.yaml', 'health.yaml', 'old.yaml', 'README.md', 'more']) assert.match(found, new RegExp(name));
});

test('README.md says every value with its default', () => {
  const text = readme(top).text;
  assert.match(text, /\| `broker\.replicas` \|.*\| `1` \|/);
  assert.match(text, /\| `workerDefaults\.keda\.cooldownPeriod` \|.*\| `300` \|/);
});

test('chart and project have one version', () => {
  const { version, appVersion } = parse(read(chart, 'Chart.yaml'));
  const [, project] = /project\(ordo VERSION ([0-9.]+)/.exec(read(top, 'CMakeLists.txt'));
  assert.deepEqual([version, appVersion], [project, project]);
});

test('docs/kubernetes.md names values that exist', () => {
  const values = parse(read(chart, 'values.yaml'));
  const tops = Object.keys(values).join('|');
  const named = [...read(top, 'docs/kubernetes.md').matchAll(new RegExp(`\`((?:${tops})\\.[A-Za-z.]+)\``, 'g'))].map((m) => m[1]);
  assert.ok(named.length > 10);
  for (const name of named.filter((n) => !/\.key(\.pub)?$/.test(n))) { // those are files
    // A pool's fields have their defaults, and so their names, in workerDefaults.
    const parts = name.replace(/^workerPools\.NAME\./, 'workerDefaults.').split('.');
    let at = values;
    for (const part of parts) {
      assert.ok(at !== null && typeof at === 'object' && part in at, name);
      at = at[part];
      if (at !== null && typeof at === 'object' && Object.keys(at).length === 0) break;
    }
  }
});
