import type { Command } from 'commander';
import { backUpDataFolder } from '../../data-folder.ts';
import { quoted } from '../../lib/quoted.ts';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { counted } from '../people.ts';
import { withSettings } from '../setting-flags.ts';

/** Configures `ota-gateway backup`. */
export function configure(command: Command): void {
  withSettings(command, ['dataDir']).action(
    async (folder: string, flags: Record<string, unknown>) => {
      const hasFindings = await backup(folder, gatherOptions(process.env, flags));
      if (hasFindings) process.exitCode = EXIT.findings;
    },
  );
}

/**
 * Copies the data folder, also while its server is running.
 * @returns whether the copy has problems because the original has them
 * @throws when a signal stops it; the incomplete copy is removed
 */
async function backup(target: string, options: RawOptions): Promise<boolean> {
  const stopping = new AbortController();
  const stop = (): void => {
    stopping.abort(new Error('the backup was stopped; the incomplete copy was removed'));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { dataDir } = readConfig(options);
  const report = await backUpDataFolder(dataDir, target, stopping.signal);
  const { bytes, damage, differing, missing, uploads } = report;
  const lines = [
    ...missing.map((key) => `${quoted(key)} has no bytes`),
    ...differing.map((key) => `${quoted(key)} has different bytes than were stored`),
    ...damage,
  ];
  for (const line of lines) process.stdout.write(`${line}; run fsck\n`);
  const copied = `${counted(uploads, 'upload')} with ${counted(bytes, 'byte')}`;
  process.stdout.write(`${copied} in ${target}\n`);
  return lines.length > 0;
}
