import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isServing } from '../data-folder.ts';
import { isRunning } from '../lib/is-running.ts';
import type { ReloadOutcome } from '../operator/account-shapes.ts';

/**
 * Asks the gateway that uses a data folder to read its accounts and keys again, by the signal for it.
 * @returns whether it was asked
 */
export function reloadGateway(dataDir: string): ReloadOutcome {
  if (!isServing(dataDir)) return 'notRunning';
  const pid = readProcessId(dataDir);
  if (pid === undefined || !isRunning(pid)) return 'unknown';
  try {
    process.kill(pid, 'SIGHUP');
    return 'asked';
  } catch {
    // It belongs to another user.
    return 'unknown';
  }
}

/** @returns what to say about the outcome */
export function describeReload(outcome: ReloadOutcome): string {
  switch (outcome) {
    case 'asked':
      return 'The running gateway was asked to read its accounts again; its log says what it has read.';
    case 'notRunning':
      return 'No gateway uses this data folder: the change applies from its next start.';
    case 'unknown':
      return 'The change applies after the running gateway gets the signal: kill -HUP PID, or systemctl reload.';
  }
}

function readProcessId(dataDir: string): number | undefined {
  try {
    const [, pid] =
      /^process (\d+)$/m.exec(readFileSync(join(dataDir, 'server.pid'), 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
