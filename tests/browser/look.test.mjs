// What everybody must be able to see and reach: axe, two themes, a phone's width, eyes that do not
// tell red from green. Pictures of the latter are left in the build folder for people.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axeSource, dist, launch, withPage } from './browser.mjs';
import * as canned from './canned.mjs';
import { makeWorld } from './canned_server.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

function page(name, options, work) {
  test(name, { timeout: 60_000 }, () => withPage(browser, options, work));
}

const kViews = {
  health: ['#/', '.box'],
  table: ['#/system/shop?as=table', '.nodes tbody tr'],
  node: ['#/system/shop/node/queue%2Fpayment', '.strip'],
  orders: ['#/orders', '.orders tbody tr'],
  order: [`#/orders/${canned.kParkedId}`, '.graph .node'],
  parked: ['#/parked', 'tbody tr'],
  queues: ['#/queues', 'tbody tr'],
  workers: ['#/workers', 'tbody tr'],
  runbook: ['#/runbook/OrdoTasksParked', 'article h2'],
};

async function barriers(page) {
  await page.evaluate(fs.readFileSync(axeSource(), 'utf8'));
  // A colour on its way to another is neither: what stays is judged.
  await page.waitForFunction(() =>
    document.getAnimations().every((one) => !(one instanceof CSSTransition)),
  );
  const found = await page.evaluate(() =>
    window.axe.run(document, { resultTypes: ['violations'] }),
  );
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
}

const kScreens = [
  { width: 1280, height: 900 },
  { width: 375, height: 812 },
];
for (const [name, [hash, ready]] of Object.entries(kViews)) {
  test(`${name}: no barrier, nothing wider than a phone`, { timeout: 120_000 }, async () => {
    for (const colorScheme of ['light', 'dark']) {
      for (const viewport of kScreens) {
        await withPage(browser, { hash, colorScheme, viewport }, async (page) => {
          await page.waitForSelector(ready);
          assert.deepEqual(await barriers(page), [], `${colorScheme}, ${viewport.width}`);
          const over = await page.evaluate(() => {
            const { scrollWidth, clientWidth } = document.documentElement;
            return scrollWidth - clientWidth;
          });
          assert.ok(over <= 0, `${viewport.width}: the page is ${over} pixels too wide`);
        });
      }
    }
  });
}

page(
  'the form, a dialog and old data have no barrier either',
  { hash: '#/parked' },
  async (p, opened) => {
    await p.click('button[aria-label="Retry payment of 3c"]');
    assert.deepEqual(await barriers(p), []);
    await p.keyboard.press('Escape');
    opened.world.frozenAt = Date.now();
    await p.goto(`${opened.url}/#/`);
    await p.waitForSelector('.banner', { timeout: 15_000 });
    assert.deepEqual(await barriers(p), []);
    await p.click('text=Sign out');
    await p.waitForSelector('#token');
    assert.deepEqual(await barriers(p), []);
  },
);

test('axe does find barriers', async () => {
  const page = await browser.newPage();
  await page.setContent(
    '<html lang="en"><title>x</title><p style="color:#bbb">grey</p><img src="x">',
  );
  const found = (await barriers(page)).map((line) => line.split(':')[0]);
  assert.deepEqual(found.sort(), ['color-contrast', 'image-alt']);
  await page.close();
});

const kMixed = { ...makeWorld(), systems: () => [canned.mixedSystem(), canned.sickShop()] };
page('each state has a shape and a word of its own', { world: kMixed }, async (p, { url }) => {
  const shapes = new Map();
  const places = { returns: ['red', 'unknown', 'green'], shop: ['yellow'] };
  for (const [system, words] of Object.entries(places)) {
    await p.goto(`${url}/#/system/${system}`);
    await p.waitForSelector(`h1:has-text("${system}")`);
    for (const word of words) {
      const box = p.locator(`a.box.tone-${word}`).first();
      assert.match(await box.locator('.sub').innerText(), new RegExp(`^${word}`));
      assert.match(await box.getAttribute('aria-label'), new RegExp(`: ${word}`));
      shapes.set(word, await box.locator('svg').innerHTML());
    }
  }
  assert.equal(new Set(shapes.values()).size, 4);
});

const kEyes = ['deuteranopia', 'protanopia', 'tritanopia', 'achromatopsia'];
page(
  'the cause stands out without red and green, and without any colour',
  {},
  async (p, opened) => {
    await p.waitForSelector('.box.is-cause');
    const session = await opened.context.newCDPSession(p);
    const folder = path.join(path.dirname(dist), 'pictures');
    fs.mkdirSync(folder, { recursive: true });
    for (const type of kEyes) {
      await session.send('Emulation.setEmulatedVisionDeficiency', { type });
      await p.screenshot({ path: path.join(folder, `${type}.png`) });
      const light = async (box) => lightness(await p.locator(box).first().screenshot());
      const ratio = ((await light('.box.tone-green')) + 0.05) / ((await light('.is-cause')) + 0.05);
      assert.ok(ratio > 3, `${type}: ${ratio.toFixed(1)}`);
    }
  },
);

/** Relative luminance of a picture's ground: the middle of all its pixels. */
async function lightness(png) {
  const page = await browser.newPage();
  const value = await page.evaluate(async (base64) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${base64}`;
    await picture.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [picture.width, picture.height];
    const context = canvas.getContext('2d');
    context.drawImage(picture, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    const linear = (byte) => {
      const share = byte / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    };
    const all = [];
    for (let i = 0; i < data.length; i += 4) {
      all.push(
        0.2126 * linear(data[i]) + 0.7152 * linear(data[i + 1]) + 0.0722 * linear(data[i + 2]),
      );
    }
    return all.sort((a, b) => a - b)[all.length >> 1];
  }, png.toString('base64'));
  await page.close();
  return value;
}

page('colours follow the system until somebody chooses', { colorScheme: 'dark' }, async (p) => {
  const ground = () => p.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await p.click('button:has-text("auto")');
  assert.notEqual(await ground(), dark);
  await p.reload();
  await p.click('button:has-text("light")');
  assert.equal(await ground(), dark);
});
