// Writes what the chart repeats: helm/ordo/README.md from the comments of values.yaml, and copies of
// the rules and dashboards of monitoring/ (a package of Helm takes files, no links). Without
// arguments it writes; documents_test.mjs only compares.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const kHead = `# Chart ordo

Brokers, migration, worker pools and the monitor of ordo on Kubernetes 1.29 or later. PostgreSQL is
yours, and so are the secrets: \`docs/kubernetes.md\` of the repository goes through an installation step by step.

    kubectl create secret generic ordo-database --from-literal=uri='postgresql://ordo:…@db.example/ordo?sslmode=verify-full'
    kubectl create secret generic ordo-keys --from-file=ordo.keys --from-file=broker.key --from-file=broker.key.pub
    helm install ordo helm/ordo --set database.existingSecret=ordo-database --set keys.existingSecret=ordo-keys

A value that is misspelt, of a wrong type or contradicts another is refused with its name. What changes from version to
version is in [UPGRADING.md](UPGRADING.md). This page is made from \`values.yaml\`.
`;

/// [from, to] of every copied file that is or should be there.
export function copies(top) {
  const pairs = [['monitoring/prometheus/rules', 'rules', '.yaml'], ['monitoring/grafana/dashboards', 'dashboards', '.json']];
  return pairs.flatMap(([source, name, ending]) => {
    const list = (folder) => (fs.existsSync(folder)
      ? fs.readdirSync(folder).filter((f) => f.endsWith(ending)) : []);
    const from = path.join(top, source);
    const to = path.join(top, 'helm/ordo/files', name);
    const files = new Set([...list(from), ...list(to)]);
    return [...files].sort().map((file) => [path.join(from, file), path.join(to, file)]);
  });
}

/// The page, and what of values.yaml has no comment or the other way round.
export function readme(top) {
  const source = fs.readFileSync(path.join(top, 'helm/ordo/values.yaml'), 'utf8');
  const values = parse(source);
  const problems = [];
  const told = [];
  let text = kHead;
  for (const [, kind, rest] of source.matchAll(/^ *## @(section|param) (.*)$/gm)) {
    if (kind === 'section') {
      text += `\n## ${rest}\n\n| value | meaning | default |\n| --- | --- | --- |\n`;
      continue;
    }
    const [, name, meaning] = /^(\S+) (.*)$/.exec(rest);
    const value = name.split('.').reduce((at, part) => at?.[part], values);
    if (value === undefined) problems.push(`values.yaml: ${name} has a comment and no value`);
    told.push(name);
    text += `| \`${name}\` | ${meaning.replaceAll('|', '\\|')} | \`${JSON.stringify(value)}\` |\n`;
  }
  const walk = (value, at) => {
    if (told.includes(at)) return;
    const isMap = value !== null && typeof value === 'object' && !Array.isArray(value);
    if (!isMap || Object.keys(value).length === 0) problems.push(`values.yaml: ${at} has no comment`);
    else for (const key of Object.keys(value)) walk(value[key], at ? `${at}.${key}` : key);
  };
  walk(values, '');
  return { text, problems };
}

/// What is not as it would be written, a sentence each.
export function differences(top) {
  const read = (file) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null);
  const found = copies(top).filter(([from, to]) => read(from) !== read(to))
    .map(([from, to]) => `${path.relative(top, to)} is not ${path.relative(top, from)}`);
  const page = readme(top);
  if (read(path.join(top, 'helm/ordo/README.md')) !== page.text) found.push('helm/ordo/README.md is not in step with values.yaml');
  return [...found, ...page.problems];
}

function write(top) {
  for (const [from, to] of copies(top)) {
    if (fs.existsSync(from)) fs.copyFileSync(from, to);
    else fs.rmSync(to);
  }
  fs.writeFileSync(path.join(top, 'helm/ordo/README.md'), readme(top).text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  write(process.env.ORDO_TOP);
  for (const problem of differences(process.env.ORDO_TOP)) console.error(problem);
}
