// The operator's desk and who may sit at it, with canned answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, openAt, withPage } from './browser.mjs';
import { kParkedId } from './canned.mjs';
import { makeWorld } from './canned_server.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

function page(name, options, work) {
  test(name, { timeout: 60_000 }, () => withPage(browser, options, work));
}
const kOrder = `#/orders/${kParkedId}`;

page(
  'a token in a link is taken once, kept for the tab, and leaves no trace',
  {},
  async (p, { url, context }) => {
    assert.equal(new URL(p.url()).hash, '#/');
    assert.equal(await p.evaluate(() => sessionStorage.getItem('ordo.token')), 'look');
    assert.equal(await p.evaluate(() => localStorage.length), 0);
    await p.reload();
    await p.waitForSelector('.verdict');
    const other = await context.newPage();
    await other.goto(`${url}/`);
    await other.waitForSelector('#token');
  },
);

page(
  'a token that is not known is refused in words; the right one opens the page',
  {},
  async (_, { url }) => {
    const { page: p, close } = await openAt(browser, url, null, { expected: [/401/] });
    await p.fill('#token', 'guess');
    await p.keyboard.press('Enter');
    await p.waitForSelector('.notice:has-text("not known")');
    assert.equal(await p.evaluate(() => sessionStorage.getItem('ordo.token')), null);
    await p.fill('#token', 'look');
    await p.keyboard.press('Enter');
    await p.waitForSelector('.verdict');
    await p.click('text=Sign out');
    await p.waitForSelector('#token');
    await close();
  },
);

page(
  'an order is found by its id, a customer’s by name; lists have pages',
  {
    hash: '#/orders',
  },
  async (p) => {
    await p.waitForSelector('.orders tbody tr');
    assert.equal(await p.locator('.orders tbody tr').count(), 50);
    const first = await p.locator('.orders tbody th').first().innerText();
    await p.click('text=Next page');
    await p.waitForFunction((old) => {
      const now = document.querySelector('.orders tbody th')?.innerText;
      return now !== undefined && now !== old;
    }, first);
    await p.click('text=Next page');
    await p.waitForSelector('text=Next page', { state: 'detached' });
    await p.click('text=First page');
    await p.fill('input[type=search]', 'c42');
    await p.keyboard.press('Enter');
    await p.waitForSelector('.switch >> text=Of c42');
    assert.match(p.url(), /which=customer&customer=c42/);
    await p.fill('input[type=search]', kParkedId.toUpperCase());
    await p.keyboard.press('Enter');
    await p.waitForSelector('h1:has-text("Order")');
  },
);

page('an order: why, timeline, graph, tables, payload', { hash: kOrder }, async (p) => {
  await p.waitForSelector('.headline:has-text("It is parked")');
  const bars = await p
    .locator('.timeline .tl')
    .evaluateAll((all) => all.map((b) => b.getAttribute('aria-label')));
  const has = (pattern) =>
    assert.ok(
      bars.some((bar) => pattern.test(bar)),
      String(pattern),
    );
  has(/^attempt 1 failed, tried again · 200 ms, from .* · money-2 · bank answered 503$/);
  has(/^attempt 1 worker lost · 290 ms/);
  has(/^attempt 1 late result, refused/);
  has(/^waits for an operator · \d+ min/);
  assert.match(await p.locator('.graph .node.parked').innerText(), /payment/);
  assert.equal(await p.locator('.graph .node').count(), 16);
  assert.match(
    await p.locator('section:has-text("Payload") pre').first().innerText(),
    /"sku": "phone-7"/,
  );
  assert.match(await p.locator('.events').innerText(), /worker lost[\s\S]*late result/);
});

page(
  'an order that is not there',
  { hash: '#/orders/019a1b2c-0000-7f60-8a1b-2c3d4e5f6071', expected: [/404/] },
  async (p) => void (await p.waitForSelector('.notice:has-text("There is no such order.")')),
);

