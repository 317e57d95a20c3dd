/**
 * Runs work when fewer than the limit are running; the others wait in the order of their calls. Rejects with the
 * signal's reason when the signal is aborted before the work starts.
 */
export type RunLimited = <Result>(
  work: () => Promise<Result>,
  signal: AbortSignal,
) => Promise<Result>;

/** Creates a limit: at most `limit` pieces of work run at the same time. */
export function createConcurrencyLimit(limit: number): RunLimited {
  let free = limit;
  const waiting = new Set<() => void>();

  const acquire = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        resolve();
        return;
      }
      const start = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        waiting.delete(start);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      waiting.add(start);
      signal.addEventListener('abort', onAbort, { once: true });
    });

  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return async (work, signal) => {
    await acquire(signal);
    try {
      return await work();
    } finally {
      release();
    }
  };
}
