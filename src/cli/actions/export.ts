import type { ExportReport } from '../../cluster-copy.ts';
import { exportDataFolder } from '../../cluster-copy.ts';
import { quoted } from '../../lib/quoted.ts';
import { gatherOptions, readConfig } from '../environment.ts';
import { EXIT } from '../exit-codes.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { parseFlags } from '../parse-flags.ts';
import { counted } from '../people.ts';
import { withProgress } from '../progress-bar.ts';
import type { ExportResult } from '../shapes.ts';
import { stopSignal } from '../stop-signal.ts';

/** Copies the data folder into what gateways share, and prints what was copied. */
export async function exportFolder(flags: unknown): Promise<void> {
  const { json, ...settings } = parseFlags(jsonFlag.loose(), flags);
  const config = readConfig(gatherOptions(process.env, settings));
  const signal = stopSignal('the export was stopped', 'Run the command again: it goes on');
  const report = await withProgress('copied', json, (onProgress) =>
    exportDataFolder(config, { signal, onProgress }),
  );
  if (json) printJson(toResult(report));
  else print(describe(report));
  if (report.missing.length + report.differing.length > 0) process.exitCode = EXIT.findings;
}

function toResult({ differing, missing, ...rest }: ExportReport): ExportResult {
  const { bytes, copied, rows, uploads, wasDone } = rest;
  return {
    ...{ uploads, bytes, copied, rows, wasDone },
    ...{ missing: [...missing], differing: [...differing] },
  };
}

function describe(report: ExportReport): string {
  const { bytes, copied, differing, missing, rows, uploads, wasDone } = report;
  if (wasDone) return 'an earlier export of this data folder has ended: start the gateways\n';
  const amount = `${counted(uploads, 'upload')} with ${counted(bytes, 'byte')}`;
  return [
    ...missing.map((key) => `${quoted(key)} has no bytes, as in the data folder`),
    ...differing.map(
      (key) => `${quoted(key)} has the bytes of the data folder, which were changed`,
    ),
    `${amount} are there, ${String(copied)} of them copied now, and ${counted(rows, 'row')}: start the gateways`,
    '',
  ].join('\n');
}
