import { z } from 'zod';
import { pathSegment } from '../client/operator-call.ts';
import type { Config } from '../config/config.ts';
import { SettingsError } from '../config/settings-error.ts';
import { duration } from '../config/units.ts';
import { openQueries } from '../data-folder/open.ts';
import type { ReferenceShape } from '../operator/shapes.ts';
import { UsageError } from './command-error.ts';
import { gatherSettings } from './desk.ts';
import type { Desk } from './desk.ts';
import { readConfig } from './environment.ts';
import { callOperatorApi } from './operator-api.ts';
import { remoteOperator } from './operator.ts';
import type { Operator } from './operator.ts';
import { jsonFlag } from './output.ts';
import { readRunningGateway, withRunningSettings } from './running-gateway.ts';
import { parseFlags } from './parse-flags.ts';

const flags = z.looseObject({
  ...jsonFlag.shape,
  expires: duration.refine((span) => span > 0, 'expected more than 0'),
});

/** What is asked of a command that prints URLs. */
export interface Download {
  /** How long the URLs are valid, in milliseconds. */
  readonly expires: number;
  readonly json: boolean;
  /** The other flags. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Reads the flags of `withDownload`. @throws UsageError */
export function readDownload(given: unknown): Download {
  const { expires, json, ...settings } = parseFlags(flags, given);
  return { expires, json, settings };
}

/**
 * Reads the settings, and adds those of the gateway that uses the data folder, with its public URL when they say no
 * address.
 * @throws SettingsError when gateways share a ledger, and none of them says its address here
 */
export function readAddressed(settings: Readonly<Record<string, unknown>>): Config {
  const given = gatherSettings(settings);
  const options = withRunningSettings(given, readConfig(given).dataDir);
  const config = readConfig(options);
  if (['publicUrl', 'host', 'port'].some((name) => options[name] !== undefined)) return config;
  const running = readRunningGateway(config.dataDir);
  const url = running?.publicUrl ?? running?.url;
  if (url !== undefined) return readConfig({ ...options, publicUrl: url });
  if (config.ledgerUrl === undefined) return config;
  const text =
    'is needed: the ledger does not say at which address clients reach its gateways. Give it, or the --endpoint of one of them';
  throw new SettingsError([{ settings: ['publicUrl'], text }]);
}

/** The longest time that the operator API signs for, in milliseconds. */
const MAX_REMOTE = 7 * 86_400_000;

/** Asks a gateway about firmware packages. */
export interface PackageDesk {
  readonly operator: Operator;
  /** @returns the id of the package that is meant, or that holds the upload that is meant */
  findId(meant: Exclude<ReferenceShape, { kind: 'request' }>): Promise<string | undefined>;
  /** @returns the URLs or the message of a package, as `shape` describes it */
  ask<T>(firmwareId: string, what: 'urls' | 'message', shape: z.ZodType<T>): Promise<T>;
}

/** @throws UsageError for a time that no gateway signs for */
export function openPackageDesk(desk: Desk, endpoint: string, expires: number): PackageDesk {
  if (expires > MAX_REMOTE) {
    throw new UsageError('--expires: a gateway signs for at most 7d; give less, or --data-dir');
  }
  const api = desk.clientFor(endpoint);
  const operator = remoteOperator(api);
  return {
    operator,
    findId: async (meant) =>
      meant.kind === 'package'
        ? meant.firmwareId
        : (await operator.showUpload(meant.key))?.package?.firmwareId,
    ask: (firmwareId, what, shape) => {
      const path = `/packages/${pathSegment(firmwareId)}/${what}`;
      const query = { expires: `${String(expires)}ms` };
      return callOperatorApi(api, { method: 'GET', path, query }, shape);
    },
  };
}

/** Finds what a name means in a data folder: a key, a URL, the id or the name of a package, or the id of a request. */
export async function resolveName(
  config: Config,
  name: string,
): Promise<ReferenceShape | undefined> {
  await using folder = await openQueries(config);
  // The folder is open until the answer is there.
  return await folder.queries.resolve(folder.viewer, name);
}
