// The map of a system. Places are computed when nodes come or go, an app is opened or the window's
// width changes; a change of colour touches only the boxes that changed.

import { useMemo, useRef, useState } from 'preact/hooks';
import { countColours, redEdges, worst } from '../model/health';
import { sortBy } from '../model/layers';
import { adviceFor, nameOf } from '../model/reasons';
import {
  kBoxHeight,
  layoutMap,
  shapeOf,
  type Box,
  type Line,
  type MapLayout,
} from '../model/topology';
import type { HealthNode, System } from '../model/types';
import { useWidth } from '../state/width';
import { Glyph, Tally } from './glyph';
import { memo } from './memo';
import { nodeHref } from './wrong';

/** With more lines than this only those of sick nodes, and of the one pointed at, are drawn. */
const kLinesAtMost = 90;

export function SystemMap({ system }: { system: System }) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame, 900);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [near, setNear] = useState('');
  const shape = shapeOf(system);
  const layout = useMemo(() => layoutMap(system, open, width), [shape, open, width]);
  const nodes = new Map(system.nodes.map((node) => [node.id, node]));
  const because = causesOf(system);
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const point = (event: Event) => {
    const box = (event.target as Element).closest?.<HTMLElement>('[data-box]');
    setNear(box?.dataset.box ?? '');
  };
  return (
    <div
      class={near ? 'map pointing' : 'map'}
      ref={frame}
      onMouseOver={point}
      onMouseLeave={() => setNear('')}
      onFocusIn={point}
      onFocusOut={() => setNear('')}
      style={{ height: `${layout.height}px` }}
    >
      <Lines layout={layout} system={system} near={near} />
      {layout.groups.map((area) => (
        <div key={area.group} class="area" style={placeOf(area, area.height)}>
          <h3>
            {area.group} <span class="num">{area.nodes.length}</span>
          </h3>
        </div>
      ))}
      {layout.boxes.map((box) =>
        box.kind === 'app' ? (
          <AppBox key={box.id} box={box} members={fresh(box, nodes)} toggle={toggle} />
        ) : (
          <NodeBox
            key={box.id}
            system={system.system}
            node={nodes.get(box.id)}
            because={because.get(box.id) ?? ''}
            x={box.x}
            y={box.y}
            width={box.width}
          />
        ),
      )}
    </div>
  );
}

function placeOf(at: { x: number; y: number; width: number }, height: number) {
  return {
    transform: `translate(${at.x}px, ${at.y}px)`,
    width: `${at.width}px`,
    height: `${height}px`,
  };
}

function fresh(box: Box, nodes: Map<string, HealthNode>): HealthNode[] {
  return box.nodes.map((node) => nodes.get(node.id)).filter((node) => node !== undefined);
}

/** For each node that is red because of another: that other's name. */
function causesOf(system: System): Map<string, string> {
  const byId = new Map(system.nodes.map((node) => [node.id, node]));
  const because = new Map<string, string>();
  const needed = new Map<string, string[]>();
  for (const { from, to } of redEdges(system)) {
    const list = needed.get(from);
    if (list === undefined) needed.set(from, [to]);
    else list.push(to);
  }
  for (const id of needed.keys()) {
    const seen = new Set([id]);
    const ahead = [id];
    for (let at = ahead.shift(); at !== undefined; at = ahead.shift()) {
      const node = byId.get(at);
      if (at !== id && node?.root_cause) {
        because.set(id, nameOf(node));
        break;
      }
      for (const next of needed.get(at) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        ahead.push(next);
      }
    }
  }
  return because;
}

interface NodeBoxProps {
  system: string;
  node: HealthNode | undefined;
  because: string;
  x: number;
  y: number;
  width: number;
}

