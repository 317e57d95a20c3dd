import { z } from 'zod';
import { purgeShape } from '../../operator/shapes.ts';
import type { PurgeShape } from '../../operator/shapes.ts';
import { openDesk } from '../desk.ts';
import { callOperatorApi } from '../operator-api.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { counted, formatSize } from '../people.ts';
import { quoted } from '../../lib/quoted.ts';
import { parseFlags } from '../parse-flags.ts';

const flags = z.looseObject({ ...jsonFlag.shape, dryRun: z.boolean().default(false) });

/** Runs the purge of a gateway now, as its job does. */
export async function purge(given: unknown): Promise<void> {
  const { dryRun, json, ...rest } = parseFlags(flags, given);
  const desk = openDesk(rest);
  const { url } = await desk.findGateway();
  const call = { method: 'POST', path: '/purge', body: { dryRun } } as const;
  const report = await callOperatorApi(desk.clientFor(url), call, purgeShape);
  if (json) printJson(report);
  else print(describe(report));
}

function describe({ bytes, dryRun, failed, purged, uploads = [] }: PurgeShape): string {
  const due = uploads.map(({ key, size = 0 }) => `${quoted(key)}  ${formatSize(size)}\n`);
  const count = `${counted(purged, 'upload')} with ${formatSize(bytes)}`;
  const failures = failed === 0 ? '' : `, ${String(failed)} could not be deleted; the log says why`;
  const summary = dryRun ? `${count} due\n` : `purged ${count}${failures}\n`;
  return due.join('') + summary;
}
