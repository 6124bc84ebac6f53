/** Loading for a view: what came, what went wrong, and a way to ask again. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | null;
  problem: string | null;
  loading: boolean;
  reload: () => void;
}

/** Calls `load` at once and whenever `keys` change; the latest call wins. */
export function useLoaded<T>(load: () => Promise<T>, keys: readonly unknown[]): Loaded<T> {
  const [value, setValue] = useState<T | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [loading, setLoading] = useState(true);
  const latest = useRef(0);

  const reload = useCallback(() => {
    const call = ++latest.current;
    setLoading(true);
    load()
      .then((loaded) => {
        if (call !== latest.current) return;
        setValue(loaded);
        setProblem(null);
      })
      .catch((error: unknown) => {
        if (call === latest.current) setProblem(messageOf(error));
      })
      .finally(() => {
        if (call === latest.current) setLoading(false);
      });
  }, keys);
  useEffect(reload, [reload]);

  return { value, problem, loading, reload };
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
