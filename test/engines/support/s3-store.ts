import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import { STORE_LIMITS } from '../../../src/object-store/s3/limits.ts';
import type { StoreLimits } from '../../../src/object-store/s3/limits.ts';
import { openS3Client } from '../../../src/object-store/s3/s3-client.ts';
import { S3Inventory } from '../../../src/object-store/s3/s3-inventory.ts';
import { S3ObjectStore } from '../../../src/object-store/s3/s3-object-store.ts';
import type { StoreClient } from '../../../src/object-store/s3/store-client.ts';
import { StoredBodies } from '../../../src/object-store/s3/stored-bodies.ts';
import type { ObjectStoreUnderTest } from '../../contract/object-store-contract.ts';

const HOUR = 3_600_000;
/** Longer than any test. */
export const ORPHAN_AGE = 24 * HOUR;

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run npm run test:engines`);
  return value;
}

/** @returns the address of the store that the tests use */
export function storeEndpoint(): string {
  return setting('S3_ENDPOINT');
}

/** How a test reaches the store. */
export interface StoreSetup {
  /** Absent: the store itself; a test may stand between. */
  readonly endpoint?: string;
  readonly limits?: Partial<StoreLimits>;
  readonly minFree?: number;
  /** Absent: a new folder. */
  readonly dataDir?: string;
}

/** A part of the store that nothing else uses. */
export interface TestStore extends ObjectStoreUnderTest {
  readonly store: S3ObjectStore;
  /** The data folder of `store`. */
  readonly folder: string;
  readonly bodies: StoredBodies;
  /** What the names of its objects begin with. */
  readonly prefix: string;
  /** Reaches the store directly. */
  readonly client: StoreClient;
  reopen(): Promise<S3ObjectStore>;
  /** Opens it with a new data folder, as another gateway does. */
  openBeside(minFree: number): Promise<{ readonly store: S3ObjectStore; readonly folder: string }>;
}

/** @returns the environment variables with which a built gateway uses a part of the store */
export function storeUrl(prefix: string): Record<string, string> {
  const parameters = new URLSearchParams({
    endpoint: storeEndpoint(),
    region: setting('S3_REGION'),
    'path-style': 'on',
  });
  return {
    OTA_GATEWAY_STORE_URL: `s3://${setting('S3_BUCKET')}/${prefix}?${parameters.toString()}`,
    OTA_GATEWAY_STORE_ACCESS_KEY_ID: setting('S3_ACCESS_KEY_ID'),
    OTA_GATEWAY_STORE_ACCESS_KEY_SECRET: setting('S3_SECRET_ACCESS_KEY'),
  };
}

function connect(prefix: string, endpoint: string, limits: StoreLimits): StoreClient {
  const address = {
    ...{ bucket: setting('S3_BUCKET'), prefix, endpoint, region: setting('S3_REGION') },
    pathStyle: true,
  };
  const { stallTimeout } = limits;
  const credentials = {
    accessKeyId: setting('S3_ACCESS_KEY_ID'),
    secretAccessKey: setting('S3_SECRET_ACCESS_KEY'),
  };
  return openS3Client(address, { credentials, stallTimeout, sockets: 32 });
}

/** Opens an empty part of the store. */
export async function openTestStore(setup: StoreSetup = {}): Promise<TestStore> {
  const limits = { ...STORE_LIMITS, ...setup.limits };
  const folders: string[] = [];
  const newFolder = async (): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'ota-s3-'));
    folders.push(folder);
    return folder;
  };
  const own = await newFolder();
  const folder = setup.dataDir ?? own;
  const prefix = `${basename(own)}/`;
  const client = connect(prefix, storeEndpoint(), STORE_LIMITS);
  const bodies = new StoredBodies({ client, name: 'the store', prefix });
  const opened: S3ObjectStore[] = [];
  const open = async (dataDir: string, minFree = setup.minFree ?? 0): Promise<S3ObjectStore> => {
    const store = await S3ObjectStore.open({
      client: connect(prefix, setup.endpoint ?? storeEndpoint(), limits),
      ...{ name: 'the store', prefix, dataDir, limits, minFree },
      hasher: new ThreadHasher(),
    });
    opened.push(store);
    return store;
  };
  return {
    store: await open(folder),
    ...{ folder, client, bodies, prefix },
    inventory: new S3Inventory(bodies, ORPHAN_AGE),
    reopen: async () => open(await newFolder()),
    openBeside: async (minFree) => {
      const beside = await newFolder();
      return { store: await open(beside, minFree), folder: beside };
    },
    dispose: async () => {
      await Promise.all(opened.map((store) => store.close()));
      for await (const { items } of bodies.pages()) {
        for (const { key } of items) await client.delete(key);
      }
      client.close();
      for (const each of folders) await rm(each, { recursive: true });
    },
  };
}
