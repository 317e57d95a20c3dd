import { createTask } from 'node-cron';
import { wallClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { PurgeReport } from '../uploads/purge.ts';

/** A job that runs by the wall clock until it is stopped. */
export interface Job {
  /** Starts no more runs, and waits for the one that is under way. */
  stop(): Promise<void>;
}

const SECOND_MS = 1000;
/** How many seconds are compared with the expression at most when the clock has moved on. */
const MAX_WALK = 60;

/**
 * Runs the purge by a cron expression, one run at a time; a slot that comes during a run is left out.
 *
 * node-cron says which seconds are slots, and carries out the runs. Its own timer is not used: when the wall clock is
 * set forward, it walks through every slot in between, which takes minutes for some years, and when the clock is set
 * back, it waits until the old time comes again. Here either costs one run at most.
 * @param cron - five fields, or six with seconds first
 * @throws an Error when that is not a cron expression
 */
export function startPurgeJob(
  cron: string,
  purge: () => Promise<PurgeReport>,
  logger: Logger,
): Job {
  const task = createTask(cron, async () => {
    try {
      logger.debug(await purge(), 'purge');
    } catch (error) {
      logger.error({ err: error }, 'the purge failed; the next one tries again');
    }
  });
  let running: Promise<unknown> | undefined;
  let last = secondOf(wallClock.now());
  let timer = setTimeout(look, SECOND_MS);

  function look(): void {
    const now = wallClock.now();
    const isSlot = (second: number): boolean => task.match(new Date(second * SECOND_MS));
    if (running === undefined && isDue(isSlot, last, secondOf(now))) {
      running = task.execute().finally(() => (running = undefined));
    }
    last = secondOf(now);
    timer = setTimeout(look, SECOND_MS - (now % SECOND_MS));
  }

  return {
    stop: async () => {
      clearTimeout(timer);
      await running;
      await task.destroy();
    },
  };
}

function secondOf(time: number): number {
  return Math.floor(time / SECOND_MS);
}

/**
 * Says whether there was a slot since the last look. After a long step forward there is taken to be one, since to
 * find out could take long; after a step back only the present second counts. Times are Unix seconds.
 */
function isDue(isSlot: (second: number) => boolean, last: number, now: number): boolean {
  if (now - last > MAX_WALK) return true;
  for (let second = now < last ? now : last + 1; second <= now; second += 1) {
    if (isSlot(second)) return true;
  }
  return false;
}
