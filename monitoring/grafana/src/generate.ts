// Writes every dashboard as a file: node generate.js FOLDER
import { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';

import { engine } from './engine';
import { build } from './kit';
import { orders } from './orders';
import { overview } from './overview';
import { postgres } from './postgres';
import { trouble } from './trouble';
import { workers } from './workers';

declare function require(name: 'fs'): { writeFileSync(path: string, text: string): void };
declare const process: { argv: string[] };

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: generate.js FOLDER');
for (const page of [overview, orders, engine, workers, postgres, trouble]) {
  const made: Dashboard = build(page);
  require('fs').writeFileSync(`${folder}/${page.uid}.json`, `${JSON.stringify(made, null, 1)}\n`);
}
