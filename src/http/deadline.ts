import { clearTimeout, setTimeout } from '../lib/timers.ts';

/**
 * Runs work with a time limit.
 *
 * Keeps its own timer and controller: Node may collect the signal that `AbortSignal.any` makes of an
 * `AbortSignal.timeout`, which then never aborts (nodejs/node#57736).
 *
 * @param milliseconds - when to abort the signal of `work`
 * @param outer - aborts it earlier
 * @param work - must stop when its signal aborts
 */
export async function withDeadline<Result>(
  milliseconds: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const own = new AbortController();
  const abort = (): void => {
    own.abort();
  };
  if (outer.aborted) abort();
  const timer = setTimeout(abort, milliseconds);
  outer.addEventListener('abort', abort, { once: true });
  try {
    return await work(own.signal);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', abort);
  }
}
