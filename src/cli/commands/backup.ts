import type { Command } from 'commander';
import { backUpDataFolder } from '../../data-folder.ts';
import { quoted } from '../../lib/quoted.ts';
import { CommandError } from '../command-error.ts';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonFlag, print, printJson, withJson } from '../output.ts';
import { counted } from '../people.ts';
import { parseFlags, withSettings } from '../setting-flags.ts';
import type { BackupResult } from '../shapes.ts';

/** Configures `ota-gateway backup`. */
export function configure(command: Command): void {
  withJson(withSettings(command, ['dataDir'])).action(async (folder: string, flags: unknown) => {
    const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
    const report = await backup(folder, gatherOptions(process.env, settings));
    const problems = describeProblems(report);
    if (json) printJson(report);
    else print(describe(report, problems));
    if (problems.length > 0) process.exitCode = EXIT.findings;
  });
}

/**
 * Copies the data folder, also while its server is running.
 * @throws when a signal stops it; the incomplete copy is removed
 */
async function backup(target: string, options: RawOptions): Promise<BackupResult> {
  const stopping = new AbortController();
  const stop = (): void => {
    const message = `the backup to ${quoted(target)} was stopped`;
    const hint = 'The incomplete copy was removed; run the command again';
    stopping.abort(new CommandError('Stopped', message, hint));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { dataDir } = readConfig(options);
  const report = await backUpDataFolder(dataDir, target, stopping.signal);
  const { bytes, damage, differing, missing, uploads } = report;
  return {
    ...{ folder: target, uploads, bytes },
    ...{ missing: [...missing], differing: [...differing], damage: [...damage] },
  };
}

/** @returns what the copy has of the problems of the original */
function describeProblems({ damage, differing, missing }: BackupResult): readonly string[] {
  return [
    ...missing.map((key) => `${quoted(key)} has no bytes`),
    ...differing.map((key) => `${quoted(key)} has different bytes than were stored`),
    ...damage,
  ];
}

function describe({ bytes, folder, uploads }: BackupResult, problems: readonly string[]): string {
  const copied = `${counted(uploads, 'upload')} with ${counted(bytes, 'byte')} in ${folder}`;
  return [...problems.map((line) => `${line}; run fsck`), copied, ''].join('\n');
}
