import type { Command } from 'commander';
import { z } from 'zod';
import { duration } from '../config/units.ts';
import type { RawOptions } from './environment.ts';
import { gatherOptions } from './environment.ts';
import { parseFlags, withSettings } from './setting-flags.ts';

const flags = z.looseObject({ expires: duration });

/** How long the URLs of the platform are valid (IoT Platform, "Perform OTA updates"). */
const DOWNLOAD_TTL = '24h';

/** Configures a command that prints URLs of one thing from the data folder, also while a server uses it. */
export function configureDownload(
  command: Command,
  print: (name: string, expires: number, options: RawOptions) => Promise<void>,
): void {
  withSettings(command, ['dataDir', 'publicUrl', 'bucket'])
    .option('--expires <duration>', 'how long a URL is valid', DOWNLOAD_TTL)
    .action((name: string, given: unknown) => {
      const { expires, ...settings } = parseFlags(flags, given);
      return print(name, expires, gatherOptions(process.env, settings));
    });
}
