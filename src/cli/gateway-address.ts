import { existsSync } from 'node:fs';
import { SettingsError } from '../config/settings-error.ts';
import { isRunning } from '../lib/is-running.ts';
import { CommandError } from './command-error.ts';
import { reach } from './network-failure.ts';
import { askGatewayId } from './probe.ts';
import type { RunningGateway } from './running-gateway.ts';
import { readRunningGateway, runningGatewayPath } from './running-gateway.ts';

/** What is known about the gateway that a command wants to reach. */
export interface Whereabouts {
  /** Given by a flag or a variable. */
  readonly endpoint: string | undefined;
  readonly dataDir: string;
  /** The address that follows from the settings, if they say one. */
  readonly configured: string | undefined;
  /** Whether only public responses are asked for, so that the name in a certificate does not matter. */
  readonly isPublic?: boolean;
}

/** The address of a gateway that answers. */
export interface GatewayAddress {
  readonly url: string;
  /** The address that its clients use, as far as known. */
  readonly publicUrl: string;
}

const ANY_ADDRESS = /^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=[:/]|$)/;

/**
 * Finds the gateway to act on: the given endpoint; else the one that uses the data folder, when its id is right; else
 * the address of the settings.
 * @throws SettingsError when the data folder does not exist; CommandError that says why none can be used
 */
export async function findGateway(where: Whereabouts): Promise<GatewayAddress> {
  const { configured, dataDir, endpoint } = where;
  if (endpoint !== undefined) return addressAt(endpoint);
  const running = readRunningGateway(dataDir);
  if (running !== undefined) return requireSame(dataDir, running, where.isPublic ?? false);
  if (configured !== undefined) return addressAt(configured);
  const advice =
    'Start one with `ota-gateway serve`, or name it by --data-dir FOLDER or --endpoint URL';
  if (!existsSync(dataDir)) {
    const text = `${dataDir} does not exist: expected the data folder of a running gateway. ${advice}`;
    throw new SettingsError([{ settings: ['dataDir'], text }]);
  }
  throw new CommandError(
    'NoGateway',
    `no gateway is running on the data folder ${dataDir}: it has no gateway.json`,
    advice,
  );
}

function addressAt(url: string): GatewayAddress {
  const trimmed = url.replace(/\/+$/, '');
  return { url: trimmed, publicUrl: trimmed };
}

/** @returns where a command of the same machine reaches a gateway */
export function localUrl({ publicUrl, url }: RunningGateway, isPublic = false): string {
  // The certificate is for the public name.
  if (url.startsWith('https:') && publicUrl !== undefined && !isPublic) return publicUrl;
  return url.replace(ANY_ADDRESS, (_, scheme: string) => `${scheme}127.0.0.1`);
}

/** @throws CommandError unless the gateway of the file answers at its address */
async function requireSame(
  dataDir: string,
  running: RunningGateway,
  isPublic: boolean,
): Promise<GatewayAddress> {
  const url = localUrl(running, isPublic);
  const path = runningGatewayPath(dataDir);
  const found = await reach(url, () => askGatewayId(url)).catch((error: unknown) => {
    throw isRunning(running.pid) ? error : leftBehind(path, running, error);
  });
  if (found === running.gatewayId) return { url, publicUrl: running.publicUrl ?? url };
  if (!isRunning(running.pid)) throw leftBehind(path, running, undefined);
  throw new CommandError(
    'AnotherGateway',
    `${url} is answered by ${found === undefined ? 'another program' : 'another gateway'}, not by the one that uses the data folder ${dataDir} (process ${String(running.pid)})`,
    'Nothing was changed. Check what else uses the port or the public URL, or give the right --endpoint',
  );
}

function leftBehind(path: string, { pid, url }: RunningGateway, cause: unknown): CommandError {
  return new CommandError(
    'NoGateway',
    `${path} is left of process ${String(pid)}, which listened on ${url} and has ended without removing it`,
    'Start the gateway again with `ota-gateway serve`, which replaces the file',
    { cause },
  );
}
