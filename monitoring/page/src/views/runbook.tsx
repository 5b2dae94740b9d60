// A runbook, from the file that came with the page: readable when nothing else is.

import { useEffect, useState } from 'preact/hooks';
import { parseMarkdown, runbookIn, type Block, type Inline } from '../model/markdown';
import { href } from '../model/route';
import { Empty, Heading } from './parts';

let books: Promise<Record<string, string>> | null = null;

function load(): Promise<Record<string, string>> {
  books ??= fetch('runbooks.json').then(
    (answer) => answer.json() as Promise<Record<string, string>>,
  );
  return books;
}

export function RunbookView({ name }: { name: string }) {
  const [text, setText] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    load().then(
      (all) => setText(all[name] ?? null),
      () => {
        books = null;
        setText(null);
      },
    );
  }, [name]);
  const blocks = text ? parseMarkdown(text) : [];
  const body = blocks[0]?.kind === 'heading' && blocks[0].level === 1 ? blocks.slice(1) : blocks;
  return (
    <>
      <Heading aside={<a href="#/">Health</a>}>Runbook {name}</Heading>
      {text === null && <Empty>There is no runbook of this name.</Empty>}
      <article class="panel prose">{body.map((block, i) => render(block, i))}</article>
    </>
  );
}

function render(block: Block, key: number): preact.JSX.Element {
  switch (block.kind) {
    case 'heading':
      return <h2 key={key}>{inline(block.inline)}</h2>;
    case 'paragraph':
      return <p key={key}>{inline(block.inline)}</p>;
    case 'code':
      return (
        <pre key={key} tabIndex={0}>
          {block.text}
        </pre>
      );
    case 'list': {
      const items = block.items.map((item, i) => <li key={i}>{inline(item)}</li>);
      if (block.start === 0) return <ul key={key}>{items}</ul>;
      return (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      );
    }
    case 'table':
      return (
        <table key={key}>
          <thead>
            <tr>
              {block.head.map((cell, i) => (
                <th key={i} scope="col">
                  {inline(cell)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {block.rows.map((row, i) => (
              <tr key={i}>
                {row.map((cell, j) => (
                  <td key={j}>{inline(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      );
  }
}

function inline(parts: Inline[]): preact.ComponentChildren {
  return parts.map((part, i) => {
    if (part.kind === 'code') return <code key={i}>{part.text}</code>;
    if (part.kind === 'strong') return <b key={i}>{part.text}</b>;
    if (part.kind === 'text') return part.text;
    const runbook = runbookIn(part.to);
    if (runbook === null) return <span key={i}>{part.text}</span>;
    return (
      <a key={i} href={href(['runbook', runbook])}>
        {part.text}
      </a>
    );
  });
}
