import { toMilliseconds } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';

/** How far a call's date may be off, either way: 15 minutes (API Error Center, `InvalidTimeStamp.Expired`). */
const WINDOW = toMilliseconds({ minutes: 15 });

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** The shape of a call's date, for people. */
export const TIMESTAMP_SHAPE = 'YYYY-MM-DDThh:mm:ssZ';

/** @returns Unix milliseconds; undefined when the text has another shape or names no real moment */
export function parseTimestamp(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const time = Date.parse(text);
  // Date.parse rolls February 30th over into March.
  const isReal = !Number.isNaN(time) && new Date(time).toISOString() === text.replace('Z', '.000Z');
  return isReal ? time : undefined;
}

/**
 * The clocks that a call's date is compared with. Fresh by one of them is enough: an SDK dates its calls by the wall
 * clock, even while the gateway's own clock was moved.
 */
export interface Clocks {
  readonly clock: Clock;
  readonly wallClock: Clock;
}

export function isFresh(timestamp: number, { clock, wallClock }: Clocks): boolean {
  return [clock, wallClock].some((each) => Math.abs(each.now() - timestamp) <= WINDOW);
}

/**
 * How long after a call it can be repeated at most, in real time: its date may be ahead of the clock by a window, and
 * is fresh for a whole window after that.
 */
export const MAX_FRESH = 2 * WINDOW;

/**
 * @returns until when, by the gateway's clock, a nonce must be kept: as long as a call with this date can be fresh by
 *   that clock. Freshness by another clock ends after `MAX_FRESH` of real time.
 */
export function nonceExpiry(timestamp: number, { clock }: Pick<Clocks, 'clock'>): number {
  return Math.max(timestamp, clock.now()) + WINDOW + 1;
}
