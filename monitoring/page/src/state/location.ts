// The route as a signal. A token in the URL is taken out before anything else sees it.

import { signal } from '@preact/signals';
import { parseRoute, tokenIn, type Route } from '../model/route';

export const route = signal<Route>(parseRoute(location.hash));

/** Takes "#token=…" from the URL and leaves no trace of it in the tab's history. */
export function takeToken(): string | null {
  const token = tokenIn(location.hash);
  if (token !== null) history.replaceState(null, '', `${location.pathname}#/`);
  return token;
}

export function startRoutes(onToken: (token: string) => void): void {
  const read = () => {
    const token = takeToken();
    if (token !== null) onToken(token);
    route.value = parseRoute(location.hash);
  };
  addEventListener('hashchange', read);
  read();
}

export function go(to: string): void {
  location.hash = to;
}
