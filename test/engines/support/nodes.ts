import { join } from 'node:path';
import { purgeShape } from '../../../src/operator/shapes.ts';
import type { PurgeShape } from '../../../src/operator/shapes.ts';
import { callOperatorApi } from '../../../src/cli/operator-api.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { runCli, startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { apiOf } from '../../support/loop.ts';
import { createSchema } from './postgres.ts';
import { openTestStore, storeEndpoint } from './s3-store.ts';
import type { TestStore } from './s3-store.ts';

/** Where a test may stand between the gateways and their engines. */
export interface NodesSetup {
  /** Absent: a new schema of the server that all tests use. */
  readonly ledgerUrl?: string;
  /** Absent: the store itself. */
  readonly endpoint?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Settings of one node, which win. */
  readonly environmentOf?: (index: number) => Readonly<Record<string, string>>;
  /** The program that starts a node, with its arguments. */
  readonly launcherOf?: (index: number) => readonly string[];
}

/** Built gateways that share a new ledger and a new part of the store. Node 0 is the first one. */
export interface Nodes {
  readonly ledgerUrl: string;
  /** Reaches the store directly. */
  readonly store: TestStore;
  /** The settings that all nodes have. */
  readonly environment: Readonly<Record<string, string>>;
  readonly running: readonly BuiltGateway[];
  /** @returns the address of a node */
  url(index: number): string;
  /** Starts a node again, at the same address, which was killed. */
  restart(index: number): Promise<void>;
  /** Stops all nodes, and removes what they have stored. */
  dispose(): Promise<void>;
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:engines`);
  return value;
}

/** @param prefix - ends with a slash */
function storeUrl(prefix: string, endpoint: string): string {
  const query = new URLSearchParams({
    endpoint,
    region: required('S3_REGION'),
    'path-style': 'on',
    'allow-http': 'on',
  });
  return `s3://${required('S3_BUCKET')}/${prefix}?${query.toString()}`;
}

/** Starts gateways, one after the other. */
export async function startNodes(count: number, setup: NodesSetup = {}): Promise<Nodes> {
  const folder = await temporaryFolder();
  const schema = setup.ledgerUrl === undefined ? await createSchema() : undefined;
  const ledgerUrl = setup.ledgerUrl ?? schema?.url ?? '';
  const store = await openTestStore();
  const prefix = store.bodies.folder.slice(0, -'bodies/'.length);
  const environment = {
    OTA_GATEWAY_LEDGER_URL: ledgerUrl,
    OTA_GATEWAY_STORE_URL: storeUrl(prefix, setup.endpoint ?? storeEndpoint()),
    OTA_GATEWAY_STORE_ACCESS_KEY_ID: required('S3_ACCESS_KEY_ID'),
    OTA_GATEWAY_STORE_ACCESS_KEY_SECRET: required('S3_SECRET_ACCESS_KEY'),
    OTA_GATEWAY_DRAIN_DELAY: '0s',
    OTA_GATEWAY_MAX_PACKAGES: '1000000',
    ...setup.environment,
  };
  const running: BuiltGateway[] = [];
  const start = (index: number, port = 0): Promise<BuiltGateway> =>
    startBuiltGateway(
      join(folder.path, `node-${String(index)}`),
      { ...environment, ...setup.environmentOf?.(index) },
      port,
      setup.launcherOf?.(index),
    );
  const at = (index: number): BuiltGateway => {
    const node = running[index];
    if (node === undefined) throw new Error(`there is no node ${String(index)}`);
    return node;
  };
  const dispose = async (): Promise<void> => {
    await Promise.all(running.map((node) => node.kill()));
    await store.dispose();
    await schema?.drop();
    await folder.remove();
  };
  try {
    for (let index = 0; index < count; index += 1) running.push(await start(index));
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    ...{ ledgerUrl, store, environment, running, dispose },
    url: (index) => at(index).url,
    restart: async (index) => {
      running[index] = await start(index, at(index).port);
    },
  };
}

/** Runs the purge of a node now. */
export function purgeBy(url: string): Promise<PurgeShape> {
  const call = { method: 'POST', path: '/purge', body: { dryRun: false } } as const;
  return callOperatorApi(apiOf(url), call, purgeShape);
}

/** Gives up the bodies without a row, however young they are. @returns how many there were */
export async function sweepNow({ environment }: Pick<Nodes, 'environment'>): Promise<number> {
  const keys = {
    OTA_GATEWAY_ACCESS_KEY_ID: 'testid',
    OTA_GATEWAY_ACCESS_KEY_SECRET: 'testsecret',
    OTA_GATEWAY_OSS_ACCESS_KEY_ID: 'bucketid',
    OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: 'bucketsecret',
  };
  const args = ['fsck', '--sweep', '--age', '0', '--json'];
  const { code, stderr, stdout } = await runCli(args, { ...environment, ...keys });
  if (code !== 0) throw new Error(`fsck --sweep ended with ${String(code)}: ${stdout}${stderr}`);
  const found = /"disowned":\s*(\d+)/.exec(stdout)?.[1];
  if (found === undefined) throw new Error(`fsck --sweep printed ${stdout}`);
  return Number(found);
}

/** @returns the bodies in the store: locator -> path */
export async function bodiesInStore({ inventory }: TestStore): Promise<Map<string, string>> {
  const bodies = new Map<string, string>();
  for await (const { locator, path } of inventory.listFiles()) {
    if (locator !== undefined) bodies.set(locator, path);
  }
  return bodies;
}
