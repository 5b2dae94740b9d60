// Dark or light: the system's choice, unless somebody has made another here.

import { signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';
const kKey = 'ordo.theme';
const kNext: Record<Theme, Theme> = { auto: 'light', light: 'dark', dark: 'auto' };

function stored(): Theme {
  const value = localStorage.getItem(kKey);
  return value === 'light' || value === 'dark' ? value : 'auto';
}

export const theme = signal<Theme>(stored());

export function startTheme(): void {
  theme.subscribe((value) => {
    if (value === 'auto') document.documentElement.removeAttribute('data-theme');
    else document.documentElement.dataset.theme = value;
  });
}

export function turnTheme(): void {
  theme.value = kNext[theme.value];
  localStorage.setItem(kKey, theme.value);
}
