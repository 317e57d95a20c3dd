import type { Command } from 'commander';
import { z } from 'zod';
import { percentEncode } from '../../signatures/percent-encoding.ts';
import { explainingCalls } from '../api-hints.ts';
import { completeReferences } from '../complete-references.ts';
import { openDesk, withDesk } from '../desk.ts';
import { jsonFlag, print, printJson, withJson } from '../output.ts';
import { claimPackage } from '../package-claim.ts';
import { parseFlags } from '../setting-flags.ts';
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

export { completeReferences as complete };

/** Configures `ota-gateway claim`. */
export function configure(command: Command): void {
  withJson(withDesk(command))
    .requiredOption('--name <name>', 'FirmwareName')
    .requiredOption('--version <version>', 'DestVersion')
    .option('--module-name <name>', 'ModuleName')
    .option('--instance-id <id>', 'IotInstanceId')
    .option('--product-key <key>', 'ProductKey')
    .action(async (uploads: string[], given: unknown) => {
      await claim(uploads, parseFlags(flags, given));
    });
}

/**
 * Makes a firmware package of files that were uploaded before.
 * @param uploads - object keys or URLs
 */
async function claim(uploads: readonly string[], given: z.infer<typeof flags>): Promise<void> {
  const { instanceId, json, moduleName, name, productKey, version, ...rest } = given;
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
