import type { Command } from 'commander';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { duration } from '../config/units.ts';
import { openQueries } from '../data-folder.ts';
import type { RawOptions } from './environment.ts';
import { gatherOptions, readConfig } from './environment.ts';
import { readRunningGateway } from './running-gateway.ts';
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
      return print(name, expires, withAddress(gatherOptions(process.env, settings)));
    });
}

/** Adds the public URL of the gateway that uses the data folder, when the settings say no address. */
function withAddress(options: RawOptions): RawOptions {
  if (['publicUrl', 'host', 'port'].some((name) => options[name] !== undefined)) return options;
  const running = readRunningGateway(readConfig(options).dataDir);
  const url = running?.publicUrl ?? running?.url;
  return url === undefined ? options : { ...options, publicUrl: url };
}

/**
 * Finds what a name means in a data folder: a key, a URL, the id or the name of a package.
 * @returns a key or a FirmwareId; the name itself when nothing has it
 */
export async function resolveName(config: Config, name: string): Promise<string> {
  await using folder = openQueries(config);
  const found = await folder.queries.resolve(folder.viewer, name);
  if (found?.kind === 'upload') return found.key;
  return found?.kind === 'package' ? found.firmwareId : name;
}
