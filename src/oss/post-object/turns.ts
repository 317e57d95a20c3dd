/** Runs work when it is its turn. Rejects with the signal's reason when that is aborted before. */
export type Turns = <Result>(work: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** Lets so many pieces of work run at once; the others wait, the first come first. */
export function createTurns(limit: number): Turns {
  let free = limit;
  const waiting = new Set<() => void>();

  const begin = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (free > 0) {
        free -= 1;
        resolve();
        return;
      }
      const start = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        waiting.delete(start);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      waiting.add(start);
      signal.addEventListener('abort', leave, { once: true });
    });

  const end = (): void => {
    const [next] = waiting;
    if (next === undefined) {
      free += 1;
      return;
    }
    waiting.delete(next);
    next();
  };

  return async (work, signal) => {
    await begin(signal);
    try {
      return await work();
    } finally {
      end();
    }
  };
}
