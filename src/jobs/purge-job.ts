import { createTask } from 'node-cron';
import { wallClock } from '../lib/clock.ts';
import type { PurgeReport } from '../uploads/purge-bodies.ts';
import { clearTimeout, setTimeout } from '../lib/timers.ts';

/** A job that runs by the wall clock until it is stopped. */
export interface Job {
  /** @returns in how many milliseconds it runs next */
  dueIn(): number | undefined;
  /** Starts no more runs, and waits for the run in progress. */
  stop(): Promise<void>;
}

/** What a job calls beside the purge. */
export interface PurgeJobOptions {
  /** Is called for each slot during a run. */
  readonly onSkipped?: () => void;
  /** @returns milliseconds between a slot and the purge */
  readonly delay?: () => number;
}

const SECOND_MS = 1000;
/** How many seconds are compared with the expression one by one when the clock has jumped forward. */
const MAX_COMPARED_SECONDS = 60;

/**
 * Runs the purge by a cron expression, one run at a time. A slot during a run is skipped.
 *
 * node-cron decides which seconds are slots, and executes the runs. Its own timer is not used: when the wall clock is
 * set forward, that timer goes through every slot in between, which takes minutes for a few years; when the clock is
 * set back, it waits until the old time is reached again. Here each of the two causes one run at most.
 * @param purge - logs its failures itself
 * @param cron - five fields, or six with seconds first
 * @throws an Error when `cron` is not a cron expression
 */
export function startPurgeJob(
  cron: string,
  purge: () => Promise<PurgeReport>,
  { delay = () => 0, onSkipped }: PurgeJobOptions = {},
): Job {
  const task = createTask(cron, async () => {
    await pause(delay());
    if (!isStopped) await purge().catch(() => undefined);
  });
  let isStopped = false;
  let endPause: () => void = () => undefined;
  function pause(milliseconds: number): Promise<void> {
    if (milliseconds === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = setTimeout(resolve, milliseconds);
      endPause = () => {
        clearTimeout(waiting);
        resolve();
      };
    });
  }
  let running: Promise<unknown> | undefined;
  let last = secondOf(wallClock.now());
  let timer = setTimeout(tick, SECOND_MS);

  function tick(): void {
    const now = wallClock.now();
    const isSlot = (second: number): boolean => task.match(new Date(second * SECOND_MS));
    if (isDue(isSlot, last, secondOf(now))) {
      if (running !== undefined) onSkipped?.();
      else running = task.execute().finally(() => (running = undefined));
    }
    last = secondOf(now);
    timer = setTimeout(tick, SECOND_MS - (now % SECOND_MS));
  }

  return {
    dueIn: () => {
      const [next] = task.getNextRuns(1);
      return next && next.getTime() - wallClock.now();
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      endPause();
      await running;
      await task.destroy();
    },
  };
}

function secondOf(time: number): number {
  return Math.floor(time / SECOND_MS);
}

/**
 * Whether there was a slot since the last tick. After a long jump forward the answer is yes, because a search could
 * take long; after a jump back only the present second is compared. Times are Unix seconds.
 */
function isDue(isSlot: (second: number) => boolean, last: number, now: number): boolean {
  if (now - last > MAX_COMPARED_SECONDS) return true;
  for (let second = now < last ? now : last + 1; second <= now; second += 1) {
    if (isSlot(second)) return true;
  }
  return false;
}
