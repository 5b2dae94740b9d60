// What a person does with the page, with canned answers for what is hard to bring about.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, withPage } from './browser.mjs';
import * as canned from './canned.mjs';
import { makeWorld } from './canned_server.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

function page(name, options, work) {
  test(name, { timeout: 60_000 }, () => withPage(browser, options, work));
}
const text = (from, selector) => from.locator(selector).first().innerText();

page('a newcomer reads what is sick, whom it takes down and what to do', {}, async (p) => {
  const verdict = await text(p, '.verdict');
  assert.match(verdict, /red/);
  assert.match(verdict, /queue payment: No worker serves it; 137 tasks wait\./);
  assert.match(verdict, /Takes down with it: broker ordo-0 and broker ordo-1/);
  assert.match(verdict, /Do: Start a worker that serves payment/);
  const box = p.locator('[data-box="queue/payment"]');
  assert.equal(await box.getAttribute('aria-label'), 'queue payment: red · no worker, root cause');
  const victim = p.locator('[data-box="broker/ordo-0"]');
  assert.match(await victim.innerText(), /because of queue payment/);
  assert.equal(await p.locator('.lines > path.red').count(), 2);
  assert.equal(await p.title(), '(3 red) ordo');
  assert.match(await p.locator('link[rel=icon]').getAttribute('href'), /^data:image\/svg/);
});

page('what is wrong: causes first, what follows beneath, figures, since when', {}, async (p) => {
  const items = p.locator('.system .wrong > li');
  const first = await items.first().innerText();
  assert.match(first, /root cause[\s\S]*now 137 tasks · normal 0 tasks\s*for 2 min/);
  assert.match(first, /Red because of it:[\s\S]*broker ordo-0[\s\S]*broker ordo-1/);
  assert.match(
    await items.nth(2).innerText(),
    /interface 3c.wms_dispatch\s*now 2.9 s · normal 410 ms/,
  );
  assert.match(await text(p, '.alerts'), /OrdoQueueDown[\s\S]*critical · firing for 1 min \d+ s/);
});

page(
  'several systems: worst first, the green ones in a word',
  {
    world: {
      ...makeWorld(),
      systems: () => [
        { ...canned.shop(1), system: 'wholesale' },
        canned.mixedSystem(),
        canned.sickShop(),
      ],
    },
  },
  async (p) => {
    const names = await p.locator('.board h2 > a').allInnerTexts();
    assert.deepEqual(names, ['returns', 'shop', 'wholesale']);
    assert.match(await p.locator('.verdict').last().innerText(), /All 26 nodes are well/);
    await p.click('.board >> text=returns');
    await p.waitForSelector('h1:has-text("System returns")');
    assert.match(await p.locator('[data-box="broker/ordo-1"]').innerText(), /root cause/);
    assert.match(await p.locator('[data-box="shard/3"]').innerText(), /unknown · no news/);
  },
);

