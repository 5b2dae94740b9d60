// What the page says by heart is held against the files that say it too.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseMarkdown, type Block } from '../src/model/markdown';
import { adviceFor } from '../src/model/reasons';
import { node } from './nodes';

const root = process.env.ORDO_ROOT ?? process.cwd();
const runbooks = path.join(root, 'docs/runbooks');

test('every reason of docs/health.md has advice, and its runbook exists', () => {
  const text = fs.readFileSync(path.join(root, 'docs/health.md'), 'utf8');
  const list = /`reason` one of\s+([\s\S]*?)\. The answer/.exec(text)?.[1] ?? '';
  const reasons = [...list.matchAll(/`(\w+)`/g)].map((match) => match[1] ?? '');
  assert.ok(reasons.length >= 16, 'the list of reasons was not found');
  for (const reason of reasons.filter((each) => each !== 'none')) {
    for (const type of ['broker', 'shard', 'queue', 'worker', 'dependency']) {
      const advice = adviceFor(node(`${type}/x`, 'red', { reason }));
      assert.notEqual(advice.act, 'The runbook says more.', `${reason} has no advice`);
      assert.ok(fs.existsSync(path.join(runbooks, `${advice.runbook}.md`)), advice.runbook);
    }
  }
});

test('every runbook is read to its last word', () => {
  const words = (text: string) => text.replace(/[^\p{L}\p{N}]+/gu, '');
  for (const name of fs.readdirSync(runbooks).filter((file) => file.startsWith('Ordo'))) {
    const source = fs.readFileSync(path.join(runbooks, name), 'utf8');
    const shown = parseMarkdown(source).map(textOf).join('');
    const expected = source
      .replace(/\]\([^)]*\)/g, ']')
      .replace(/^\s*\d+\. /gm, '')
      .replace(/^\|[-| ]+\|$/gm, '');
    assert.equal(words(shown), words(expected), name);
  }
});

function textOf(block: Block): string {
  const inline = (parts: { text: string }[]) => parts.map((part) => part.text).join('');
  if (block.kind === 'code') return block.text;
  if (block.kind === 'list') return block.items.map(inline).join('');
  if (block.kind === 'table') return [...block.head, ...block.rows.flat()].map(inline).join('');
  return inline(block.inline);
}
