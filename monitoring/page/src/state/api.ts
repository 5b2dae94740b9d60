// The monitor's API. Errors: ApiError with the monitor's own sentence; `status` 0 where it could
// not be reached at all. A token that is no longer known ends the session.

import { dropToken, token } from './session';

/** An answer that takes longer is no answer: the next question would overtake it. */
const kPatienceMs = 10_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string,
  ) {
    super(message);
  }
}

interface ErrorBody {
  error?: { code?: string; reason?: string; message?: string };
}

async function ask<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token.value ?? ''}` };
  if (init.body !== undefined) headers['Content-Type'] = 'application/json';
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), kPatienceMs);
  signal?.addEventListener('abort', () => limit.abort());
  try {
    const options = { ...init, headers, signal: limit.signal, cache: 'no-store' as const };
    const response = await fetch(path, options);
    const body = (await response.json().catch(() => ({}))) as T & ErrorBody;
    if (response.ok) return body;
    if (response.status === 401) dropToken('This token is not known (any more).');
    const said = body.error?.message ?? `The monitor answered ${response.status}.`;
    throw new ApiError(response.status, body.error?.reason ?? '', said);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(0, 'unreachable', 'The monitor does not answer.');
  } finally {
    clearTimeout(timer);
  }
}

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, { method: 'GET' }, signal);
}

export function post<T>(path: string, body: object): Promise<T> {
  return ask<T>(path, { method: 'POST', body: JSON.stringify(body) });
}

/** "/api/v1/orders" with what of the query is given. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const pairs = Object.entries(query).filter(([, value]) => value) as [string, string][];
  return pairs.length > 0 ? `${path}?${new URLSearchParams(pairs).toString()}` : path;
}
