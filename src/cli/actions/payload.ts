import type { DataFolder, FirmwarePackage } from '../../data-folder.ts';
import { openDataFolder } from '../../data-folder.ts';
import { quoted, quotedJson } from '../../lib/quoted.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { CommandError } from '../command-error.ts';
import { readAddressed, readDownload, resolveName } from '../downloads.ts';
import { notFound } from '../operator.ts';
import { print, printJson } from '../output.ts';

/**
 * Prints the message that the platform would push to a device, without --json in one line, for programs that read lines.
 * @param name - a FirmwareId, the name of a package, or the key or URL of one of its files
 */
export async function printPayload(name: string, flags: unknown): Promise<void> {
  const { expires, json, settings } = readDownload(flags);
  const config = readAddressed(settings);
  await using folder = openDataFolder(config);
  const firmware = await findFirmware(folder, name, await resolveName(config, name));
  const message = folder.pushMessage(firmware, expires);
  if (json) printJson(message);
  else print(`${quotedJson(message)}\n`);
}

/** @throws CommandError when the name leads to no package */
async function findFirmware(
  folder: DataFolder,
  name: string,
  found: ReferenceShape | undefined,
): Promise<FirmwarePackage> {
  if (found === undefined) throw notFound(quoted(name));
  const upload = found.kind === 'upload' ? await folder.ledger.findUpload(found.key) : undefined;
  const holder = upload?.state === 'claimed' ? upload.packageId : '';
  const firmware = await folder.findPackage(found.kind === 'package' ? found.firmwareId : holder);
  if (firmware !== undefined) return firmware;
  throw new CommandError(
    'NotFound',
    `there is no firmware package ${quoted(name)}`,
    found.kind === 'request'
      ? '`ota-gateway explain` tells about requests'
      : 'Make one of the upload with `ota-gateway claim`',
  );
}
