// A hook: asks a path again and again while its view is there.

import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, get } from './api';

export interface Polled<T> {
  data: T | null;
  /** Why the last question failed; the data of the one before stays. */
  error: ApiError | null;
  /** performance.now() when `data` came. */
  at: number;
  again: () => void;
}

/** `path` null asks nothing; `everyMs` 0 asks once. */
export function usePolled<T>(path: string | null, everyMs: number): Polled<T> {
  const [state, setState] = useState<Omit<Polled<T>, 'again'>>({ data: null, error: null, at: 0 });
  const asker = useRef<() => void>(() => undefined);
  useEffect(() => {
    if (path === null) return;
    const gone = new AbortController();
    let timer = 0;
    setState({ data: null, error: null, at: 0 });
    const ask = async () => {
      clearTimeout(timer);
      try {
        const data = await get<T>(path, gone.signal);
        if (!gone.signal.aborted) setState({ data, error: null, at: performance.now() });
      } catch (error) {
        if (gone.signal.aborted) return;
        setState((old) => ({ ...old, error: error as ApiError }));
      }
      if (everyMs > 0 && !gone.signal.aborted) timer = window.setTimeout(() => void ask(), everyMs);
    };
    asker.current = () => void ask();
    void ask();
    return () => {
      gone.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs]);
  return { ...state, again: useCallback(() => asker.current(), []) };
}
