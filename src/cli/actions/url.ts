import type { Config } from '../../config/config.ts';
import type { DataFolder } from '../../data-folder/open.ts';
import { openDataFolder } from '../../data-folder/open.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import type { LinkShape } from '../../operator/package-shapes.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { CommandError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import { openPackageDesk, readAddressed, readDownload, resolveName } from '../downloads.ts';
import type { PackageDesk } from '../downloads.ts';
import { notFound } from '../operator.ts';
import { print, printJson } from '../output.ts';
import type { UrlResult } from '../shapes.ts';
import { urlResult } from '../shapes.ts';

/**
 * Prints a URL that downloads an object, or one for each file of a firmware package, in the order of the files.
 * @param name - an object key, a URL, a FirmwareId or the name of a package
 */
export async function printUrls(name: string, flags: unknown): Promise<void> {
  const { expires, json, settings } = readDownload(flags);
  const desk = openDesk(settings);
  const urls =
    desk.endpoint === undefined
      ? await signHere(readAddressed(settings), name, expires)
      : await askGateway(openPackageDesk(desk, desk.endpoint, expires), name);
  const result: UrlResult = { urls };
  if (json) printJson(result);
  else print(urls.map(({ url }) => `${url}\n`).join(''));
}

async function signHere(config: Config, name: string, expires: number): Promise<LinkShape[]> {
  await using folder = await openDataFolder(config);
  const files = await findFiles(folder, name, await resolveName(config, name));
  // A signature has whole seconds.
  const expiresAt = Math.floor((wallClock.now() + expires) / 1000) * 1000;
  return files.map((file) => ({
    ...file,
    url: folder.downloadUrl(file.key, expiresAt),
    expiresAt: new Date(expiresAt).toISOString(),
  }));
}

type File = Pick<LinkShape, 'key' | 'name'>;

/** @throws CommandError when the name has nothing to download; the message says why */
async function findFiles(
  folder: DataFolder,
  name: string,
  found: ReferenceShape | undefined,
): Promise<readonly File[]> {
  if (found?.kind === 'package') {
    const firmware = await folder.findPackage(found.firmwareId);
    if (firmware === undefined) throw notFound(quoted(name));
    return firmware.files.map((file) => ({
      key: file.key,
      ...(file.name !== undefined && { name: file.name }),
    }));
  }
  if (found?.kind !== 'upload') throw withoutFile(name, found);
  const upload = await folder.ledger.findUpload(found.key);
  if (upload?.state === 'issued') {
    const hint = 'Send the file with its form, or sign another one with `ota-gateway sign`';
    const message = `nothing was uploaded to ${quoted(found.key)} yet`;
    throw new CommandError('NotUploaded', message, hint);
  }
  if (upload !== undefined) return [{ key: upload.key }];
  const purged = await folder.ledger.findPurged(found.key);
  if (purged === undefined) throw notFound(quoted(name));
  const { purgingSince, reason } = purged.purge;
  throw new CommandError(
    'Purged',
    `${quoted(found.key)} was purged (${reason}) at ${new Date(purgingSince).toISOString()}`,
    'Upload the file again, and claim it before its deadline',
  );
}

function withoutFile(name: string, found: ReferenceShape | undefined): CommandError {
  if (found === undefined) return notFound(quoted(name));
  const message = `${quoted(name)} is the id of a request, which has nothing to download`;
  return new CommandError('NotFound', message, '`ota-gateway explain` tells about requests');
}

async function askGateway(gateway: PackageDesk, name: string): Promise<LinkShape[]> {
  const found = await gateway.operator.resolve(name);
  if (found === undefined || found.kind === 'request') throw withoutFile(name, found);
  const firmwareId = await gateway.findId(found);
  if (firmwareId === undefined) throw unclaimed(name);
  const { urls } = await gateway.ask(firmwareId, 'urls', urlResult);
  return found.kind === 'package' ? urls : urls.filter(({ key }) => key === found.key);
}

function unclaimed(name: string): CommandError {
  return new CommandError(
    'NotClaimed',
    `no firmware package holds ${quoted(name)}, and a gateway signs URLs of packages only`,
    'Claim it with `ota-gateway claim`, or run the command on the data folder with --data-dir',
  );
}
