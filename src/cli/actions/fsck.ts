import { z } from 'zod';
import type { DataFolderReport, Finding } from '../../data-folder/check.ts';
import { checkDataFolder } from '../../data-folder/check.ts';
import { checkSharedStore, sweepStore } from '../../shared-storage.ts';
import { duration } from '../../config/units.ts';
import { wallClock } from '../../lib/clock.ts';
import { UsageError } from '../command-error.ts';
import type { RawOptions } from '../environment.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { counted } from '../people.ts';
import type { ProgressBar } from '../progress-bar.ts';
import { progressBar } from '../progress-bar.ts';
import { parseFlags } from '../parse-flags.ts';
import type { FsckResult } from '../shapes.ts';

const flags = z.looseObject({
  ...jsonFlag.shape,
  deep: z.boolean().default(false),
  repair: z.boolean().default(false),
  sweep: z.boolean().default(false),
  age: duration.optional(),
});

/** Compares the ledger with the bodies, and prints what was found. The exit code says whether anything was not repaired. */
export async function fsck(given: unknown): Promise<void> {
  const { age, deep, json, repair, sweep, ...settings } = parseFlags(flags, given);
  if (sweep) {
    await sweepNow({ age, json }, gatherOptions(process.env, settings));
    return;
  }
  const command = { age, deep, json, repair };
  const hasFindings = await check(command, gatherOptions(process.env, settings));
  if (hasFindings) process.exitCode = EXIT.findings;
}

/** Sweeps the store, and prints what was found. */
async function sweepNow(
  { age, json }: { readonly age: number | undefined; readonly json: boolean },
  options: RawOptions,
): Promise<void> {
  const config = readConfig(options);
  const report = await sweepStore({ ...config, ...(age !== undefined && { orphanAge: age }) });
  const { bodies, disowned, uploads } = report;
  if (json) printJson({ sweep: { bodies, disowned, uploads } });
  else {
    const ended = `${counted(uploads, 'unfinished multipart upload')} ended`;
    print(
      `${counted(bodies, 'file')} in the store, ${String(disowned)} of no upload, which the purge deletes, ${ended}\n`,
    );
  }
}

interface FsckCommand {
  readonly age: number | undefined;
  readonly deep: boolean;
  readonly repair: boolean;
  readonly json: boolean;
}

/** Compares, and prints the findings. @returns whether any were not repaired */
async function check(command: FsckCommand, options: RawOptions): Promise<boolean> {
  const { age, deep, json, repair } = command;
  const config = readConfig(options);
  const { dataDir, orphanAge, storeUrl } = config;
  if (age !== undefined && storeUrl === undefined) {
    throw new UsageError('--age: is for the bodies of a shared store, and there is none');
  }
  const findings: Finding[] = [];
  let bar: ProgressBar | undefined;
  const checkOptions = {
    ...{ deep, repair, clock: wallClock },
    onFinding: (finding: Finding) => {
      findings.push(finding);
      if (!json) printFinding(finding);
    },
    onProgress: (done: number, total: number) => {
      if (json) return;
      bar ??= progressBar(process.stderr, deep ? 'read' : 'checked', total);
      bar.update(done);
    },
  };
  const report =
    storeUrl === undefined
      ? await checkDataFolder(dataDir, checkOptions)
      : await checkSharedStore({ ...config, orphanAge: age ?? orphanAge }, storeUrl, checkOptions);
  bar?.end();
  if (json) printJson(toResult(report, findings));
  else print(`${summary(report)}\n`);
  return report.left > 0;
}

function toResult(report: DataFolderReport, findings: readonly Finding[]): FsckResult {
  const { bytes, compacted, journals, purging, restorable, uncommitted, uploads } = report;
  return {
    ...{ uploads, bytes, purging, uncommitted, journals, restorable, compacted },
    findings: findings.map(({ kind, repair, text }) => ({
      ...{ kind, text },
      ...(repair !== undefined && { repair }),
    })),
  };
}

function printFinding({ kind, repair, text }: Finding): void {
  print(`${kind}: ${text}${repair === undefined ? '' : ` (${repair})`}\n`);
}

/** Texts on the conversion of a ledger from an older version, which could not shrink. */
const COMPACTED: Readonly<Record<DataFolderReport['compacted'], readonly string[]>> = {
  unneeded: [],
  done: ['the ledger file shrinks from now on'],
  full: ['the disk has no room to make the ledger smaller'],
};

function summary(report: DataFolderReport): string {
  const { bytes, findings, journals, left, purging, restorable, uncommitted, uploads } = report;
  const restored = restorable === 0 ? '' : `, which restores ${counted(restorable, 'upload')}`;
  return [
    `${counted(uploads, 'upload')} with ${counted(bytes, 'byte')}`,
    `${String(purging)} waiting for the purge`,
    `${String(uncommitted)} unfinished`,
    `${counted(findings, 'finding')}, ${String(left)} left`,
    ...(journals === 0 ? [] : [`${counted(journals, 'journal')} for the next start${restored}`]),
    ...COMPACTED[report.compacted],
  ].join(', ');
}
