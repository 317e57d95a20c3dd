import type { Command } from 'commander';
import type { DataFolder } from '../../data-folder.ts';
import { openDataFolder } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { configureDownload } from '../download-flags.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';

/** Configures `ota-gateway url`. */
export function configure(command: Command): void {
  configureDownload(command, printUrls);
}

/**
 * Prints a URL that downloads an object, or one for each file of a firmware package, in the order of the files.
 * @param name - an object key or a FirmwareId
 * @param expires - how long the URLs are valid, in milliseconds
 */
async function printUrls(name: string, expires: number, options: RawOptions): Promise<void> {
  await using offline = openDataFolder(readConfig(options));
  const expiresAt = wallClock.now() + expires;
  const urls = (await findKeys(offline, name)).map((key) => offline.downloadUrl(key, expiresAt));
  process.stdout.write(urls.map((url) => `${url}\n`).join(''));
}

/** @throws when the name has nothing to download; the message says why */
async function findKeys(offline: DataFolder, name: string): Promise<readonly string[]> {
  const shown = quoted(name);
  const upload = await offline.ledger.findUpload(name);
  if (upload?.state === 'issued') throw new Error(`nothing was uploaded to ${shown} yet`);
  if (upload !== undefined) return [upload.key];
  const firmware = await offline.findPackage(name);
  if (firmware !== undefined) return firmware.files.map(({ key }) => key);
  const purged = await offline.ledger.findPurged(name);
  if (purged === undefined) throw new Error(`no object and no firmware package is called ${shown}`);
  const { purgingSince, reason } = purged.purge;
  throw new Error(`${shown} was purged (${reason}) at ${new Date(purgingSince).toISOString()}`);
}
