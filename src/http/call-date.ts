import { toUtc } from '../lib/dates.ts';
import { MAX_SKEW } from './client-date.ts';

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** The format of the date of a call, for messages. */
export const TIMESTAMP_SHAPE = 'YYYY-MM-DDThh:mm:ssZ';

/** @returns Unix milliseconds; undefined when the text has another format or the time does not exist */
export function parseTimestamp(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const time = Date.parse(text);
  // Formats the time again, because Date.parse turns February 30 into a day of March.
  const isReal = !Number.isNaN(time) && toUtc(time) === text.replace('Z', '.000Z');
  return isReal ? time : undefined;
}

/**
 * The longest real time for which a call stays fresh: its date may be `MAX_SKEW` ahead of the clock, and it is fresh
 * for as long again after that date.
 */
export const MAX_FRESH = 2 * MAX_SKEW;

/**
 * @param now - by the clock of the gateway
 * @returns the time, by the clock of the gateway, until which a nonce must be kept: as long as a call with this date
 *   can be fresh by that clock. By the other clock it is fresh for at most `MAX_FRESH` of real time.
 */
export function nonceExpiry(timestamp: number, now: number): number {
  return Math.max(timestamp, now) + MAX_SKEW + 1;
}
