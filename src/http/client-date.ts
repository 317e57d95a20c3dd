import { toMilliseconds } from '../lib/clock.ts';

/**
 * How far the date of a request may differ from a clock: 15 minutes (OSS "Add signatures to the header" and "Signature
 * version 4"; API Error Center, `InvalidTimeStamp.Expired`).
 */
export const MAX_SKEW = toMilliseconds({ minutes: 15 });

/**
 * Compares a date that a client wrote with the clocks. It needs to be fresh by only one of them: an SDK takes its dates
 * from the machine's clock, also after a test has moved the clock of the gateway.
 * @param date - Unix milliseconds
 * @param times - what the clocks say, in Unix milliseconds
 * @param maxAge - how old the date may be, in milliseconds
 */
export function isFresh(date: number, times: readonly number[], maxAge = MAX_SKEW): boolean {
  return times.some((now) => date - MAX_SKEW <= now && now <= date + maxAge);
}

/** @returns milliseconds between a date that a client wrote and the nearest of the clocks */
export function skewOf(date: number, times: readonly number[]): number {
  return Math.min(...times.map((now) => Math.abs(date - now)));
}
