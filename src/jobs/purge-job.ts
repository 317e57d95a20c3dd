import { schedule } from 'node-cron';
import type { Logger } from '../logger.ts';
import type { PurgeReport } from '../uploads/purge.ts';

/** A job that runs by the wall clock until it is stopped. */
export interface Job {
  /** Starts no more runs, and waits for the one that is under way. */
  stop(): Promise<void>;
}

/**
 * Runs the purge by a cron expression, one run at a time.
 * @param cron - five fields, or six with seconds first
 */
export function startPurgeJob(
  cron: string,
  purge: () => Promise<PurgeReport>,
  logger: Logger,
): Job {
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      logger.debug(await purge(), 'purge');
    } catch (error) {
      logger.error({ err: error }, 'the purge failed; the next one tries again');
    }
  };
  const task = schedule(cron, () => (running = run()), { name: 'purge', noOverlap: true });
  return {
    stop: async () => {
      await task.destroy();
      await running;
    },
  };
}
