// A pipeline's steps from top to bottom, each in its state. What the graph shows, the table of
// steps beneath it says too.

import { useMemo } from 'preact/hooks';
import { drawSteps, kStepHeight, kStepWidth } from '../model/steps';
import type { GraphStep, Task } from '../model/types';
import { Glyph } from './glyph';
import { Scroll } from './parts';

export function PipelineGraph({ steps, tasks }: { steps: GraphStep[]; tasks: Task[] }) {
  const drawn = useMemo(() => drawSteps(steps), [steps]);
  const states = new Map<string, string>();
  for (const task of tasks) {
    if (!task.task_kind) states.set(task.step, worse(states.get(task.step), task.state));
  }
  return (
    <Scroll label="Graph of the pipeline" class="graph-scroll">
      <div class="graph" style={{ width: `${drawn.width}px`, height: `${drawn.height}px` }}>
        <svg width={drawn.width} height={drawn.height} aria-hidden="true">
          {drawn.paths.map((path) => (
            <path key={path} d={path} />
          ))}
        </svg>
        <ul>
          {drawn.places.map(({ step, x, y }) => {
            const state = states.get(step) ?? 'pending';
            return (
              <li
                key={step}
                class={`node ${state}`}
                title={`${step}: ${state}`}
                style={{
                  transform: `translate(${x}px, ${y}px)`,
                  width: `${kStepWidth}px`,
                  height: `${kStepHeight}px`,
                }}
              >
                <Glyph of={state} size={14} />
                <span>{step}</span>
                <span class="off">: {state}</span>
              </li>
            );
          })}
        </ul>
      </div>
    </Scroll>
  );
}

const kRank = [
  'succeeded',
  'skipped',
  'pending',
  'ready',
  'backlog',
  'scheduled',
  'leased',
  'cancelled',
  'failed',
  'parked',
];
/** Of a step with several branches the one that most needs a look. */
function worse(a: string | undefined, b: string): string {
  return a === undefined || kRank.indexOf(b) > kRank.indexOf(a) ? b : a;
}
