// How much scripting an update costs with two hundred nodes, all of which have changed: the median,
// and the worst, of sixty. Printed for people; the bound in mind is 50 ms.
import { launch, withPage } from './browser.mjs';
import * as canned from './canned.mjs';
import { makeWorld } from './canned_server.mjs';

const kUpdates = 60;
const kTurns = ['green', 'yellow', 'red', 'unknown'];
let turn = 0;

/** Another colour, text and figure for every node, each time it is asked. */
function changing() {
  const system = canned.sickShop(44);
  ++turn;
  system.nodes.forEach((node, i) => {
    const status = kTurns[(turn + i) % 4];
    Object.assign(node, {
      status,
      reason: status === 'green' ? 'none' : 'slow',
      root_cause: status === 'red' && i % 8 === 0,
      text: status === 'green' ? '' : `Takes ${turn} s.`,
      value: turn,
      normal: 1,
      unit: 'seconds',
    });
  });
  return [system];
}

const kCategories = ['devtools.timeline', 'v8.execute', 'blink.user_timing'];
const kScripting = new Set(['FunctionCall', 'RunMicrotasks', 'EvaluateScript', 'v8.callFunction']);

/** Milliseconds of scripting between each mark and the next, from a trace of the renderer. */
function scriptingOf(trace) {
  const events = trace.traceEvents.filter((event) => event.ts !== undefined);
  const marks = events.filter((event) => event.name === 'update' && event.ph !== 'E');
  const [{ pid, tid }] = marks;
  const starts = marks.map((mark) => mark.ts).sort((a, b) => a - b);
  const sums = starts.map(() => 0);
  const runs = events
    .filter((e) => e.ph === 'X' && e.pid === pid && e.tid === tid && kScripting.has(e.name))
    .sort((a, b) => a.ts - b.ts);
  let end = 0; // what runs inside another run is counted once
  for (const { ts, dur = 0 } of runs) {
    const at = starts.findLastIndex((start) => start <= ts);
    if (at >= 0) sums[at] += Math.max(0, ts + dur - Math.max(ts, end)) / 1000;
    end = Math.max(end, ts + dur);
  }
  return sums.slice(0, kUpdates);
}

async function measure(name, systems, prepare) {
  let script = [];
  const whole = [];
  await withPage(browser, { world: { ...makeWorld(), systems } }, async (page, { context }) => {
    await page.waitForSelector('.box');
    await prepare(page);
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    const taskMs = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find((metric) => metric.name === 'TaskDuration').value * 1000;
    };
    await browser.startTracing(page, { categories: kCategories });
    for (let i = 0; i <= kUpdates; ++i) {
      const before = await taskMs();
      const answered = page.waitForResponse(/health/);
      await page.evaluate(() => {
        performance.mark('update');
        dispatchEvent(new Event('online'));
      });
      await (await answered).finished();
      await page.evaluate(
        () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20))),
      );
      whole.push((await taskMs()) - before);
    }
    script = scriptingOf(JSON.parse((await browser.stopTracing()).toString()));
  });
  const say = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    const [middle, worst] = [sorted[sorted.length >> 1], sorted[sorted.length - 1]];
    return `${middle.toFixed(1)} ms (worst ${worst.toFixed(1)})`;
  };
  console.log(`${name}: scripting ${say(script)}, with layout and paint ${say(whole)}`);
}

const browser = await launch();
const openAll = async (page) => {
  for (const box of await page.locator('button.box').all()) await box.click();
};
const same = canned.sickShop(44);
const calm = () => [{ ...same, at_ms: Date.now() }];
console.log(`${same.nodes.length} nodes, ${kUpdates} updates each, median`);
await measure('nothing changes              ', calm, async () => undefined);
await measure('every node changes           ', changing, async () => undefined);
await measure('every node changes, all open ', changing, openAll);
await browser.close();
