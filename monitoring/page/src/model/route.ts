// Every view has a URL behind the `#`: "#/orders?which=parked". Pure; state/location.ts keeps it.

export interface Route {
  /** Decoded parts: ["system", "shop", "node", "worker/pay-1"]. */
  parts: string[];
  query: Record<string, string>;
}

export function parseRoute(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean).map(decode);
  return { parts, query: Object.fromEntries(new URLSearchParams(search)) };
}

export function href(parts: string[], query: Record<string, string | undefined> = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value);
  const search = new URLSearchParams(pairs as [string, string][]).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${search ? `?${search}` : ''}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The token in "#token=…", which is how a link hands it over; null where there is none. */
export function tokenIn(hash: string): string | null {
  const found = /^#token=([^&]+)/.exec(hash);
  return found?.[1] === undefined ? null : decode(found[1]);
}
