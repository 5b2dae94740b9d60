// Small parts that several views use.

import { age, duration, moment } from '../model/format';
import type { Polled } from '../state/polled';
import { clock } from '../state/live';

/** "2 min 5 s ago", with the moment itself as a tooltip. */
export function Ago({ ms }: { ms: number }) {
  return (
    <time dateTime={new Date(ms).toISOString()} title={moment(ms, clock.value)}>
      {age(clock.value - ms)}
    </time>
  );
}

export function Span({ ms }: { ms: number }) {
  return <span class="num">{duration(ms)}</span>;
}

/** Says that a view still waits for its data, or why it has none; null where all is well. */
export function Missing<T>({ of, what }: { of: Polled<T>; what: string }) {
  if (of.error !== null) {
    const isOld = of.data !== null;
    return (
      <p class="notice bad" role="alert">
        {of.error.message} {isOld ? `What is shown of ${what} is from before.` : ''}{' '}
        <button type="button" class="quiet" onClick={of.again}>
          Ask again
        </button>
      </p>
    );
  }
  return of.data === null ? <p class="notice">Asking for {what} …</p> : null;
}

export function Empty({ children }: { children: preact.ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** A table that may be wider than its place: it scrolls by itself, also by keyboard. */
export function Scroll(props: {
  label: string;
  class?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class={`scroll ${props.class ?? ''}`} role="region" aria-label={props.label} tabIndex={0}>
      {props.children}
    </div>
  );
}

export function Heading(props: {
  children: preact.ComponentChildren;
  aside?: preact.ComponentChildren;
}) {
  return (
    <div class="heading">
      <h1 tabIndex={-1}>{props.children}</h1>
      {props.aside}
    </div>
  );
}
