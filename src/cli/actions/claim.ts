import { z } from 'zod';
import { percentEncode } from '../../signatures/percent-encoding.ts';
import { explainingCalls } from '../api-hints.ts';
import { openDesk } from '../desk.ts';
import { jsonFlag, print, printJson } from '../output.ts';
import { claimPackage } from '../package-claim.ts';
import { parseFlags } from '../parse-flags.ts';
import type { ClaimResult } from '../shapes.ts';
import { requireName, requireVersion } from '../upload-plan.ts';

const flags = z.looseObject({
  ...jsonFlag.shape,
  name: z.string(),
  version: z.string(),
  moduleName: z.string().optional(),
  instanceId: z.string().optional(),
  productKey: z.string().optional(),
});

/**
 * Makes a firmware package of files that were uploaded before.
 * @param uploads - object keys or URLs
 */
export async function claim(uploads: readonly string[], given: unknown): Promise<void> {
  const parsed = parseFlags(flags, given);
  const { instanceId, json, moduleName, name, productKey, version, ...rest } = parsed;
  requireName(name, '--name');
  requireVersion(version);
  const desk = openDesk(rest);
  const { publicUrl, url } = await desk.findGateway();
  const files = uploads.map((upload) => ({
    name: fileName(upload),
    firmwareUrl: firmwareUrl(upload, publicUrl),
  }));
  const wish = { name, version, moduleName, productKey, instanceId };
  const firmwareId = await explainingCalls(() => claimPackage(desk.clientFor(url), wish, files));
  const result: ClaimResult = { firmwareId };
  if (json) printJson(result);
  else print(`FirmwareId   ${firmwareId}\n`);
}

function firmwareUrl(upload: string, publicUrl: string): string {
  if (/^https?:\/\//i.test(upload)) return upload;
  return `${publicUrl}/${upload.split('/').map(percentEncode).join('/')}`;
}

const MAX_FILE_NAME = 32;

/** @returns the name of a file in a package of several files: the end of its key */
function fileName(upload: string): string {
  const [path = ''] = upload.split('?');
  const characters = Array.from(path.split('/').at(-1) ?? '');
  return characters.slice(-MAX_FILE_NAME).join('');
}
