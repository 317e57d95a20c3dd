import type { Failure } from './store-errors.ts';

/** How often a call is tried, and how long it waits between two tries, in milliseconds. */
export interface RetryRule {
  readonly tries: number;
  /** The most that the first wait takes; it doubles each time. */
  readonly delay: number;
}

/** Failures that may be over at the next try. */
const PASSING: readonly Failure[] = ['silent', 'failing'];

/** What has happened to a call so far. */
export interface FailedTries {
  /** How often it was tried. */
  readonly count: number;
  readonly last: Failure;
  /** An earlier try has met a clock that differs. */
  readonly wasSkewed: boolean;
}

/**
 * Decides whether a call is tried again.
 * @param random - from 0 up to 1, so that many callers do not try again at the same moment
 * @returns milliseconds to wait, or undefined to give up
 */
export function waitBeforeRetry(
  { delay, tries }: RetryRule,
  { count, last, wasSkewed }: FailedTries,
  random: number,
): number | undefined {
  // The failed try has set the clock of the client.
  if (last === 'skewed') return wasSkewed ? undefined : 0;
  if (count >= tries || !PASSING.includes(last)) return undefined;
  return delay * 2 ** (count - 1) * (0.5 + random / 2);
}
