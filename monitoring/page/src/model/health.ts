// What follows from the health tree: order of systems, causes with what they take down, and what
// remains of an answer that is too old.
//
// Rule: nothing is green, yellow or red without fresh data. Past kStaleMs everything is unknown.

import type { Colour, Edge, Health, HealthNode, System } from './types';

/** Three of this page's questions, or six of the monitor's: one may be lost without a word. */
export const kStaleMs = 6000;

const kWeight: Record<Colour, number> = { red: 3, yellow: 2, unknown: 1, green: 0 };
export function weight(colour: Colour): number {
  return kWeight[colour];
}
export function worst(colours: Iterable<Colour>): Colour {
  let found: Colour = 'green';
  for (const colour of colours) if (weight(colour) > weight(found)) found = colour;
  return found;
}

export type Counts = Record<Colour, number>;
export function countColours(nodes: HealthNode[]): Counts {
  const counts: Counts = { red: 0, yellow: 0, unknown: 0, green: 0 };
  for (const node of nodes) counts[node.status] += 1;
  return counts;
}

/** Worst first, then by name. */
export function sortSystems(systems: System[]): System[] {
  return [...systems].sort(
    (a, b) => weight(b.status) - weight(a.status) || a.system.localeCompare(b.system),
  );
}

export const kWasGreen = 'Was green.';

/** A system of which nothing fresh is known. What was said last stays in the texts. */
export function withoutNews(system: System): System {
  const nodes = system.nodes.map((node) => ({
    ...node,
    status: 'unknown' as const,
    reason: 'stale',
    text: node.status === 'green' ? kWasGreen : `Was ${node.status}: ${node.text}`,
    root_cause: false,
    value: undefined,
  }));
  return { ...system, status: 'unknown', nodes };
}

/** A system all of whose sources are silent is unknown, even where the monitor still answers. */
export function dropSilent(health: Health): Health {
  const systems = health.systems.map((system) => {
    const sources = health.sources.filter((source) => source.system === system.system);
    const isSilent = sources.length > 0 && sources.every((s) => s.age_ms > kStaleMs);
    return isSilent ? withoutNews(system) : system;
  });
  return { ...health, systems: sortSystems(systems) };
}

export interface Trouble {
  node: HealthNode;
  /** Nodes that are red because of this one, nearest first. */
  follows: HealthNode[];
}

/**
 * Everything that is not green: root causes first, each with what it takes down (a node that
 * follows from two causes stands under the first alone), then other red ones, yellow, unknown.
 */
export function troublesOf(system: System): Trouble[] {
  const byId = new Map(system.nodes.map((node) => [node.id, node]));
  const above = neighbours(system.edges, 'to', 'from');
  const told = new Set<string>();
  const troubles: Trouble[] = [];
  const causes = system.nodes.filter((n) => n.status === 'red' && n.root_cause).sort(byHarm(above));
  for (const node of causes) told.add(node.id);
  for (const node of causes) {
    troubles.push({ node, follows: redAbove(node.id, byId, above, told) });
  }
  const rest = system.nodes
    .filter((node) => node.status !== 'green' && !told.has(node.id))
    .sort((a, b) => weight(b.status) - weight(a.status) || byAgeThenName(a, b));
  for (const node of rest) troubles.push({ node, follows: [] });
  return troubles;
}

/** All nodes that are red because of this one, also where they follow from another cause too. */
export function followsOf(system: System, id: string): HealthNode[] {
  const byId = new Map(system.nodes.map((node) => [node.id, node]));
  return redAbove(id, byId, neighbours(system.edges, 'to', 'from'), new Set([id]));
}

type Links = Map<string, string[]>;
export function neighbours(edges: Edge[], key: 'from' | 'to', value: 'from' | 'to'): Links {
  const links: Links = new Map();
  for (const edge of edges) {
    const found = links.get(edge[key]);
    if (found === undefined) links.set(edge[key], [edge[value]]);
    else found.push(edge[value]);
  }
  return links;
}

function redAbove(
  start: string,
  byId: Map<string, HealthNode>,
  above: Links,
  told: Set<string>,
): HealthNode[] {
  const found: HealthNode[] = [];
  const ahead = [start];
  for (let at = ahead.shift(); at !== undefined; at = ahead.shift()) {
    for (const id of above.get(at) ?? []) {
      const node = byId.get(id);
      if (node === undefined || node.status !== 'red' || told.has(id)) continue;
      told.add(id);
      found.push(node);
      ahead.push(id);
    }
  }
  return found;
}

function byAgeThenName(a: HealthNode, b: HealthNode): number {
  return a.since_ms - b.since_ms || a.id.localeCompare(b.id);
}
/** The cause that most others need comes first; of equals the one that began first. */
function byHarm(above: Links): (a: HealthNode, b: HealthNode) => number {
  const harm = (node: HealthNode) => above.get(node.id)?.length ?? 0;
  return (a, b) => harm(b) - harm(a) || byAgeThenName(a, b);
}

/** The edges along which red spreads: both ends are red. */
export function redEdges(system: System): Edge[] {
  const red = new Set(system.nodes.filter((n) => n.status === 'red').map((n) => n.id));
  return system.edges.filter((edge) => red.has(edge.from) && red.has(edge.to));
}

/** One sentence for the live region; it changes only when something that matters does. */
export function summary(systems: System[]): string {
  const parts = systems.map((system) => {
    const counts = countColours(system.nodes);
    const causes = system.nodes.filter((n) => n.root_cause && n.status === 'red').map((n) => n.id);
    const because = causes.length > 0 ? `, because of ${causes.slice(0, 3).join(', ')}` : '';
    const bad = (['red', 'yellow', 'unknown'] as const)
      .filter((colour) => counts[colour] > 0)
      .map((colour) => `${counts[colour]} ${colour}`);
    return `${system.system} is ${system.status}${bad.length > 0 ? `: ${bad.join(', ')}` : ''}\
${because}`;
  });
  return parts.join('. ');
}

/** The page's title: "(2 red) ordo". */
export function titleOf(systems: System[], isStale: boolean): string {
  if (isStale) return '(no fresh data) ordo';
  const counts = countColours(systems.flatMap((system) => system.nodes));
  if (counts.red > 0) return `(${counts.red} red) ordo`;
  if (counts.yellow > 0) return `(${counts.yellow} yellow) ordo`;
  return 'ordo';
}
