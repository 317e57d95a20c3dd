import type { Command } from 'commander';
import { openDataFolder, upgradeMessage } from '../../data-folder.ts';
import { wallClock } from '../../lib/clock.ts';
import { quoted, quotedJson } from '../../lib/quoted.ts';
import { configureDownload } from '../download-flags.ts';
import type { RawOptions } from '../environment.ts';
import { readConfig } from '../environment.ts';

/** Configures `ota-gateway payload`. */
export function configure(command: Command): void {
  configureDownload(command, printPayload);
}

/**
 * Prints the message that the platform would push to a device, in one line for programs that read lines.
 * @param expires - how long its URLs are valid, in milliseconds
 */
async function printPayload(
  firmwareId: string,
  expires: number,
  options: RawOptions,
): Promise<void> {
  await using offline = openDataFolder(readConfig(options));
  const firmware = await offline.findPackage(firmwareId);
  if (firmware === undefined) throw new Error(`there is no firmware package ${quoted(firmwareId)}`);
  const at = wallClock.now();
  const message = upgradeMessage(firmware, {
    at,
    urlOf: (key) => offline.downloadUrl(key, at + expires),
  });
  process.stdout.write(`${quotedJson(message)}\n`);
}
