// Serves the built page with canned answers, as ordo-monitor would: same paths, same headers. It
// counts what it was asked and remembers what it was told to do.
//
//   node canned_server.mjs DIST [PORT]     to look at the page while working on it (token: look)
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as canned from './canned.mjs';

export const kPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const kTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** What the tests change: `world.systems()` is the health of everything, `world.token` who may. */
export function makeWorld() {
  return {
    role: 'operator',
    hasPrometheus: true,
    systems: () => [canned.sickShop()],
    /** Set to a moment: the monitor answers, but its clock stands still. */
    frozenAt: 0,
    /** Answers health with 503. */
    isDown: false,
    orderStatus: 'parked',
    told: [],
  };
}

function answer(world, url, method, body) {
  const { pathname: at, searchParams: query } = url;
  const now = Date.now();
  if (method === 'POST') {
    if (!body.why)
      return [400, { error: { code: 'malformed', reason: 'why', message: 'Say why.' } }];
    world.told.push({ at, body });
    if (at.endsWith('/retry')) world.orderStatus = 'succeeded';
    if (at === '/api/v1/bulk') {
      const done = body.dry_run ? 0 : 36;
      const failed = body.dry_run
        ? []
        : [{ id: canned.kParkedId, step: 'payment', error: 'it is not parked' }];
      return [200, { matched: 37, done, failed, dry_run: body.dry_run }];
    }
    return [200, { ok: true }];
  }
  if (at === '/api/v1/me') {
    const { role, hasPrometheus } = world;
    return [
      200,
      { name: 'ann', role, version: '0.1.0', system: 'shop', has_prometheus: hasPrometheus },
    ];
  }
  if (at === '/api/v1/health') {
    if (world.isDown) return [503, { error: { message: 'No broker can be asked.' } }];
    return [200, canned.healthOf(world.systems(), world.frozenAt || now)];
  }
  if (at === '/api/v1/orders')
    return [200, canned.orders(query.get('which'), Number(query.get('after') ?? 0))];
  if (at.endsWith('/explain')) {
    const isDone = world.orderStatus === 'succeeded';
    return [
      200,
      {
        sentence: isDone
          ? 'It succeeded after 9 min.'
          : 'It is parked: payment failed 5 times, last with “bank answered 503”.',
        facts: [
          'payment: 5 of 5 attempts are used up',
          'queue payment: 137 tasks wait, no worker serves it',
        ],
      },
    ];
  }
  if (at.startsWith('/api/v1/orders/')) {
    if (!at.endsWith(canned.kParkedId)) {
      return [
        404,
        {
          error: { code: 'not_found', reason: 'unknown_order', message: 'There is no such order.' },
        },
      ];
    }
    return [200, canned.order(world.orderStatus)];
  }
  if (at === '/api/v1/parked') return [200, canned.parked()];
  if (at === '/api/v1/queues') return [200, canned.queues()];
  if (at === '/api/v1/workers') return [200, canned.workers()];
  if (at === '/api/v1/pipelines')
    return [
      200,
      {
        pipelines: [
          { pipeline: '3c', version: 1 },
          { pipeline: 'digital', version: 1 },
        ],
      },
    ];
  if (at.startsWith('/api/v1/pipelines/')) return [200, canned.pipeline];
  if (at === '/api/v1/history') return [200, canned.history()];
  if (at === '/api/v1/business') return [200, canned.business()];
  if (at === '/api/v1/alerts') return [200, canned.alerts()];
  return [404, { error: { code: 'not_found', reason: 'path', message: `There is no ${at}.` } }];
}

export async function serve(dist, world, port = 0) {
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://127.0.0.1');
    let text = '';
    for await (const part of request) text += part;
    if (url.pathname.startsWith('/api/')) {
      const isKnown = request.headers.authorization === 'Bearer look';
      const [status, body] = isKnown
        ? answer(world, url, request.method, text ? JSON.parse(text) : {})
        : [401, { error: { code: 'unauthorized', reason: 'token', message: 'No such token.' } }];
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
      });
      response.end(JSON.stringify(body));
      return;
    }
    const name = url.pathname === '/' ? 'index.html' : path.basename(url.pathname);
    const file = path.join(dist, name);
    if (!fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': kTypes[path.extname(name)] ?? 'application/octet-stream',
      'Content-Security-Policy': kPolicy,
      'X-Content-Type-Options': 'nosniff',
    });
    response.end(fs.readFileSync(file));
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const served = await serve(process.argv[2], makeWorld(), Number(process.argv[3] ?? 0));
  console.log(`${served.url}/#token=look`);
}
