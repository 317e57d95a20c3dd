import { toMilliseconds } from '../../lib/clock.ts';
import type { Clock } from '../../lib/clock.ts';

/**
 * Allowed difference between the date of a call and a clock, in both directions: 15 minutes (API Error Center,
 * `InvalidTimeStamp.Expired`).
 */
const WINDOW = toMilliseconds({ minutes: 15 });

const SHAPE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** The format of the date of a call, for messages. */
export const TIMESTAMP_SHAPE = 'YYYY-MM-DDThh:mm:ssZ';

/** @returns Unix milliseconds; undefined when the text has another format or the time does not exist */
export function parseTimestamp(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const time = Date.parse(text);
  // Formats the time again, because Date.parse turns February 30 into a day of March.
  const isReal = !Number.isNaN(time) && new Date(time).toISOString() === text.replace('Z', '.000Z');
  return isReal ? time : undefined;
}

/**
 * The clocks that the date of a call is compared with. A call needs to be fresh by only one of them: an SDK takes its
 * dates from the wall clock, also after a test has moved the clock of the gateway.
 */
export interface Clocks {
  readonly clock: Clock;
  readonly wallClock: Clock;
}

export function isFresh(timestamp: number, { clock, wallClock }: Clocks): boolean {
  return [clock, wallClock].some((each) => Math.abs(each.now() - timestamp) <= WINDOW);
}

/**
 * The longest real time for which a call stays fresh: its date may be one window ahead of the clock, and it is fresh
 * for another window after that date.
 */
export const MAX_FRESH = 2 * WINDOW;

/**
 * @returns the time, by the clock of the gateway, until which a nonce must be kept: as long as a call with this date
 *   can be fresh by that clock. By the other clock it is fresh for at most `MAX_FRESH` of real time.
 */
export function nonceExpiry(timestamp: number, { clock }: Pick<Clocks, 'clock'>): number {
  return Math.max(timestamp, clock.now()) + WINDOW + 1;
}
