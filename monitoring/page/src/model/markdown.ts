// The part of Markdown that the runbooks use, as a tree: headings, paragraphs, lists, code, tables,
// links, emphasis. Nothing of it is ever HTML: the views make elements of it, so that a text cannot
// put anything into the page.

export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong'; text: string }
  | { kind: 'link'; text: string; to: string };
export type Block =
  | { kind: 'heading'; level: number; inline: Inline[] }
  | { kind: 'paragraph'; inline: Inline[] }
  | { kind: 'code'; text: string }
  /** `start` is the first number; 0: bullets. */
  | { kind: 'list'; start: number; items: Inline[][] }
  | { kind: 'table'; head: Inline[][]; rows: Inline[][][] };

const kItem = /^(?:[*-]|\d+\.)\s+/;

export function parseMarkdown(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  let at = 0;
  const take = (matches: (line: string) => boolean): string[] => {
    const taken: string[] = [];
    for (let line = lines[at]; line !== undefined && matches(line); line = lines[++at]) {
      taken.push(line);
    }
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.trim() === '') {
      ++at;
    } else if (line.startsWith('#')) {
      const level = /^#+/.exec(line)?.[0].length ?? 1;
      blocks.push({ kind: 'heading', level, inline: parseInline(line.slice(level).trim()) });
      ++at;
    } else if (line.startsWith('```')) {
      ++at;
      blocks.push({ kind: 'code', text: take((l) => !l.startsWith('```')).join('\n') });
      ++at;
    } else if (line.startsWith('    ')) {
      const code = take((l) => l.startsWith('    ') || l.trim() === '');
      blocks.push({ kind: 'code', text: dedented(code).trimEnd() });
    } else if (line.startsWith('|')) {
      blocks.push(tableOf(take((l) => l.startsWith('|'))));
    } else if (kItem.test(line)) {
      blocks.push(listOf(take((l) => kItem.test(l) || /^ {2,}\S/.test(l))));
    } else {
      const isText = (l: string) => l.trim() !== '' && !/^(#|```|\||[*-] |\d+\. )/.test(l);
      const words = take(isText);
      if (words.length === 0) words.push(lines[at++] ?? '');
      blocks.push({ kind: 'paragraph', inline: parseInline(words.join(' ')) });
    }
  }
  return blocks;
}

function dedented(lines: string[]): string {
  const depth = Math.min(...lines.filter((l) => l.trim() !== '').map((l) => l.search(/\S/)));
  return lines.map((line) => line.slice(depth)).join('\n');
}

function listOf(lines: string[]): Block {
  const items: string[] = [];
  for (const line of lines) {
    if (kItem.test(line)) items.push(line.replace(kItem, ''));
    else items.push(`${items.pop() ?? ''} ${line.trim()}`);
  }
  const start = Number.parseInt(lines[0] ?? '', 10) || 0;
  return { kind: 'list', start, items: items.map(parseInline) };
}

function tableOf(lines: string[]): Block {
  const cells = (line: string) =>
    line
      .replace(/^\||\|$/g, '')
      .split('|')
      .map((cell) => parseInline(cell.trim()));
  const [head = '', , ...rows] = lines;
  return { kind: 'table', head: cells(head), rows: rows.map(cells) };
}

export function parseInline(text: string): Inline[] {
  const found: Inline[] = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)/g;
  let last = 0;
  for (const match of text.matchAll(pattern)) {
    const [whole, code, strong, label, to] = match;
    if (match.index > last) found.push({ kind: 'text', text: text.slice(last, match.index) });
    if (code !== undefined) found.push({ kind: 'code', text: code });
    else if (strong !== undefined) found.push({ kind: 'strong', text: strong });
    else found.push({ kind: 'link', text: (label ?? '').replaceAll('`', ''), to: to ?? '' });
    last = match.index + whole.length;
  }
  if (last < text.length) found.push({ kind: 'text', text: text.slice(last) });
  return found;
}

/** The runbook that a link or an alert's annotation names: "docs/runbooks/OrdoNodeRed.md". */
export function runbookIn(to: string): string | null {
  return /(?:^|\/)(Ordo\w+)(?:\.md)?(?:#.*)?$/.exec(to)?.[1] ?? null;
}
