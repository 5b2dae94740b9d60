// A pipeline's steps as a drawing from top to bottom. A line that passes layers on its way has a
// place in each of them, so that it runs beside the steps there and not behind them.
//
// Units: CSS pixels from the drawing's top left corner.

import { layersOf, rowsOf, type Link } from './layers';
import type { GraphStep } from './types';

export const kStepWidth = 148;
export const kStepHeight = 30;
const kAcross = 12;
const kDown = 26;
/** The place of a line that passes by. */
const kPassing = 16;

export interface StepPlace {
  step: string;
  x: number;
  y: number;
}
export interface StepDrawing {
  places: StepPlace[];
  paths: string[];
  width: number;
  height: number;
}

export function drawSteps(steps: GraphStep[]): StepDrawing {
  const ids = steps.map((each) => each.step);
  const known = new Set(ids);
  const links = steps.flatMap(({ step, after }) =>
    after.filter((from) => known.has(from)).map((from) => ({ from, to: step })),
  );
  const { chains, passing } = passingPlaces(ids, links);
  const pieces = chains.flatMap((chain) =>
    chain.slice(1).map((to, i) => ({ from: chain[i] ?? to, to })),
  );
  const rows = rowsOf([...ids, ...passing], pieces);
  const widthOf = (id: string) => (known.has(id) ? kStepWidth : kPassing);
  const rowWidth = (row: string[]) =>
    row.reduce((sum, id) => sum + widthOf(id) + kAcross, -kAcross);
  const width = Math.max(0, ...rows.map(rowWidth)) + 4;
  const middles = new Map<string, { x: number; y: number }>();
  rows.forEach((row, layer) => {
    let x = (width - rowWidth(row)) / 2;
    for (const id of row) {
      middles.set(id, { x: Math.round(x + widthOf(id) / 2), y: layer * (kStepHeight + kDown) + 2 });
      x += widthOf(id) + kAcross;
    }
  });
  const places = ids.map((step) => {
    const { x, y } = middles.get(step) ?? { x: 0, y: 0 };
    return { step, x: x - kStepWidth / 2, y };
  });
  const paths = chains.map((chain) => pathAlong(chain, middles));
  const height = Math.max(0, rows.length * (kStepHeight + kDown) - kDown + 4);
  return { places, paths, width, height };
}

/** Each link as the chain of places that it runs through. */
function passingPlaces(ids: string[], links: Link[]) {
  const layers = layersOf(ids, links);
  const passing: string[] = [];
  const chains = links.map(({ from, to }) => {
    const chain = [from];
    for (let at = (layers.get(from) ?? 0) + 1; at < (layers.get(to) ?? 0); ++at) {
      const id = `${from}>${to}@${at}`;
      passing.push(id);
      chain.push(id);
    }
    return [...chain, to];
  });
  return { chains, passing };
}

function pathAlong(chain: string[], middles: Map<string, { x: number; y: number }>): string {
  let path = '';
  chain.forEach((id, i) => {
    const at = middles.get(id) ?? { x: 0, y: 0 };
    if (i > 0) path += ` ${at.x} ${at.y - kDown / 2} ${at.x} ${at.y}`;
    if (i === 0) path += `M${at.x} ${at.y + kStepHeight}`;
    else if (i < chain.length - 1) path += `V${at.y + kStepHeight}`;
    if (i < chain.length - 1) path += `C${at.x} ${at.y + kStepHeight + kDown / 2}`;
  });
  return path;
}