const NodeBox = memo<NodeBoxProps>(
  ({ system, node, because, x, y, width }: NodeBoxProps) => {
    if (node === undefined) return null;
    const isCause = node.root_cause && node.status === 'red';
    const word = node.status === 'green' ? 'green' : `${node.status} · ${adviceFor(node).word}`;
    const why = isCause ? 'root cause' : because ? `because of ${because}` : '';
    return (
      <a
        class={`box tone-${node.status}${isCause ? ' is-cause' : ''}`}
        href={nodeHref(system, node.id)}
        data-box={node.id}
        title={`${node.id}: ${word}${node.text ? `\n${node.text}` : ''}`}
        aria-label={`${nameOf(node)}: ${word}${why ? `, ${why}` : ''}`}
        style={placeOf({ x, y, width }, kBoxHeight)}
      >
        <Glyph of={node.status} />
        <span class="name">{node.node}</span>
        <span class="sub">{why ? `${node.status} · ${why}` : word}</span>
      </a>
    );
  },
  (a, b) =>
    a.x === b.x &&
    a.y === b.y &&
    a.width === b.width &&
    a.because === b.because &&
    a.system === b.system &&
    isSame(a.node, b.node),
);

/** What a box shows of a node; its figures may change without a trace here. */
function isSame(a: HealthNode | undefined, b: HealthNode | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  const keys = ['id', 'status', 'reason', 'text', 'root_cause'] as const;
  return keys.every((key) => a[key] === b[key]);
}

function AppBox(props: { box: Box; members: HealthNode[]; toggle: (id: string) => void }) {
  const { box, members, toggle } = props;
  const status = worst(members.map((node) => node.status));
  const cause = members.find((node) => node.root_cause && node.status === 'red');
  const app = members[0]?.app ?? box.id;
  return (
    <button
      type="button"
      class={`box app tone-${status}${cause ? ' is-cause' : ''}`}
      data-box={box.id}
      aria-expanded={box.isOpen}
      style={placeOf(box, kBoxHeight)}
      onClick={() => toggle(box.id)}
      title={cause ? `${app}: root cause ${cause.node}` : app}
    >
      <Glyph of={status} />
      <span class="name">
        {app} <span class="num">×{members.length}</span>
      </span>
      <span class="sub">
        {cause ? `root cause: ${cause.node}` : <Tally counts={countColours(members)} isShort />}
      </span>
    </button>
  );
}

function Lines({ layout, system, near }: { layout: MapLayout; system: System; near: string }) {
  const boxOf = useMemo(() => boxesOf(layout), [layout]);
  const red = new Set(
    redEdges(system).map((edge) => `${boxOf.get(edge.from)}>${boxOf.get(edge.to)}`),
  );
  const isCrowded = layout.lines.length > kLinesAtMost;
  const shown = layout.lines.filter(
    (line) => !isCrowded || red.has(line.id) || line.from === near || line.to === near,
  );
  // Red ones last, so that they lie above the others.
  const drawn = sortBy(shown, (line) => (red.has(line.id) ? 1 : 0));
  return (
    <svg class="lines" width={layout.width} height={layout.height} aria-hidden="true">
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="4"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto"
        >
          <path d="M8 0L0 4l8 4z" />
        </marker>
      </defs>
      {drawn.map((line) => (
        <path key={line.id} class={classOf(line, red, near)} d={line.path} {...tipOf(line, red)} />
      ))}
    </svg>
  );
}

function boxesOf(layout: MapLayout): Map<string, string> {
  const boxOf = new Map<string, string>();
  for (const box of layout.boxes) {
    if (box.isOpen) continue;
    for (const node of box.nodes) boxOf.set(node.id, box.id);
  }
  return boxOf;
}

function classOf(line: Line, red: Set<string>, near: string): string {
  const isNear = near !== '' && (line.from === near || line.to === near);
  return `${red.has(line.id) ? 'red' : ''}${isNear ? ' near' : ''}`;
}
function tipOf(line: Line, red: Set<string>) {
  return red.has(line.id) ? { 'marker-start': 'url(#tip)' } : {};
}

export function Legend() {
  return (
    <p class="legend">
      Upper nodes need the lower ones. <span class="swatch" aria-hidden="true" /> A red line leads
      from a cause up to what is red because of it.
    </p>
  );
}
