// A newcomer's walk through the page of a real system: find the red node, read why and what to do,
// see it turn green, open a parked order, retry it, see it succeed. walk_test.py makes the system,
// starts this and does what this asks for on a line "please: …".
//
//   node walk.mjs      with ORDO_WALK_URL, ORDO_WALK_TOKEN; ORDO_WALK_PICTURES: folder for pictures
import assert from 'node:assert/strict';
import path from 'node:path';
import { launch, openAt } from './browser.mjs';

const { ORDO_WALK_URL: url, ORDO_WALK_TOKEN: token, ORDO_WALK_PICTURES: pictures } = process.env;
const browser = await launch();
const { page, close } = await openAt(browser, url, token, {
  viewport: { width: 1120, height: 700 },
});
page.setDefaultTimeout(90_000);
const picture = async (name) => {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`) });
};

// What the page showed when something did not come.
process.on('uncaughtExceptionMonitor', () => console.log(`the page says:\n${lastSeen}`));
let lastSeen = '';
const look = setInterval(async () => {
  lastSeen = await page.locator('body').innerText().catch(() => lastSeen);
}, 1000);

// What is sick, how badly, what it takes down, what to do.
await page.waitForSelector('.verdict.tone-red');
const cause = page.locator('.box.is-cause').first();
const verdict = await page.locator('.verdict').first().innerText();
assert.match(verdict, /red/);
assert.match(verdict, /Do: /);
assert.match(await page.title(), /^\(\d+ red\) ordo$/);
const wrong = await page.locator('.wrong > li').first().innerText();
assert.match(wrong, /root cause/);
await page.waitForSelector('.curve');
await page.waitForSelector('.alerts li');
await picture('page-red');

// Why: the node's own page, with its history, and the runbook.
const id = await cause.getAttribute('data-box');
await page.click(`[data-box="${id}"]`);
await page.waitForSelector(`h2:has-text("${id}")`);
await page.waitForSelector('.strip rect.tone-red');
await picture('page-node');
await page.click('.verdict >> text=Runbook');
await page.waitForSelector('article h2:has-text("Mitigation")');

// Repaired: everything that followed from it is well again, without a word to the page.
console.log('please: start a worker');
await page.goto(`${url}/#/`);
await page.waitForFunction(() => !document.title.includes('red'));
await page.waitForSelector('.box', { state: 'attached' });
assert.equal(await page.locator('.is-cause').count(), 0);

// A parked order: why, and again.
await page.click('nav >> text=Parked');
await page.click('tbody >> text=open');
await page.waitForSelector('.verdict.status-parked');
const sentence = await page.locator('.headline').innerText();
assert.match(sentence, /hello/);
assert.ok((await page.locator('.timeline .tl.parked').count()) > 0);
assert.match(await page.locator('.events').innerText(), /timeout/);
await picture('page-order');
await page.click('button[aria-label="Retry hello"]');
await page.fill('#why', 'the slow worker is gone');
await page.click('dialog button[type=submit]');
await page.waitForSelector('.verdict.status-succeeded');
await picture('page-retried');
assert.match(await page.locator('.events').innerText(), /the slow worker is gone/);
await page.waitForSelector('.timeline .tl.succeeded');

// The others like it, together.
await page.click('nav >> text=Parked');
await page.click('button[aria-label^="Retry hello of"]');
await page.fill('#why', 'the slow worker is gone');
await page.click('text=See what it would do');
await page.waitForSelector('.plan:has-text("Would retry 2 tasks")');
await page.click('text=Yes, retry');
await page.waitForSelector('text=Nothing is parked.');

// Lists, queues, workers of the same system.
await page.click('nav >> text=Orders');
await page.waitForSelector('.orders tbody tr:has-text("succeeded")');
await page.click('nav >> text=Queues');
await page.click('button[aria-label="Pause hello"]');
await page.fill('#why', 'to see it');
await page.click('dialog button[type=submit]');
await page.waitForSelector('tr:has-text("hello"):has-text("paused")');
await page.click('button[aria-label="Resume hello"]');
await page.fill('#why', 'seen');
await page.click('dialog button[type=submit]');
await page.waitForSelector('tr:has-text("hello"):has-text("paused")', { state: 'detached' });
await page.click('nav >> text=Workers');
await page.waitForSelector('tr:has-text("shop-2")');
clearInterval(look);
await close();
await browser.close();
console.log(`walked: ${id} was the cause`);
