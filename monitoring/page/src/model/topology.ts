// Where everything of a system stands on the map: groups in tiers, upstream above downstream; in a
// group a grid of boxes, one for each node, or one for a whole app of many nodes.
//
// Rule:  places depend on which nodes and edges there are, which apps are open and how wide the map
//        is, never on a colour: a node does not move when it falls sick.
// Units: CSS pixels from the map's top left corner.

import type { Edge, HealthNode, System } from './types';
import { rowsOf, layersOf, sortBy } from './layers';

/** An app with more nodes than this is one box until it is opened. */
export const kManyNodes = 4;
export const kBoxHeight = 44;
/** At least as wide is a box; on a phone two stand side by side. */
const kBoxWidth = 152;
const kSmallBoxWidth = 128;
const kSmallMap = 560;
const kGap = 8;
const kPad = 12;
const kTitle = 26;
const kTierGap = 40;
const kGroupGap = 16;

export interface Box {
  /** A node's id, or "app:GROUP/APP". */
  id: string;
  kind: 'node' | 'app';
  /** Of an app: that its nodes are shown beside it. */
  isOpen: boolean;
  nodes: HealthNode[];
  x: number;
  y: number;
  width: number;
  /** Where the first and the last row of its group begin: lines turn there. */
  firstY: number;
  lastY: number;
}
export interface GroupArea {
  group: string;
  nodes: HealthNode[];
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Line {
  id: string;
  from: string;
  to: string;
  path: string;
}
export interface MapLayout {
  boxes: Box[];
  groups: GroupArea[];
  lines: Line[];
  width: number;
  height: number;
}

export function appId(node: HealthNode): string {
  return `app:${node.group}/${node.app}`;
}

/** What the places depend on, as a key: two systems with one key have one layout. */
export function shapeOf(system: System): string {
  const nodes = system.nodes.map((n) => `${n.id}|${n.group}|${n.app}`).sort();
  const edges = system.edges.map((e) => `${e.from}>${e.to}`).sort();
  return `${nodes.join()};${edges.join()}`;
}

export function layoutMap(system: System, open: ReadonlySet<string>, width: number): MapLayout {
  const drafts = draftBoxes(system.nodes, open);
  const boxOf = new Map<string, string>();
  for (const draft of drafts) for (const id of draft.covers) boxOf.set(id, draft.box.id);
  const links = boxLinks(system.edges, boxOf);
  const groups = orderedGroups(system, drafts);
  const layout: MapLayout = { boxes: [], groups: [], lines: [], width, height: 0 };
  for (const tier of groups) placeTier(tier, layout);
  layout.lines = linesOf(links, new Map(layout.boxes.map((box) => [box.id, box])));
  return layout;
}

interface Draft {
  box: Box;
  group: string;
  /** Nodes whose edges end at this box. */
  covers: string[];
}

function draftBoxes(nodes: HealthNode[], open: ReadonlySet<string>): Draft[] {
  const apps = new Map<string, HealthNode[]>();
  for (const node of nodes) {
    const list = apps.get(appId(node));
    if (list === undefined) apps.set(appId(node), [node]);
    else list.push(node);
  }
  const drafts: Draft[] = [];
  const place = { x: 0, y: 0, width: 0, firstY: 0, lastY: 0 };
  for (const [id, members] of apps) {
    const group = members[0]?.group ?? '';
    const isMany = members.length > kManyNodes;
    const isOpen = isMany && open.has(id);
    if (isMany) {
      const box: Box = { id, kind: 'app', isOpen, nodes: members, ...place };
      drafts.push({ box, group, covers: isOpen ? [] : members.map((n) => n.id) });
    }
    if (isMany && !isOpen) continue;
    for (const node of members) {
      const box: Box = { id: node.id, kind: 'node', isOpen: false, nodes: [node], ...place };
      drafts.push({ box, group, covers: [node.id] });
    }
  }
  return drafts;
}

function boxLinks(edges: Edge[], boxOf: Map<string, string>): Edge[] {
  const seen = new Set<string>();
  const links: Edge[] = [];
  for (const edge of edges) {
    const from = boxOf.get(edge.from);
    const to = boxOf.get(edge.to);
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from}>${to}`;
    if (seen.has(key)) continue;
    seen.add(key);
    links.push({ from, to });
  }
  return links;
}

/** "pay-2" stands before "pay-10"; an app's own box before those of its nodes. */
const kNames = new Intl.Collator('en', { numeric: true });
function appOfBox(box: Box): string {
  return box.nodes[0] === undefined ? '' : appId(box.nodes[0]);
}

interface GroupDraft {
  group: string;
  boxes: Box[];
  nodes: HealthNode[];
}

/** Groups by tier; in each group boxes in the order that lets few lines cross, apps together. */
function orderedGroups(system: System, drafts: Draft[]): GroupDraft[][] {
  const groupOf = new Map(system.nodes.map((node) => [node.id, node.group]));
  const names = [...new Set(system.nodes.map((node) => node.group))];
  const groupLinks = system.edges.map((edge) => ({
    from: groupOf.get(edge.from) ?? '',
    to: groupOf.get(edge.to) ?? '',
  }));
  const tiers = layersOf(
    names,
    groupLinks.filter((link) => link.from !== link.to),
  );
  // Nobody says (now) who needs it: it stands at the foot, where what is needed stands.
  const foot = Math.max(0, ...tiers.values()) + 1;
  const told = new Set(groupLinks.flatMap((link) => [link.from, link.to]));
  for (const name of names) if (!told.has(name) && told.size > 0) tiers.set(name, foot);
  const place = placesOf(system);
  const rows: GroupDraft[][] = [];
  for (const group of names) {
    const mine = drafts.filter((draft) => draft.group === group);
    const byName = mine.sort((a, b) => kNames.compare(a.box.id, b.box.id));
    const boxes = sortBy(byName, ({ box }) => place.get(appOfBox(box)) ?? 0).map((d) => d.box);
    const nodes = system.nodes.filter((node) => node.group === group);
    (rows[tiers.get(group) ?? 0] ??= []).push({ group, boxes, nodes });
  }
  return rows.filter((row) => row !== undefined);
}

/** The order of apps among each other: as if all were closed, so that opening one moves none. */
function placesOf(system: System): Map<string, number> {
  const appOf = new Map(system.nodes.map((node) => [node.id, appId(node)]));
  const apps = [...new Set(appOf.values())];
  const place = new Map<string, number>();
  rowsOf(apps, boxLinks(system.edges, appOf))
    .flat()
    .forEach((id, i) => place.set(id, i));
  return place;
}

/** Groups of a tier stand side by side; on a narrow map one below the other. */
function placeTier(tier: GroupDraft[], layout: MapLayout): void {
  const top = layout.height === 0 ? 0 : layout.height + kTierGap;
  const inner = layout.width - tier.length * 2 * kPad - (tier.length - 1) * kGroupGap;
  const least = layout.width < kSmallMap ? kSmallBoxWidth : kBoxWidth;
  const columns = Math.max(1, Math.floor((inner + kGap) / (least + kGap)));
  if (columns <= tier.length && tier.length > 1) {
    for (const group of tier) placeTier([group], layout);
    return;
  }
  const shares = shareColumns(
    tier.map((group) => group.boxes.length),
    columns,
  );
  const total = shares.reduce((sum, n) => sum + n, 0);
  const box = (inner - (total - tier.length) * kGap) / total;
  let x = 0;
  tier.forEach((group, i) => {
    const mine = shares[i] ?? 1;
    const width = mine * box + (mine - 1) * kGap + 2 * kPad;
    const rows = Math.ceil(group.boxes.length / mine);
    const firstY = top + kTitle + kPad / 2;
    group.boxes.forEach((each, at) => {
      each.firstY = firstY;
      each.lastY = firstY + (rows - 1) * (kBoxHeight + kGap);
      each.x = x + kPad + (at % mine) * (box + kGap);
      each.y = firstY + Math.floor(at / mine) * (kBoxHeight + kGap);
      each.width = box;
      layout.boxes.push(each);
    });
    const height = kTitle + kPad / 2 + rows * (kBoxHeight + kGap) - kGap + kPad;
    layout.groups.push({ group: group.group, nodes: group.nodes, x, y: top, width, height });
    layout.height = Math.max(layout.height, top + height);
    x += width + kGroupGap;
  });
}

/**
 * Columns for each group: at least one. Who has most rows (of equals who has most boxes) gets as
 * many more as make them fewer; a column that would save no row is left out, and all boxes are
 * wider.
 */
export function shareColumns(sizes: number[], columns: number): number[] {
  const shares = sizes.map(() => 1);
  let left = columns - sizes.length;
  for (;;) {
    const rows = sizes.map((size, i) => Math.ceil(size / (shares[i] ?? 1)));
    const most = Math.max(...rows);
    const who = sizes.reduce(
      (at, size, i) =>
        rows[i] === most && (rows[at] !== most || size > (sizes[at] ?? 0)) ? i : at,
      0,
    );
    const wanted = Math.ceil((sizes[who] ?? 0) / (most - 1)) - (shares[who] ?? 1);
    if (most <= 1 || wanted > left) return shares;
    shares[who] = (shares[who] ?? 1) + wanted;
    left -= wanted;
  }
}

function linesOf(links: Edge[], boxes: Map<string, Box>): Line[] {
  const lines: Line[] = [];
  for (const { from, to } of links) {
    const a = boxes.get(from);
    const b = boxes.get(to);
    if (a === undefined || b === undefined) continue;
    lines.push({ id: `${from}>${to}`, from, to, path: curve(a, b) });
  }
  return lines;
}

/**
 * From the lower side of who needs to the upper side of what is needed. Between rows of boxes a
 * line runs in the gap left of its box, never behind another.
 */
function curve(a: Box, b: Box): string {
  if (b.firstY < a.lastY) return upward(a, b);
  const start = a.y === a.lastY ? { x: middle(a), path: '' } : { x: gutter(a), path: outOf(a) };
  const end = b.y === b.firstY ? { x: middle(b), path: '' } : { x: gutter(b), path: into(b) };
  const y1 = a.lastY + kBoxHeight;
  const y2 = b.firstY;
  const bend = Math.round((y2 - y1) / 2);
  const begin = start.path || `M${start.x} ${y1}`;
  return `${begin}C${start.x} ${y1 + bend} ${end.x} ${y2 - bend} ${end.x} ${y2}${end.path}`;
}

function middle(box: Box): number {
  return Math.round(box.x + box.width / 2);
}
function gutter(box: Box): number {
  return Math.round(box.x - kGap / 2);
}
const kCorner = 4;
function outOf(box: Box): string {
  const y = box.y + kBoxHeight / 2;
  const x = gutter(box);
  return `M${box.x} ${y}Q${x} ${y} ${x} ${y + kCorner}V${box.lastY + kBoxHeight}`;
}
function into(box: Box): string {
  const y = box.y + kBoxHeight / 2;
  return `V${y - kCorner}Q${gutter(box)} ${y} ${box.x} ${y}`;
}

/** Only in a ring, or within a group: around the side. */
function upward(a: Box, b: Box): string {
  const [y1, y2] = [a.y + kBoxHeight / 2, b.y + kBoxHeight / 2];
  const x = Math.min(a.x, b.x) - kPad;
  return `M${a.x} ${y1}C${x} ${y1} ${x} ${y2} ${b.x} ${y2}`;
}
