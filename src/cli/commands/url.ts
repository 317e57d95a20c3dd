import type { Command } from 'commander';
import type { DataFolder } from '../../data-folder.ts';
import { openDataFolder } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted } from '../../lib/quoted.ts';
import { completeReferences } from '../complete-references.ts';
import { configureDownload, resolveName } from '../download-flags.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';

export { completeReferences as complete };

/** Configures `ota-gateway url`. */
export function configure(command: Command): void {
  configureDownload(command, printUrls);
}

/**
 * Prints a URL that downloads an object, or one for each file of a firmware package, in the order of the files.
 * @param name - an object key, a URL, a FirmwareId or the name of a package
 * @param expires - how long the URLs are valid, in milliseconds
 */
async function printUrls(name: string, expires: number, options: RawOptions): Promise<void> {
  const config = readConfig(options);
  await using offline = openDataFolder(config);
  const expiresAt = wallClock.now() + expires;
  const keys = await findKeys(offline, await resolveName(config, name));
  const urls = keys.map((key) => offline.downloadUrl(key, expiresAt));
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
