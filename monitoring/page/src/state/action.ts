// What an operator is about to do: one at a time, shown by views/dialog.tsx. And what was done: a
// line that is shown for a while and read out once.

import { signal } from '@preact/signals';

export interface Action {
  title: string;
  /** What will happen, one or two sentences. */
  sentence: string;
  /** The button's words: "Retry step". */
  verb: string;
  isHarmful?: boolean;
  /** Asks for the result to record. */
  asksResult?: boolean;
  /** Asked before anything is done: says what would be; the answer is shown with the button. */
  rehearse?: (why: string) => Promise<string>;
  /** Does it; says what was done. */
  run: (why: string, result: string) => Promise<string>;
}

export const action = signal<Action | null>(null);
export const done = signal('');

let timer = 0;
export function tell(what: string): void {
  done.value = what;
  clearTimeout(timer);
  timer = window.setTimeout(() => (done.value = ''), 8000);
}
