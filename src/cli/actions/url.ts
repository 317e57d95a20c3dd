import { pathSegment } from '../../client/operator-call.ts';
import type { Config } from '../../config/config.ts';
import type { DataFolder } from '../../data-folder.ts';
import { openDataFolder } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import type { LinkShape } from '../../operator/package-shapes.ts';
import type { ReferenceShape } from '../../operator/shapes.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { openDesk } from '../desk.ts';
import type { Desk } from '../desk.ts';
import { readAddressed, readDownload, resolveName } from '../downloads.ts';
import { callOperatorApi } from '../operator-api.ts';
import { notFound, remoteOperator } from '../operator.ts';
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
      : await askGateway(desk, desk.endpoint, { name, expires });
  const result: UrlResult = { urls };
  if (json) printJson(result);
  else print(urls.map(({ url }) => `${url}\n`).join(''));
}

async function signHere(config: Config, name: string, expires: number): Promise<LinkShape[]> {
  await using folder = openDataFolder(config);
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

/** The longest time that the operator API signs for, in milliseconds. */
const MAX_REMOTE = 7 * 86_400_000;

async function askGateway(
  desk: Desk,
  endpoint: string,
  { expires, name }: { readonly expires: number; readonly name: string },
): Promise<LinkShape[]> {
  if (expires > MAX_REMOTE) {
    throw new UsageError('--expires: a gateway signs for at most 7d; give less, or --data-dir');
  }
  const api = desk.clientFor(endpoint);
  const operator = remoteOperator(api);
  const found = await operator.resolve(name);
  if (found === undefined || found.kind === 'request') throw withoutFile(name, found);
  const firmwareId =
    found.kind === 'package'
      ? found.firmwareId
      : (await operator.showUpload(found.key))?.package?.firmwareId;
  if (firmwareId === undefined) throw unclaimed(name);
  const path = `/packages/${pathSegment(firmwareId)}/urls`;
  const query = { expires: `${String(expires)}ms` };
  const { urls } = await callOperatorApi(api, { method: 'GET', path, query }, urlResult);
  return found.kind === 'package' ? urls : urls.filter(({ key }) => key === found.key);
}

function unclaimed(name: string): CommandError {
  return new CommandError(
    'NotClaimed',
    `no firmware package holds ${quoted(name)}, and a gateway signs URLs of packages only`,
    'Claim it with `ota-gateway claim`, or run the command on the data folder with --data-dir',
  );
}
