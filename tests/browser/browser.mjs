// Starts Debian's Chromium and opens the page in it. A page complains by itself: whatever it logs
// as an error, every broken policy and every request to another host fails the test.
//
//   ORDO_BROWSER_PACKAGES   folder with node_modules (default: build/browser of this repository)
//   ORDO_PAGE_DIST          the built page (default: build/page/dist)
//   ORDO_BROWSER            the browser's program (default: /usr/bin/chromium)
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeWorld, serve } from './canned_server.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const packages = process.env.ORDO_BROWSER_PACKAGES ?? path.join(root, 'build/browser');
export const dist = process.env.ORDO_PAGE_DIST ?? path.join(root, 'build/page/dist');
const require = createRequire(path.join(packages, 'package.json'));
export const axeSource = () => require.resolve('axe-core/axe.min.js');

const kFlags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch() {
  const { chromium } = require('playwright-core');
  const executablePath = process.env.ORDO_BROWSER ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: kFlags });
}

/**
 * A page on a server of its own, as long as `work(page, opened)` runs. `hash` is where it begins;
 * `expected` are patterns of complaints that belong to the story. Throws what `work` threw, or what
 * the page complained of.
 */
export async function withPage(browser, { world = makeWorld(), ...options }, work) {
  const served = await serve(dist, world);
  try {
    const opened = await openAt(browser, served.url, 'look', options);
    let failure;
    await work(opened.page, { ...opened, world, url: served.url }).catch((error) => {
      failure = error;
    });
    await opened.close().catch((error) => {
      failure ??= error;
    });
    if (failure !== undefined) throw failure;
  } finally {
    served.close();
  }
}

/** The page of a monitor that runs at `url`. */
export async function openAt(browser, url, token, { hash = '#/', expected = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    const to = new URL(request.url());
    const isOurs = to.protocol === 'data:' || to.origin === new URL(url).origin;
    if (!isOurs) complaints.push(`request to ${request.url()}`);
  });
  if (token !== null) {
    await page.goto(`${url}/#token=${token}`);
    await page.waitForSelector('main .board, main .login, main h1');
  }
  if (token === null || hash !== '#/') await page.goto(`${url}/${hash}`);
  const close = async () => {
    await context.close();
    const bad = complaints.filter((line) => !expected.some((pattern) => pattern.test(line)));
    assert.deepEqual(bad, [], 'the page complained');
  };
  return { page, context, close };
}