page(
  'a retry asks for a reason, is told to the monitor, and is seen to succeed',
  {
    hash: kOrder,
  },
  async (p, { world }) => {
    await p.click('button[aria-label="Retry payment"]');
    const verb = p.locator('dialog button[type=submit]');
    assert.ok(await verb.isDisabled(), 'it can be done without a reason');
    assert.equal(await p.evaluate(() => document.activeElement.closest('dialog') !== null), true);
    await p.fill('#why', 'the bank is back');
    await verb.click();
    await p.waitForSelector('[role=status]:has-text("retry is recorded")');
    assert.deepEqual(world.told, [
      {
        at: `/api/v1/orders/${kParkedId}/tasks/payment/0/retry`,
        body: { why: 'the bank is back' },
      },
    ]);
    await p.waitForSelector('.verdict.status-succeeded');
    assert.match(await p.locator('.events').innerText(), /by ann · “the bank is back”/);
    assert.equal(await p.locator('button[aria-label="Retry payment"]').count(), 0);
  },
);

page(
  'every other verb says what it does, and is told with its reason',
  { hash: kOrder },
  async (p, { world }) => {
    const act = async (button, fill = {}) => {
      await p.click(button);
      for (const [field, value] of Object.entries({ '#why': 'because', ...fill }))
        await p.fill(field, value);
      await p.click('dialog button[type=submit]');
      await p.waitForSelector('dialog', { state: 'detached' });
    };
    await act('button[aria-label="Skip payment"]');
    await act('button[aria-label="Complete payment"]', { '#result': '{"paid":true}' });
    await act('button:has-text("Cancel order")');
    assert.deepEqual(
      world.told.map(({ at, body }) => [at.split('/').pop(), body]),
      [
        ['skip', { why: 'because' }],
        ['complete', { why: 'because', result: '{"paid":true}' }],
        ['cancel', { why: 'because' }],
      ],
    );
  },
);

page('Escape does nothing to the order', { hash: kOrder }, async (p, { world }) => {
  await p.click('button:has-text("Cancel order")');
  await p.fill('#why', 'a slip');
  await p.keyboard.press('Escape');
  await p.waitForSelector('dialog', { state: 'detached' });
  assert.deepEqual(world.told, []);
});

page(
  'in bulk: first how many it would be, then done, with what failed',
  { hash: '#/parked' },
  async (p, { world }) => {
    await p.click('button[aria-label="Retry payment of 3c"]');
    await p.fill('#why', 'the bank is back');
    await p.click('text=See what it would do');
    await p.waitForSelector('.plan:has-text("Would retry 37 tasks. Nothing has been done yet.")');
    assert.equal(world.told[0].body.dry_run, true);
    await p.click('text=Yes, retry');
    await p.waitForSelector('[role=status]:has-text("36 tasks retried; 1 not: it is not parked.")');
    assert.deepEqual(world.told[1].body, {
      verb: 'retry',
      why: 'the bank is back',
      dry_run: false,
      filter: { pipeline: '3c', step: 'payment', error: 'bank answered 503' },
    });
  },
);

page('queues are paused and resumed, with a reason', { hash: '#/queues' }, async (p, { world }) => {
  const row = p.locator('tr:has-text("payment")');
  assert.match(await row.innerText(), /no worker\s+137\s+1,204\s+0\s+2 min 11 s/);
  await p.click('button[aria-label="Pause payment"]');
  await p.fill('#why', 'the bank is down');
  await p.click('dialog button[type=submit]');
  await p.waitForSelector('[role=status]:has-text("payment is paused")');
  assert.equal(world.told[0].at, '/api/v1/queues/payment/pause');
  assert.equal(await p.locator('button[aria-label="Resume invoice_request"]').count(), 1);
});

page('workers: slots, beats, who leaves', { hash: '#/workers' }, async (p) => {
  await p.waitForSelector('tbody tr');
  assert.match(await p.locator('tr:has-text("stock-2")').innerText(), /quiet/);
  assert.match(await p.locator('tr:has-text("parcels-5")').innerText(), /draining/);
  assert.match(await p.locator('tr:has-text("money-1")').innerText(), /\d of 8/);
});

for (const hash of [kOrder, '#/parked', '#/queues', '#/workers', '#/orders']) {
  const world = { ...makeWorld(), role: 'observer' };
  page(
    `an observer sees everything and no button that acts: ${hash}`,
    { hash, world },
    async (p) => {
      await p.waitForSelector('tbody tr');
      await p.waitForSelector('.who:has-text("observer")');
      const words = await p.locator('main button').allInnerTexts();
      const acting = words.filter((word) => /retry|skip|complete|cancel|pause|resume/i.test(word));
      assert.deepEqual(acting, []);
    },
  );
}
