import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { SettingsError } from '../config/settings-error.ts';
import { hasErrorCode } from '../lib/errno.ts';
import { CommandError } from './command-error.ts';
import type { RawOptions } from './environment.ts';
import { writePrivateJson } from './private-json.ts';

/** What a running server writes into its data folder, so that commands find it. */
export interface RunningGateway {
  /** The address that it listens on. */
  readonly url: string;
  /** The address that its clients use, when it is configured. */
  readonly publicUrl?: string;
  /** Also in the response of `/_gateway/health/live`. */
  readonly gatewayId: string;
  readonly pid: number;
  /** The settings that decide what its data means, as their variables have them. Older versions do not write them. */
  readonly settings?: RawOptions;
}

const TOLD = ['bucket', 'claimTtl', 'policyTtl'] as const;

/** @returns the settings of a server that commands beside it need to read its data as it does */
export function settingsForCommands({ bucket, claimTtl, policyTtl }: Config): RawOptions {
  return { bucket, claimTtl: `${String(claimTtl)}ms`, policyTtl: `${String(policyTtl)}ms` };
}

/** Adds the settings of the server of a data folder to those that are given, which win. */
export function withRunningSettings(given: RawOptions, dataDir: string): RawOptions {
  try {
    return { ...readRunningGateway(dataDir)?.settings, ...given };
  } catch {
    // What acts on the gateway reports a file that cannot be used.
    return given;
  }
}

/** @returns the path of the file in a data folder */
export function runningGatewayPath(dataDir: string): string {
  return join(dataDir, 'gateway.json');
}

/** Writes the file, readable for its owner only. */
export function writeRunningGateway(dataDir: string, running: RunningGateway): void {
  writePrivateJson(runningGatewayPath(dataDir), running);
}

/** Removes the file, unless another server has written its own. */
export function removeRunningGateway(dataDir: string, gatewayId: string): void {
  if (readRunningGateway(dataDir)?.gatewayId !== gatewayId) return;
  rmSync(runningGatewayPath(dataDir), { force: true });
}

/**
 * Reads the file of a data folder. It is checked by hand because `health` must not wait for a library.
 * @returns undefined when there is none: no server is running, or it is of an older version
 * @throws SettingsError when this user cannot read it; CommandError when it is damaged
 */
export function readRunningGateway(dataDir: string): RunningGateway | undefined {
  const path = runningGatewayPath(dataDir);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'ENOTDIR')) return undefined;
    if (!hasErrorCode(error, 'EACCES')) throw error;
    // As each command reports the folder that it cannot look into.
    const text = `${dataDir} cannot be read by this user. Run the command as the user of the gateway, or give its --endpoint`;
    throw new SettingsError([{ settings: ['dataDir'], text }]);
  }
  return parse(text) ?? fail(path);
}

function fail(path: string): never {
  throw new CommandError(
    'DamagedGatewayFile',
    `${path} does not hold {"url","gatewayId","pid"} of a running gateway`,
    'Remove it and start the gateway again, or give --endpoint',
  );
}

function parse(text: string): RunningGateway | undefined {
  const found: Partial<Record<string, unknown>> = parseObject(text);
  const { gatewayId, pid, publicUrl, settings, url } = found;
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  if (typeof gatewayId !== 'string' || typeof pid !== 'number') return undefined;
  return {
    ...{ url, gatewayId, pid },
    ...(typeof publicUrl === 'string' && { publicUrl }),
    ...(typeof settings === 'object' && settings !== null && { settings: textsOf(settings) }),
  };
}

function textsOf(settings: object): RawOptions {
  const found: Partial<Record<string, unknown>> = { ...settings };
  const texts: RawOptions = {};
  for (const name of TOLD) {
    const text = found[name];
    if (typeof text === 'string') texts[name] = text;
  }
  return texts;
}

function parseObject(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
