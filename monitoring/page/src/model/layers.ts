// A layered drawing of a graph: who needs something stands before what it needs.
//
// Source: the first three steps of Sugiyama, Tagawa and Toda (1981): layers by the longest path,
// then the order within each by the mean place of the neighbours, swept down and up a few times.
// Rings are allowed: an edge that would close one is left out of the layering.
// Costs: O(sweeps · edges · log nodes); 256 steps with 1,024 edges take a few milliseconds.

export interface Link {
  from: string;
  to: string;
}

const kSweeps = 6;

/** The layer of each node: 0 for those that nothing points to. */
export function layersOf(ids: string[], links: Link[]): Map<string, number> {
  const below = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of links) {
    if (below.has(to)) below.get(from)?.push(to);
  }
  const order = postOrder(ids, below);
  const place = new Map(order.map((id, i) => [id, i]));
  const layers = new Map(ids.map((id) => [id, 0]));
  for (const id of order) {
    for (const next of below.get(id) ?? []) {
      const isBackward = (place.get(next) ?? 0) <= (place.get(id) ?? 0);
      if (isBackward) continue;
      layers.set(next, Math.max(layers.get(next) ?? 0, (layers.get(id) ?? 0) + 1));
    }
  }
  return layers;
}

/** Nodes so that edges point forward (except those that close a ring). */
function postOrder(ids: string[], below: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const reversed: string[] = [];
  for (const start of ids) {
    if (done.has(start)) continue;
    done.add(start);
    const path = [{ id: start, next: 0 }];
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const child = below.get(top.id)?.[top.next++];
      if (child === undefined) {
        reversed.push(top.id);
        path.pop();
      } else if (!done.has(child)) {
        done.add(child);
        path.push({ id: child, next: 0 });
      }
    }
  }
  return reversed.reverse();
}

/** Rows of ids, layer by layer, ordered so that few edges cross. Stable for equal input. */
export function rowsOf(ids: string[], links: Link[]): string[][] {
  const layers = layersOf(ids, links);
  const rows: string[][] = [];
  for (const id of ids) {
    const layer = layers.get(id) ?? 0;
    (rows[layer] ??= []).push(id);
  }
  const before = mean(links, 'to', 'from');
  const after = mean(links, 'from', 'to');
  for (let sweep = 0; sweep < kSweeps; ++sweep) {
    const isDown = sweep % 2 === 0;
    const sequence = isDown ? rows.keys() : [...rows.keys()].reverse();
    for (const at of sequence) {
      const places = placesOf(rows);
      const row = rows[at] ?? [];
      rows[at] = sortBy(row, (id, i) => (isDown ? before : after)(id, places) ?? i / row.length);
    }
  }
  return rows;
}

/** Where each id stands in its row, from 0 to 1, so that rows of different lengths compare. */
function placesOf(rows: string[][]): Map<string, number> {
  const places = new Map<string, number>();
  for (const row of rows) row.forEach((id, i) => places.set(id, (i + 0.5) / row.length));
  return places;
}

type Mean = (id: string, places: Map<string, number>) => number | undefined;
function mean(links: Link[], key: 'from' | 'to', value: 'from' | 'to'): Mean {
  const found = new Map<string, string[]>();
  for (const link of links) {
    const list = found.get(link[key]);
    if (list === undefined) found.set(link[key], [link[value]]);
    else list.push(link[value]);
  }
  return (id, places) => {
    const list = found.get(id);
    if (list === undefined) return undefined;
    return list.reduce((sum, other) => sum + (places.get(other) ?? 0.5), 0) / list.length;
  };
}

export function sortBy<T>(items: T[], key: (item: T, index: number) => number): T[] {
  return items
    .map((item, i) => ({ item, i, key: key(item, i) }))
    .sort((a, b) => a.key - b.key || a.i - b.i)
    .map(({ item }) => item);
}
