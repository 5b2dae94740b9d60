// What the tests share: both Helms, the chart rendered as objects, and the words of a failure.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

export const top = process.env.ORDO_TOP;
export const tools = process.env.ORDO_HELM_TOOLS;
export const chart = path.join(top, 'helm/ordo');
export const helms = { 3: path.join(tools, 'v32/helm/helm'), 4: path.join(tools, 'v35/helm/helm') };
export const caseFiles = fs.readdirSync(path.join(chart, 'ci')).map((f) => path.join(chart, 'ci', f));

/// A folder that goes when the process ends.
export function scratch() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'ordo-helm-'));
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const home = scratch();
/// Helm with nothing of this account's: {status, stdout, stderr}.
export function helm(major, args, environment = {}) {
  const done = spawnSync(helms[major], args, {
    encoding: 'utf8', maxBuffer: 64 << 20, timeout: 120_000,
    env: { PATH: process.env.PATH, HOME: home, ...environment },
  });
  if (done.error) throw done.error;
  return done;
}

export function objectsOf(text) {
  return parseAllDocuments(text, { uniqueKeys: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  }).filter(Boolean);
}

/// The chart's objects for a file of values.
export function render(file, { major = 4, sets = [], release = 'rel', folder = chart } = {}) {
  const done = helm(major, ['template', release, folder, '-n', 'shop', '-f', file, ...sets]);
  if (done.status !== 0) throw new Error(done.stderr);
  return objectsOf(done.stdout);
}

export const isHook = (o) => Boolean(o.metadata.annotations?.['helm.sh/hook']);
export const idOf = (o) => `${o.kind}/${o.metadata.name}`;
/// The template of each pod: {object, labels, spec}.
export function podsOf(objects) {
  return objects.filter((o) => o.kind === 'Pod' || o.spec?.template?.spec).map((object) => (
    object.kind === 'Pod'
      ? { object, labels: object.metadata.labels, spec: object.spec }
      : { object, labels: object.spec.template.metadata.labels, spec: object.spec.template.spec }));
}
export const containersOf = (spec) => [...(spec.initContainers ?? []), ...spec.containers];
export const run = (program, args, options = {}) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: 'pipe', ...options });
