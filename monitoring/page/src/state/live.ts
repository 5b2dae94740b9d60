// The health of everything, asked for every two seconds, and how old it is.
//
// Rule: the age counts from the moment at which the monitor's own clock was last seen to move, so a
//       monitor that answers with yesterday's tree is as stale as one that does not answer. This
//       page's clock and the monitor's are never compared.

import { batch, computed, signal } from '@preact/signals';
import { dropSilent, kStaleMs, withoutNews, sortSystems } from '../model/health';
import type { Health, System } from '../model/types';
import { ApiError, get } from './api';
import { token } from './session';

const kEveryMs = 2000;

/** Moves once a second: what shows ages reads it. */
export const clock = signal(Date.now());
export const health = signal<Health | null>(null);
/** Why the last question failed; empty: it did not. */
export const trouble = signal('');

const freshAt = signal(performance.now());
const steady = computed(() => (clock.value, performance.now()));

/** Since the newest that is known of anything; null before the first answer. */
export const ageMs = computed(() => {
  if (health.value === null) return null;
  const sources = health.value.sources.map((source) => source.age_ms);
  const youngest = sources.length > 0 ? Math.min(...sources) : 0;
  return Math.max(0, steady.value - freshAt.value) + youngest;
});
export const isStale = computed(() => ageMs.value !== null && ageMs.value > kStaleMs);

/** What is shown: worst first, and nothing with a colour that is not fresh. */
export const systems = computed<System[]>(() => {
  if (health.value === null) return [];
  if (isStale.value) return sortSystems(health.value.systems.map(withoutNews));
  return dropSilent(health.value).systems;
});

let asking = false;
export async function refresh(): Promise<void> {
  if (asking || token.value === null) return;
  asking = true;
  try {
    const answer = await get<Health>('/api/v1/health');
    batch(() => {
      if (answer.at_ms !== health.value?.at_ms) freshAt.value = performance.now();
      clock.value = Date.now();
      health.value = answer;
      trouble.value = '';
    });
  } catch (error) {
    trouble.value = error instanceof ApiError ? error.message : String(error);
  } finally {
    asking = false;
  }
}

export function startLive(): void {
  setInterval(() => (clock.value = Date.now()), 1000);
  setInterval(() => void refresh(), kEveryMs);
  addEventListener('online', () => void refresh());
  document.addEventListener('visibilitychange', () => {
    clock.value = Date.now();
    if (document.visibilityState === 'visible') void refresh();
  });
  token.subscribe((value) => {
    if (value === null) health.value = null;
    else void refresh();
  });
}
