import type { DataFolderReport, Finding } from '../../data-folder.ts';
import { checkDataFolder } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';
import type { ProgressBar } from '../output.ts';
import { counted, progressBar } from '../output.ts';

/** The options of `ota-gateway fsck`. */
export interface FsckCommand {
  readonly deep: boolean;
  readonly repair: boolean;
}

/** Checks a data folder and prints its findings. @returns whether any were not repaired */
export async function fsck(command: FsckCommand, options: RawOptions): Promise<boolean> {
  const { dataDir } = readConfig(options);
  let bar: ProgressBar | undefined;
  const report = await checkDataFolder(dataDir, {
    ...command,
    clock: wallClock,
    onFinding: printFinding,
    onProgress: (done, total) => {
      bar ??= progressBar(process.stderr, command.deep ? 'read' : 'checked', total);
      bar.update(done);
    },
  });
  bar?.end();
  process.stdout.write(`${summary(report)}\n`);
  return report.left > 0;
}

function printFinding({ kind, repair, text }: Finding): void {
  process.stdout.write(`${kind}: ${text}${repair === undefined ? '' : ` (${repair})`}\n`);
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
