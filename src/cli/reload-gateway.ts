import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { Account } from '../accounts/accounts.ts';
import { isDisabled } from '../accounts/accounts.ts';
import { readCredentials } from '../accounts/credentials-file.ts';
import type { ApiClientOptions } from '../client/api-client.ts';
import type { Config } from '../config/config.ts';
import { isServerLockHeld } from '../data-folder/inspect.ts';
import { wallClock } from '../lib/clock.ts';
import { isRunning } from '../lib/is-running.ts';
import type { ReloadOutcome } from '../operator/account-shapes.ts';
import { CommandError } from './command-error.ts';
import { clientWith } from './desk.ts';
import { findGateway } from './gateway-address.ts';
import { callOperatorApi } from './operator-api.ts';

/** What has become of the wish that the running gateway reads its files again. */
export interface Reload {
  readonly outcome: ReloadOutcome;
  /** Why the gateway refuses the files. */
  readonly problem?: string;
}

/**
 * Makes the gateway that uses a data folder read its accounts and keys again: by its operator API, whose answer tells how
 * that went, or else by the signal for it.
 * @param known - the accounts that the gateway knows, from before the change; undefined without an accounts file
 */
export async function reloadGateway(
  config: Config,
  known: readonly Account[] | undefined,
): Promise<Reload> {
  const isUsed = isServerLockHeld(config.dataDir);
  if (isUsed !== true) return { outcome: isUsed === false ? 'notRunning' : 'unknown' };
  return (await askByApi(config, known)) ?? { outcome: askBySignal(config.dataDir) };
}

/** @returns undefined when the gateway cannot be asked, for example without the key of an operator */
async function askByApi(
  config: Config,
  known: readonly Account[] | undefined,
): Promise<Reload | undefined> {
  try {
    const { dataDir } = config;
    const { url } = await findGateway({ dataDir, endpoint: undefined, configured: undefined });
    const client = findClient(url, config, known);
    if (client === undefined) return undefined;
    await callOperatorApi(client, { method: 'POST', path: '/reload' }, z.looseObject({}));
    return { outcome: 'reloaded' };
  } catch (error) {
    const isRefused = error instanceof CommandError && error.code === 'FileInvalid';
    return isRefused ? { outcome: 'refused', problem: error.message } : undefined;
  }
}

function findClient(
  url: string,
  { accessKeyId: id, accessKeySecret: secret, dataDir }: Config,
  known: readonly Account[] | undefined,
): ApiClientOptions | undefined {
  if (id !== undefined && secret !== undefined) return clientWith(url, { id, secret });
  if (known === undefined) return clientWith(url, readCredentials(dataDir).account);
  const key = known
    .filter(({ operator }) => operator === true)
    .flatMap(({ accessKeys }) => accessKeys)
    .find((each) => each.securityToken === undefined && !isDisabled(each, wallClock.now()));
  return key && clientWith(url, key);
}

function askBySignal(dataDir: string): ReloadOutcome {
  const pid = readProcessId(dataDir);
  if (pid === undefined || !isRunning(pid)) return 'unknown';
  try {
    process.kill(pid, 'SIGHUP');
    return 'asked';
  } catch {
    // It belongs to another user.
    return 'unknown';
  }
}

/** @returns what to say about the outcome */
export function describeReload({ outcome, problem = '' }: Reload): string {
  switch (outcome) {
    case 'reloaded':
      return 'The running gateway has read its accounts and keys again: the change applies now.';
    case 'refused':
      return `The running gateway cannot use its files, and keeps the accounts and keys from before: ${problem}. Correct the file, and run kill -HUP PID or systemctl reload.`;
    case 'asked':
      return 'The running gateway was asked by a signal to read its accounts again; its log says what it has read.';
    case 'notRunning':
      return 'No gateway uses this data folder: the change applies from its next start.';
    case 'unknown':
      return 'It is not known whether a gateway uses the data folder, or which process it is: the change applies after it gets the signal, kill -HUP PID or systemctl reload.';
  }
}

function readProcessId(dataDir: string): number | undefined {
  try {
    const [, pid] =
      /^process (\d+)$/m.exec(readFileSync(join(dataDir, 'server.pid'), 'utf8')) ?? [];
    return pid === undefined ? undefined : Number(pid);
  } catch {
    return undefined;
  }
}
