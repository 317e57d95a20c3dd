import { z } from 'zod';
import { isDisabled } from '../accounts/accounts.ts';
import { readCredentials } from '../accounts/credentials-file.ts';
import { readConfigured } from '../accounts/keys.ts';
import type { ApiClientOptions } from '../client/api-client.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Config } from '../config/config.ts';
import { serverUrl } from '../http/public-host.ts';
import { wallClock } from '../lib/clock.ts';
import { randomIds } from '../lib/ids.ts';
import { reachAnswering } from './answering.ts';
import { CommandError } from './command-error.ts';
import type { RawOptions } from './environment.ts';
import { gatherOptions, readConfig } from './environment.ts';
import { findGateway } from './gateway-address.ts';
import type { GatewayAddress } from './gateway-address.ts';
import { withRunningSettings } from './running-gateway.ts';
import { parseFlags } from './parse-flags.ts';
import { ENDPOINT_VARIABLE, readVariables } from './variables.ts';

/** Where a command works: beside the server in its data folder, or through the address of a gateway. */
export interface Desk {
  readonly config: Config;
  /** Given by a flag or a variable; undefined when the data folder is meant. */
  readonly endpoint: string | undefined;
  /** Finds the gateway to act on. @throws CommandError that says why none can be used */
  findGateway(): Promise<GatewayAddress>;
  /** Makes the options of a client that signs calls to a gateway. @throws an Error when there is no access key */
  clientFor(url: string): ApiClientOptions;
}

const endpointUrl = z.url({
  protocol: /^https?$/,
  error: ({ input }) =>
    `expected an http or https URL such as http://127.0.0.1:9070, found ${JSON.stringify(input)}`,
});

/** The flag `--endpoint`. */
const deskFlags = z.looseObject({ endpoint: endpointUrl.optional() });

/**
 * Reads the flags of `withDesk`; those that are not settings must be taken out before.
 * @throws ConfigError that names each wrong flag and variable
 */
export function openDesk(flags: Readonly<Record<string, unknown>>): Desk {
  const endpoint = endpointOf(flags);
  const given = gatherSettings(flags);
  const options =
    endpoint === undefined ? withRunningSettings(given, readConfig(given).dataDir) : given;
  const config = readConfig(options);
  return {
    config,
    endpoint,
    findGateway: () =>
      findGateway({
        endpoint,
        dataDir: config.dataDir,
        configured: configuredUrl(options, config),
      }),
    clientFor: (url) => createClient(url, config),
  };
}

/** @returns the settings among the flags of a desk, and those of the environment */
export function gatherSettings(flags: Readonly<Record<string, unknown>>): RawOptions {
  return gatherOptions(process.env, { ...flags, endpoint: undefined });
}

/** @returns the endpoint of the flag, or else of the variable. @throws ConfigError when it is not a URL */
export function endpointOf(flags: Readonly<Record<string, unknown>>): string | undefined {
  return parseFlags(deskFlags, flags).endpoint ?? endpointOfEnvironment(flags);
}

/** A data folder on the command line means more than a variable of the shell. */
function endpointOfEnvironment(flags: Readonly<Record<string, unknown>>): string | undefined {
  if (flags['dataDir'] !== undefined) return undefined;
  const found = readVariables(process.env, flags['envFile'])[ENDPOINT_VARIABLE];
  if (found === undefined) return undefined;
  const parsed = endpointUrl.safeParse(found);
  if (parsed.success) return parsed.data;
  const message = parsed.error.issues.map((issue) => issue.message).join(', ');
  throw new ConfigError([`${ENDPOINT_VARIABLE}: ${message}`]);
}

/** @returns the address of the gateway, if the settings say one */
function configuredUrl(options: RawOptions, config: Config): string | undefined {
  const { host, port, publicUrl, tlsCert } = config;
  if (publicUrl !== undefined) return publicUrl;
  const isGiven = options['port'] !== undefined || options['host'] !== undefined;
  if (!isGiven || port === 0) return undefined;
  const reachable = ANY_ADDRESS.includes(host) ? '127.0.0.1' : host;
  return serverUrl({ isTls: tlsCert !== undefined, host: reachable, port });
}

const ANY_ADDRESS = ['0.0.0.0', '::'];

function createClient(url: string, config: Config): ApiClientOptions {
  return clientWith(url, findAccessKey(config));
}

/** Makes the options of a client that signs calls with an access key. */
export function clientWith(
  url: string,
  { id, secret }: { readonly id: string; readonly secret: string },
): ApiClientOptions {
  return {
    endpoint: url,
    accessKeyId: id,
    accessKeySecret: secret,
    clock: wallClock,
    nonce: () => randomIds.apiRequest(),
    fetch: (target, init) =>
      reachAnswering(url, ({ signal }) => fetch(target, { ...init, signal })),
  };
}

/** @returns the access key of the settings, or the first usable one of the accounts file, or that of the data folder */
function findAccessKey(config: Config): { id: string; secret: string } {
  const { accessKeyId: id, accessKeySecret: secret, accountsFile, dataDir } = config;
  if (id !== undefined && secret !== undefined) return { id, secret };
  const accounts = readConfigured(config);
  if (accounts === undefined) return readCredentials(dataDir).account;
  const usable = accounts
    .flatMap(({ accessKeys }) => accessKeys)
    .find((key) => key.securityToken === undefined && !isDisabled(key, wallClock.now()));
  if (usable !== undefined) return usable;
  throw new CommandError(
    'NoAccessKey',
    `${accountsFile ?? ''} has no access key that a command can use`,
    'Give --access-key-id and --access-key-secret',
  );
}
