import type { Config } from './config/config.ts';
import { SettingsError } from './config/settings-error.ts';
import type { Clock } from './lib/clock.ts';
import { AdjustableClock } from './lib/clock.ts';
import type { UploadLedger } from './uploads/ports.ts';

/** @returns the clock of test mode, which can be moved: the given one, or one that follows it or stands still */
export function adjustableClock({ testClock }: Config, clock: Clock): AdjustableClock {
  return testClock === undefined && clock instanceof AdjustableClock
    ? clock
    : new AdjustableClock(clock, testClock);
}

/**
 * Ids that count up begin at one, so there must be nothing that has them already.
 * @throws ConfigError when the ledger has an upload
 */
export async function requireFreshIds({ testIds }: Config, ledger: UploadLedger): Promise<void> {
  if (!testIds || (await ledger.listUploads(0, 1)).length === 0) return;
  const text =
    'the data folder has uploads from before, which have the same ids; use an empty folder';
  throw new SettingsError([{ settings: ['testIds'], text }]);
}
