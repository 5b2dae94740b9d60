// Builds, checks and tests the page. Packages live in the build folder, never beside the sources.
//
//   node build.mjs [--packages DIR] [--out DIR]     bundles src/ into OUT (default DIR/dist)
//   node build.mjs --install                        npm ci, where the lock has changed since the
//   last node build.mjs --check                          types, strictly
//   node build.mjs --test                           types, then test/*.test.ts with Node's runner
//
// PACKAGES is build/page of this repository unless it is given, or ORDO_PAGE_PACKAGES says
// otherwise.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '../..');
const flags = process.argv.slice(2);
const valueOf = (name, otherwise) =>
  flags.includes(name) ? path.resolve(flags[flags.indexOf(name) + 1]) : otherwise;
const packages = valueOf(
  '--packages',
  process.env.ORDO_PAGE_PACKAGES ?? path.join(root, 'build/page'),
);
const out = valueOf('--out', path.join(packages, 'dist'));
const modules = path.join(packages, 'node_modules');

/** Whether what lies in node_modules is what the lock wants; else npm puts it there. */
function install() {
  const wanted = ['package.json', 'package-lock.json', '.npmrc'];
  const hash = createHash('sha256');
  for (const name of wanted) hash.update(fs.readFileSync(path.join(here, name)));
  const stamp = path.join(packages, 'lock.stamp');
  const digest = hash.digest('hex');
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, 'utf8') === digest) return;
  fs.mkdirSync(packages, { recursive: true });
  for (const name of wanted) fs.copyFileSync(path.join(here, name), path.join(packages, name));
  // A machine without the registry is told so soon: two tries, no minutes of waiting.
  const patience = ['--fetch-retries=1', '--fetch-timeout=30000', '--prefer-offline'];
  execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error', ...patience], {
    cwd: packages,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  fs.writeFileSync(stamp, digest);
}

function esbuild() {
  return createRequire(path.join(packages, 'package.json'))('esbuild');
}

const common = {
  bundle: true,
  nodePaths: [modules],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  tsconfigRaw: {},
  logLevel: 'warning',
  legalComments: 'none',
};

async function build() {
  const source = path.join(here, 'src');
  fs.rmSync(out, { recursive: true, force: true });
  fs.mkdirSync(out, { recursive: true });
  await esbuild().build({
    ...common,
    entryPoints: { app: path.join(source, 'main.tsx') },
    outdir: out,
    format: 'esm',
    target: ['chrome109', 'firefox115', 'safari16.4'],
    minify: true,
  });
  await esbuild().build({
    ...common,
    entryPoints: { app: path.join(source, 'style/app.css') },
    outdir: out,
    target: ['chrome111', 'firefox115', 'safari16.4'],
    minify: true,
  });
  for (const name of ['index.html', 'favicon.svg']) {
    fs.copyFileSync(path.join(source, name), path.join(out, name));
  }
  fs.writeFileSync(path.join(out, 'runbooks.json'), JSON.stringify(runbooks()));
  let total = 0;
  for (const name of fs.readdirSync(out).sort()) {
    const body = fs.readFileSync(path.join(out, name));
    const small = gzipSync(body, { level: 9 });
    if (small.length < body.length) fs.writeFileSync(path.join(out, `${name}.gz`), small);
    total += small.length;
    console.log(`${name.padEnd(14)} ${padded(body.length, 7)} ${padded(small.length, 6)} gzipped`);
  }
  console.log(`${'all'.padEnd(14)} ${padded('', 7)} ${padded(total, 6)} gzipped`);
}

function padded(number, width) {
  return String(number).padStart(width);
}

function runbooks() {
  const folder = path.join(root, 'docs/runbooks');
  const names = fs
    .readdirSync(folder)
    .filter((name) => /^Ordo\w+\.md$/.test(name))
    .sort();
  const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  return Object.fromEntries(names.map((name) => [name.slice(0, -3), read(name)]));
}

function check() {
  const config = {
    extends: path.join(here, 'tsconfig.json'),
    compilerOptions: {
      baseUrl: packages,
      paths: { '*': ['node_modules/*'] },
      typeRoots: [path.join(modules, '@types')],
      types: ['node'],
    },
    include: [path.join(here, 'src'), path.join(here, 'test')],
  };
  const file = path.join(packages, 'tsconfig.check.json');
  fs.writeFileSync(file, JSON.stringify(config, null, 2));
  run([path.join(modules, 'typescript/bin/tsc'), '--noEmit', '-p', file]);
}

async function test() {
  const folder = path.join(packages, 'unit');
  fs.rmSync(folder, { recursive: true, force: true });
  const names = fs.readdirSync(path.join(here, 'test')).filter((name) => name.endsWith('.test.ts'));
  await esbuild().build({
    ...common,
    entryPoints: names.map((name) => path.join(here, 'test', name)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    platform: 'node',
    target: 'node18',
    sourcemap: 'inline',
  });
  process.env.ORDO_ROOT = root;
  run(['--test', ...names.map((name) => path.join(folder, name.replace(/ts$/, 'mjs')))]);
}

function run(words) {
  try {
    execFileSync(process.execPath, words, { stdio: 'inherit' });
  } catch (error) {
    process.exit(error.status ?? 1);
  }
}

install();
if (flags.includes('--check') || flags.includes('--test')) check();
if (flags.includes('--test')) await test();
if (!['--install', '--check', '--test'].some((flag) => flags.includes(flag))) await build();
