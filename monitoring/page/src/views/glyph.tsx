// Every state has a shape of its own beside its colour and its word. The shapes say nothing to a
// screen reader: the word stands beside them.

import type { Colour } from '../model/types';

const kShapes: Record<string, preact.JSX.Element> = {
  green: (
    <>
      <circle class="fill" cx="8" cy="8" r="6.6" />
      <path class="sign" d="M4.9 8.2l2.2 2.2 4-4.6" />
    </>
  ),
  yellow: (
    <>
      <path class="fill" d="M8 1.2l7.2 13H.8z" />
      <path class="sign" d="M8 6v3.6M8 11.8v.3" />
    </>
  ),
  red: (
    <>
      <path class="fill" d="M5 1h6l4 4v6l-4 4H5l-4-4V5z" />
      <path class="sign" d="M5.4 5.4l5.2 5.2m0-5.2l-5.2 5.2" />
    </>
  ),
  unknown: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.4" stroke-dasharray="2.6 2.1" />
      <path class="mark" d="M6.2 6.3a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.6-.9 1.3M8 11.6v.3" />
    </>
  ),
  running: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.4" />
      <path class="fill" d="M6.2 4.8v6.4L11.6 8z" />
    </>
  ),
  waiting: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.4" />
      <path class="mark" d="M8 4.4V8l2.4 1.6" />
    </>
  ),
  pending: <circle class="ring" cx="8" cy="8" r="6.4" stroke-dasharray="1 2.4" />,
  paused: (
    <>
      <circle class="fill" cx="8" cy="8" r="6.6" />
      <path class="sign" d="M6.3 5.2v5.6M9.7 5.2v5.6" />
    </>
  ),
  parked: (
    <>
      <rect class="fill" x="1.4" y="1.4" width="13.2" height="13.2" rx="3" />
      <path class="sign" d="M6.3 12V4.4h2.6a2.2 2.2 0 0 1 0 4.5H6.3" />
    </>
  ),
  skipped: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.4" />
      <path class="mark" d="M5 5.4L7.6 8 5 10.6M8.4 5.4L11 8l-2.6 2.6" />
    </>
  ),
  cancelled: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.4" />
      <path class="mark" d="M4 12l8-8" />
    </>
  ),
};

/** What shape and tone a word of a task or an order has. */
const kShapeOf: Record<string, [shape: string, tone: string]> = {
  green: ['green', 'green'],
  yellow: ['yellow', 'yellow'],
  red: ['red', 'red'],
  unknown: ['unknown', 'unknown'],
  succeeded: ['green', 'green'],
  failed: ['red', 'red'],
  running: ['running', 'busy'],
  leased: ['running', 'busy'],
  compensating: ['running', 'yellow'],
  ready: ['waiting', 'calm'],
  backlog: ['waiting', 'calm'],
  scheduled: ['waiting', 'calm'],
  waiting: ['waiting', 'calm'],
  held: ['waiting', 'calm'],
  pending: ['pending', 'calm'],
  parked: ['parked', 'yellow'],
  paused: ['paused', 'yellow'],
  draining: ['skipped', 'yellow'],
  skipped: ['skipped', 'calm'],
  cancelled: ['cancelled', 'calm'],
};

export function toneOf(word: string): string {
  return kShapeOf[word]?.[1] ?? 'unknown';
}

export function Glyph({ of, size = 16 }: { of: string; size?: number }) {
  const [shape, tone] = kShapeOf[of] ?? ['unknown', 'unknown'];
  return (
    <svg
      class={`glyph tone-${tone}`}
      viewBox="0 0 16 16"
      width={size}
      height={size}
      aria-hidden="true"
    >
      {kShapes[shape]}
    </svg>
  );
}

/** Shape and word together. */
export function State({ word, children }: { word: string; children?: preact.ComponentChildren }) {
  return (
    <span class={`state tone-${toneOf(word)}`}>
      <Glyph of={word} />
      <span>{children ?? word}</span>
    </span>
  );
}

/** "2 red, 1 yellow, 37 green" with shapes; nothing for what there is none of. */
export function Tally({ counts, isShort }: { counts: Record<Colour, number>; isShort?: boolean }) {
  const words: Colour[] = ['red', 'yellow', 'unknown', 'green'];
  return (
    <span class="tally">
      {words
        .filter((word) => counts[word] > 0)
        .map((word) => (
          <span key={word} class={`tone-${word}`}>
            <Glyph of={word} size={13} />
            <b>{counts[word]}</b>{' '}
            <span class={isShort && word === 'green' ? 'off' : undefined}>{word}</span>
          </span>
        ))}
    </span>
  );
}
