// Who looks: the token lives in this tab's sessionStorage, nowhere else.

import { computed, signal } from '@preact/signals';
import type { Me } from '../model/types';

const kKey = 'ordo.token';

export const token = signal<string | null>(sessionStorage.getItem(kKey));
export const me = signal<Me | null>(null);
/** Why the last token was not taken; empty: nothing was wrong. */
export const refusal = signal('');
export const isOperator = computed(() => me.value?.role === 'operator');

export function keepToken(value: string): void {
  sessionStorage.setItem(kKey, value);
  me.value = null;
  refusal.value = '';
  token.value = value;
}

export function dropToken(why: string): void {
  sessionStorage.removeItem(kKey);
  token.value = null;
  me.value = null;
  refusal.value = why;
}
