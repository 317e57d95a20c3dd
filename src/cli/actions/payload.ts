import type { Config } from '../../config/config.ts';
import type { DataFolder } from '../../data-folder/open.ts';
import { openDataFolder } from '../../data-folder/open.ts';
import { quoted, quotedJson } from '../../lib/quoted.ts';
import type { PushMessageShape } from '../../operator/package-shapes.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { CommandError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { openPackageDesk, readAddressed, readDownload, resolveName } from '../downloads.ts';
import type { PackageDesk } from '../downloads.ts';
import { notFound } from '../operator.ts';
import { print, printJson } from '../output.ts';
import { payloadResult } from '../shapes.ts';

/**
 * Prints the message that the platform would push to a device, without --json in one line, for programs that read lines.
 * @param name - a FirmwareId, the name of a package, or the key or URL of one of its files
 */
export async function printPayload(name: string, flags: unknown): Promise<void> {
  const { expires, json, settings } = readDownload(flags);
  const desk = openDesk(settings);
  const message =
    desk.endpoint === undefined
      ? await makeHere(readAddressed(settings), name, expires)
      : await askGateway(openPackageDesk(desk, desk.endpoint, expires), name);
  if (json) printJson(message);
  else print(`${quotedJson(message)}\n`);
}

async function makeHere(config: Config, name: string, expires: number): Promise<PushMessageShape> {
  const found = await resolveName(config, name);
  await using folder = await openDataFolder(config);
  const id = await findId(folder, found);
  const firmware = id === undefined ? undefined : await folder.findPackage(id);
  if (firmware === undefined) throw withoutPackage(name, found);
  return folder.pushMessage(firmware, expires);
}

async function findId(
  { ledger }: DataFolder,
  found: ReferenceShape | undefined,
): Promise<string | undefined> {
  if (found?.kind === 'package') return found.firmwareId;
  const upload = found?.kind === 'upload' ? await ledger.findUpload(found.key) : undefined;
  return upload?.state === 'claimed' ? upload.packageId : undefined;
}

async function askGateway(gateway: PackageDesk, name: string): Promise<PushMessageShape> {
  const found = await gateway.operator.resolve(name);
  const firmwareId =
    found === undefined || found.kind === 'request' ? undefined : await gateway.findId(found);
  if (firmwareId === undefined) throw withoutPackage(name, found);
  return gateway.ask(firmwareId, 'message', payloadResult);
}

/** The error for a name that leads to no package. */
function withoutPackage(name: string, found: ReferenceShape | undefined): CommandError {
  if (found === undefined) return notFound(quoted(name));
  return new CommandError(
    'NotFound',
    `there is no firmware package ${quoted(name)}`,
    found.kind === 'request'
      ? '`ota-gateway explain` tells about requests'
      : 'Make one of the upload with `ota-gateway claim`',
  );
}
