// The frame: who looks, where one is, how fresh it is; and the view that the URL names.

import { useEffect, useRef } from 'preact/hooks';
import { age } from '../model/format';
import { summary } from '../model/health';
import { href } from '../model/route';
import type { Me } from '../model/types';
import { done } from '../state/action';
import { ApiError, get } from '../state/api';
import { ageMs, health, isStale, refresh, systems, trouble } from '../state/live';
import { route } from '../state/location';
import { dropToken, me, token } from '../state/session';
import { theme, turnTheme } from '../state/theme';
import { Board } from './board';
import { ActionDialog } from './dialog';
import { Glyph } from './glyph';
import { Login } from './login';
import { NodeView } from './node';
import { OrderView } from './order';
import { Orders } from './orders';
import { Parked } from './parked';
import { Queues } from './queues';
import { RunbookView } from './runbook';
import { SystemView } from './system';
import { Workers } from './workers';

const kPlaces: [name: string, parts: string[]][] = [
  ['Health', []],
  ['Orders', ['orders']],
  ['Parked', ['parked']],
  ['Queues', ['queues']],
  ['Workers', ['workers']],
];

export function Shell() {
  useMe();
  useFocus();
  if (token.value === null) return <Login />;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href="#/" aria-label="ordo, health of all systems">
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <circle cx="4" cy="10" r="3" />
            <circle cx="16" cy="4.5" r="3" />
            <circle cx="16" cy="15.5" r="3" />
            <path d="M6.6 8.8l6.8-3.1M6.6 11.2l6.8 3.1" />
          </svg>
          ordo
        </a>
        <nav aria-label="Views">
          {kPlaces.map(([name, parts]) => (
            <a key={name} href={href(parts)} aria-current={isHere(parts) ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <Freshness />
        <span class="who">
          {me.value !== null && (
            <span title={`ordo-monitor ${me.value.version}`}>
              {me.value.name} <small>{me.value.role}</small>
            </span>
          )}
          <button
            type="button"
            class="quiet"
            onClick={turnTheme}
            title="Colours: auto, light, dark"
          >
            <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
              <circle class="ring" cx="8" cy="8" r="6.4" />
              <path class="fill" d="M8 1.6a6.4 6.4 0 0 1 0 12.8z" />
            </svg>
            <span class="off">Colours: </span>
            {theme.value}
          </button>
          <button type="button" class="quiet" onClick={() => dropToken('')}>
            Sign out
          </button>
        </span>
      </header>
      <StaleBanner />
      <main id="main">
        <View />
      </main>
      <Announcer />
      <ActionDialog />
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('main h1')?.focus();
}

function isHere(parts: string[]): boolean {
  const [first] = route.value.parts;
  if (parts.length > 0) return first === parts[0];
  return first === undefined || first === 'system' || first === 'runbook';
}

function View() {
  const { parts, query } = route.value;
  const [place, name = '', sub, id = ''] = parts;
  if (place === 'system' && sub === 'node') return <NodeView key={id} system={name} id={id} />;
  if (place === 'system') return <SystemView key={name} name={name} />;
  if (place === 'orders' && name !== '') return <OrderView key={name} id={name} />;
  if (place === 'orders') return <Orders query={query} />;
  if (place === 'parked') return <Parked />;
  if (place === 'queues') return <Queues />;
  if (place === 'workers') return <Workers />;
  if (place === 'runbook') return <RunbookView key={name} name={name} />;
  return <Board />;
}

/** Asks once who the token belongs to. */
function useMe(): void {
  const held = token.value;
  useEffect(() => {
    if (held === null) return;
    let isGone = false;
    const ask = () => {
      get<Me>('/api/v1/me').then(
        (answer) => !isGone && (me.value = answer),
        (error: unknown) => {
          const isDown = error instanceof ApiError && error.status !== 401;
          if (isDown && !isGone) setTimeout(ask, 3000);
        },
      );
    };
    ask();
    return () => void (isGone = true);
  }, [held]);
}

/** A new view begins at its heading, for the eyes and for a screen reader. */
function useFocus(): void {
  const path = route.value.parts.join('/');
  const last = useRef(path);
  useEffect(() => {
    if (last.current === path) return;
    last.current = path;
    scrollTo(0, 0);
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [path]);
}

function Freshness() {
  if (ageMs.value === null) return <span class="fresh">{trouble.value || 'asking …'}</span>;
  return (
    <span class={isStale.value ? 'fresh stale' : 'fresh'}>
      <span class="pulse" aria-hidden="true" />
      as of <b class="num">{age(ageMs.value)}</b> ago
    </span>
  );
}

function StaleBanner() {
  const isNever = health.value === null && trouble.value !== '';
  if (!isStale.value && !isNever) return null;
  return (
    <div class="banner" role="alert">
      <Glyph of="unknown" size={22} />
      <p>
        <b>No fresh data.</b>{' '}
        {trouble.value || 'The monitor answers, but what it tells does not change any more.'}{' '}
        Nothing below is known to be so now: see whether ordo-monitor runs and reaches the brokers.
      </p>
      <button type="button" onClick={() => void refresh()}>
        Ask now
      </button>
    </div>
  );
}

/** Reads out what changes, and only that. */
function Announcer() {
  const text = isStale.value ? 'No fresh data.' : summary(systems.value);
  return (
    <>
      <div class="off" aria-live="polite" id="news">
        {text}
      </div>
      <div class={done.value ? 'toast' : 'toast empty'} role="status">
        {done.value}
      </div>
    </>
  );
}
