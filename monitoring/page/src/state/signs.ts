// What is seen of the state from outside the page: the tab's title and its icon.

import { effect } from '@preact/signals';
import { titleOf, worst } from '../model/health';
import type { Colour } from '../model/types';
import { health, isStale, systems } from './live';

const kFill: Record<Colour, string> = {
  green: '#1f7a4d',
  yellow: '#f0b429',
  red: '#c4281c',
  unknown: '#6b7280',
};
// The same shapes as everywhere: circle, triangle, octagon, hollow circle.
const kShape: Record<Colour, string> = {
  green: '<circle cx="16" cy="16" r="14"/><path d="M9 16l5 5 9-10" stroke="#fff"/>',
  yellow: '<path d="M16 2l15 27H1z"/><path d="M16 12v8m0 3v2" stroke="#000"/>',
  red:
    '<path d="M10 2h12l8 8v12l-8 8H10l-8-8V10z"/>' +
    '<path d="M11 11l10 10m0-10L11 21" stroke="#fff"/>',
  unknown: '<circle cx="16" cy="16" r="14"/><path d="M9 16h14" stroke="#fff"/>',
};

export function iconOf(colour: Colour): string {
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="${kFill[colour]}" ` +
    `stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round">${kShape[colour]}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

export function startSigns(): void {
  const icon = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  effect(() => {
    if (health.value === null) {
      document.title = 'ordo';
      return;
    }
    document.title = titleOf(systems.value, isStale.value);
    const colour = isStale.value ? 'unknown' : worst(systems.value.map((s) => s.status));
    const url = iconOf(colour);
    if (icon !== null && icon.href !== url) icon.href = url;
  });
}
