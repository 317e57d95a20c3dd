import { hasErrorCode } from '../lib/errno.ts';
import { clearTimeout, setTimeout } from '../lib/timers.ts';
import { reach } from './network-failure.ts';
import { below, probe, timedOut } from './probe.ts';

const PATIENCE_MS = 5000;

/** What a request is given to work with. */
export interface Watched {
  /** Ends the request when its host is silent. */
  readonly signal: AbortSignal;
  /** To call when the request has made progress. */
  readonly onProgress: () => void;
}

/**
 * Runs a request until its response begins. When it has made no progress for some seconds, its host is asked for
 * another response, and the request ends if there is none, too. So a purge of many files may take its time.
 * @throws CommandError that says why there was no response
 */
export function reachAnswering<T>(
  url: string,
  request: (watched: Watched) => Promise<T>,
): Promise<T> {
  return reach(url, () => unlessSilent(url, request));
}

async function unlessSilent<T>(url: string, request: (watched: Watched) => Promise<T>): Promise<T> {
  const silence = new AbortController();
  const done = new AbortController();
  let hasMoved = false;
  const look = async (): Promise<void> => {
    const goesOn = hasMoved || (await answers(url, done.signal));
    hasMoved = false;
    if (done.signal.aborted) return;
    if (goesOn) watch();
    else silence.abort();
  };
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    timer = setTimeout(() => {
      look().catch((error: unknown) => {
        silence.abort(error);
      });
    }, PATIENCE_MS);
    // Node 20 never settles a `fetch` whose connection is closed at once. Then nothing else keeps the process, which ends.
    timer.unref();
  };
  watch();
  try {
    return await request({
      signal: silence.signal,
      onProgress: () => {
        hasMoved = true;
      },
    });
  } catch (error) {
    throw silence.signal.aborted ? timedOut() : error;
  } finally {
    clearTimeout(timer);
    done.abort();
  }
}

/** @returns false when a host is silent; a host that closes the connection is not */
async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    await probe(below(url, '/_gateway/health/live'), signal);
    return true;
  } catch (error) {
    return !hasErrorCode(error, 'ETIMEDOUT');
  }
}