page('an update touches what changed and nothing else', {}, async (p, { world }) => {
  await p.waitForSelector('[data-box="queue/payment"].tone-red');
  await p.evaluate(() => {
    window.seen = [];
    window.box = document.querySelector('[data-box="queue/payment"]');
    window.place = window.box.getBoundingClientRect().toJSON();
    const watch = new MutationObserver((all) => window.seen.push(...all.map((m) => m.target)));
    watch.observe(document.querySelector('.map'), {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
  });
  const asked = p.waitForResponse(/health/);
  await asked;
  await p.waitForResponse(/health/);
  assert.equal(await p.evaluate(() => window.seen.length), 0, 'the same answer drew something');
  world.systems = () => {
    const system = canned.sickShop();
    Object.assign(
      system.nodes.find((n) => n.id === 'shard/2'),
      {
        status: 'yellow',
        reason: 'probe_slow',
        text: 'A write and read took 140 ms.',
      },
    );
    return [system];
  };
  await p.waitForSelector('[data-box="shard/2"].tone-yellow');
  const touched = await p.evaluate(() => [
    ...new Set(
      window.seen.map(
        (at) =>
          (at.closest ?? at.parentElement.closest).call(
            at.closest ? at : at.parentElement,
            '[data-box]',
          )?.dataset.box,
      ),
    ),
  ]);
  assert.deepEqual(touched, ['shard/2']);
  assert.ok(
    await p.evaluate(
      () =>
        window.box.isConnected &&
        JSON.stringify(window.box.getBoundingClientRect()) === JSON.stringify(window.place),
    ),
  );
});

page(
  'a monitor whose clock stands still is as stale as one that is gone',
  {
    expected: [/503/],
  },
  async (p, { world }) => {
    world.frozenAt = Date.now();
    await p.waitForSelector('.banner:has-text("No fresh data")', { timeout: 15_000 });
    const colours = () =>
      p.evaluate(
        () =>
          [...document.querySelectorAll('.box, .verdict')].filter(
            (each) => !each.classList.contains('tone-unknown'),
          ).length,
      );
    assert.equal(await colours(), 0, 'something has a colour without fresh data');
    assert.equal(await p.locator('.glyph.tone-green').count(), 0);
    assert.equal(await p.title(), '(no fresh data) ordo');
    assert.match(await text(p, '.system .wrong'), /Was red: No worker serves it/);
    assert.equal(await p.locator('#news').innerText(), 'No fresh data.');
    world.frozenAt = 0;
    await p.waitForSelector('.verdict.tone-red');
    assert.equal(await p.locator('.banner').count(), 0);
    world.isDown = true;
    await p.waitForSelector('.banner:has-text("No broker can be asked.")', { timeout: 15_000 });
    assert.equal(await colours(), 0);
  },
);

page('changes are read out once, in a sentence', {}, async (p, { world }) => {
  await p.waitForFunction(() => /payment/.test(document.querySelector('#news')?.textContent ?? ''));
  const news = p.locator('#news');
  assert.equal(await news.innerText(), 'shop is red: 3 red, 2 yellow, because of queue/payment');
  await p.evaluate(() => {
    window.said = 0;
    new MutationObserver(() => ++window.said).observe(document.querySelector('#news'), {
      subtree: true,
      childList: true,
      characterData: true,
    });
  });
  await p.waitForResponse(/health/);
  await p.waitForResponse(/health/);
  assert.equal(await p.evaluate(() => window.said), 0);
  world.systems = () => [canned.shop()];
  await p.waitForFunction(() => document.querySelector('#news').textContent === 'shop is green');
  assert.equal(await p.title(), 'ordo');
});

page('the map by keyboard, and its table', {}, async (p) => {
  await p.locator('[data-box="queue/payment"]').focus();
  await p.keyboard.press('Tab');
  const next = await p.evaluate(() => document.activeElement.dataset.box);
  assert.match(next, /^queue\//);
  await p.keyboard.press('Shift+Tab');
  await p.keyboard.press('Enter');
  await p.waitForSelector('h1:has-text("queue payment")');
  assert.equal(await p.evaluate(() => document.activeElement.tagName), 'H1');
  await p.goBack();
  await p.click('button:has-text("Table")');
  const rows = await p.locator('.nodes tbody tr').allInnerTexts();
  assert.equal(rows.length, 42);
  assert.match(rows[0], /red/);
  assert.match(rows[41], /green/);
});

page(
  'two hundred nodes: apps are boxes with counts, and open',
  {
    world: { ...makeWorld(), systems: () => [canned.sickShop(44)] },
  },
  async (p) => {
    const box = p.locator('[data-box="app:workers/parcels"]');
    assert.match((await box.innerText()).replace(/\s+/g, ' '), /parcels ×44 1 yellow 43/);
    assert.equal(await p.locator('.box').count(), 26);
    await box.focus();
    await p.keyboard.press('Enter');
    assert.equal(await p.locator('.box').count(), 26 + 44);
    assert.equal(await box.getAttribute('aria-expanded'), 'true');
    assert.match(await p.locator('[data-box="worker/parcels-2"]').innerText(), /yellow · slow/);
  },
);

page(
  'a node that has gone keeps its last hour',
  { hash: '#/system/shop/node/worker%2Fgone-1' },
  async (p) => {
    await p.waitForSelector('.strip');
    assert.match(await text(p, 'main'), /worker\/gone-1[\s\S]*not there \(any more\)/);
  },
);

page(
  'a node: its last hour, its reasons, its neighbours',
  {
    hash: '#/system/shop/node/queue%2Fpayment',
  },
  async (p) => {
    await p.waitForSelector('.strip');
    const table = await text(p, '[aria-label="History as a table"]');
    assert.match(table, /red\s+no worker/);
    assert.match(
      await p.locator('.verdict').innerText(),
      /Takes down with it: broker ordo-0, broker ordo-1/,
    );
    await p.click('text=broker/ordo-0');
    await p.waitForSelector('h1:has-text("broker ordo-0")');
    await p.click('.verdict >> text=Runbook');
    await p.waitForSelector('h1:has-text("Runbook OrdoBrokerDown")');
    await p.waitForSelector('article h2:has-text("Mitigation")'); // its text comes after its name
    assert.match(await text(p, 'article'), /Meaning[\s\S]*Mitigation/);
  },
);

page('the business curve, and the same as a table', {}, async (p) => {
  await p.waitForSelector('.curve path.line-now');
  assert.match(
    await p.locator('.curve').getAttribute('aria-label'),
    /^\d+ orders a minute at .* yesterday, .* last week\)$/,
  );
  await p.click('section:has-text("Orders accepted") summary');
  const rows = p.locator('[aria-label="Orders a minute as a table"] tbody tr');
  assert.equal(await rows.count(), 60);
});

page(
  'without Prometheus the page says so',
  {
    world: { ...makeWorld(), hasPrometheus: false },
  },
  async (p) => {
    await p.waitForSelector('text=there is no curve');
    await p.waitForSelector('text=alerts are not shown');
  },
);
