import { toMilliseconds } from '../clock.ts';
import type { Clock } from '../clock.ts';

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

/** How long a nonce is kept when the gateway's clock can be moved, and so says nothing about the wall clock. */
const KEPT_WHEN_MOVED = toMilliseconds({ days: 366 });

/**
 * @returns until when, by the gateway's clock, a nonce must be kept: as long as a call with this date can be fresh by
 *   either clock
 */
export function nonceExpiry(timestamp: number, { clock, wallClock }: Clocks): number {
  const kept = clock === wallClock ? WINDOW : KEPT_WHEN_MOVED;
  // A date may be ahead of the clock, and is fresh for a whole window after it.
  return Math.max(timestamp, clock.now()) + kept + 1;
}
