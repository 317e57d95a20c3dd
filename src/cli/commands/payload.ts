import type { Command } from 'commander';
import { openDataFolder, upgradeMessage } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted, quotedJson } from '../../lib/quoted.ts';
import { completeReferences } from '../complete-references.ts';
import { configureDownload, resolveName } from '../download-flags.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';

export { completeReferences as complete };

/** Configures `ota-gateway payload`. */
export function configure(command: Command): void {
  configureDownload(command, printPayload);
}

/**
 * Prints the message that the platform would push to a device, in one line for programs that read lines.
 * @param name - a FirmwareId or the name of a package
 * @param expires - how long its URLs are valid, in milliseconds
 */
async function printPayload(name: string, expires: number, options: RawOptions): Promise<void> {
  const config = readConfig(options);
  await using offline = openDataFolder(config);
  const firmware = await offline.findPackage(await resolveName(config, name));
  if (firmware === undefined) throw new Error(`there is no firmware package ${quoted(name)}`);
  const at = wallClock.now();
  const message = upgradeMessage(firmware, {
    at,
    urlOf: (key) => offline.downloadUrl(key, at + expires),
  });
  process.stdout.write(`${quotedJson(message)}\n`);
}
