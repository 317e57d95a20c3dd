import { backUpShared } from '../../cluster-copy.ts';
import { backUpDataFolder } from '../../data-folder/backup.ts';
import { quoted } from '../../lib/quoted.ts';
import { CommandError } from '../command-error.ts';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { counted } from '../people.ts';
import { parseFlags } from '../parse-flags.ts';
import { withProgress } from '../progress-bar.ts';
import type { BackupResult } from '../shapes.ts';
import { stopSignal } from '../stop-signal.ts';
import { isDiskFull } from '../../lib/errno.ts';
import type { SystemFailure } from '../../lib/system-failure.ts';
import { systemFailureOf } from '../../lib/system-failure.ts';

/** Copies the data folder, or what gateways share, and prints what the copy has. The exit code says whether the original is damaged. */
export async function backup(folder: string, flags: unknown): Promise<void> {
  const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
  const report = await copyTo(folder, gatherOptions(process.env, settings), json);
  const problems = describeProblems(report);
  if (json) printJson(report);
  else print(describe(report, problems));
  if (problems.length > 0) process.exitCode = EXIT.findings;
}

/**
 * Copies the data folder, or what gateways share, also while they are running.
 * @throws when a signal stops it
 */
async function copyTo(
  target: string,
  options: RawOptions,
  isQuiet: boolean,
): Promise<BackupResult> {
  const config = readConfig(options);
  // A shared ledger needs a shared store.
  const { dataDir, storeUrl } = config;
  const left = storeUrl === undefined ? REMOVED : TO_GO_ON;
  const signal = stopSignal(`the backup to ${quoted(target)} was stopped`, left);
  const copying =
    storeUrl === undefined
      ? backUpDataFolder(dataDir, target, signal)
      : withProgress('copied', isQuiet, (onProgress) =>
          backUpShared(config, storeUrl, target, { signal, onProgress }),
        );
  const report = await copying.catch((error: unknown) => {
    throw explain(error, target, left);
  });
  const { bytes, damage, differing, missing, uploads } = report;
  return {
    ...{ folder: target, uploads, bytes },
    ...{ missing: [...missing], differing: [...differing], damage: [...damage] },
  };
}

/** What has become of a copy that is not complete. */
const REMOVED = 'The incomplete copy was removed; run the command again';
const TO_GO_ON = 'Run the command again: it keeps the bodies that are copied';

/** Adds to a failure of the system which command has failed, and what has become of the copy. */
function explain(error: unknown, target: string, left: string): unknown {
  const failure = failureOf(error);
  if (failure === undefined) return error;
  const message = `the backup to ${quoted(target)} has failed: ${failure.problem}`;
  const hint = `${failure.hint}. ${left}`;
  return new CommandError(failure.code, message, hint, { cause: error });
}

/** @returns the failure of the system that an error is, or that has caused it */
function failureOf(error: unknown): SystemFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  // The other causes have an explanation already.
  return systemFailureOf(error) ?? (isDiskFull(error.cause) ? failureOf(error.cause) : undefined);
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
