import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '../../../../src/lib/clock.ts';
import { randomIds } from '../../../../src/lib/ids.ts';
import { silentLogger } from '../../../../src/lib/logger.ts';
import { DiskObjectStore } from '../../../../src/object-store/disk/disk-object-store.ts';
import { DiskInventory } from '../../../../src/object-store/disk/inventory.ts';
import { createCrc64Engine } from '../../../../src/object-store/hashing/crc64.ts';
import { digestChunks } from '../../../../src/object-store/hashing/digests.ts';
import type { Hasher } from '../../../../src/object-store/hashing/hasher.ts';
import { engineUnderTest } from '../../../support/engine.ts';
import { signUrlV1 } from '../../../support/signed-url.ts';
import { startTestGateway } from '../../../../src/testing/index.ts';
import type { TestGateway } from '../../../../src/testing/index.ts';
import { ActiveUploads } from '../../../../src/uploads/active-uploads.ts';
import type { UploadDependencies } from '../../../../src/uploads/dependencies.ts';
import type { ObjectStore } from '../../../../src/uploads/ports.ts';
import { receiveUpload } from '../../../../src/uploads/receive.ts';
import type { StoredObject } from '../../../../src/uploads/upload.ts';
import { countOpenBodies } from '../../../support/gateways.ts';

export const NOW = Date.UTC(2024, 0, 2, 3, 4, 5, 678);

export interface OssOptions {
  readonly publicRead?: boolean;
  readonly maxUploadBytes?: number;
  /** Wraps the store, so that a test can intercept its calls. */
  readonly wrapStore?: (store: ObjectStore) => ObjectStore;
}

export interface Signing {
  readonly method?: string;
  readonly query?: Iterable<readonly [string, string]>;
  /** Unix seconds. */
  readonly expires?: number;
  /** Percent-encoded; by default as SDKs encode the key. */
  readonly path?: string;
}

/** A gateway, with direct access to its ledger and store. */
export interface Oss extends AsyncDisposable {
  readonly app: RequestListener;
  readonly clock: ManualClock;
  readonly bucket: string;
  readonly region: string;
  readonly accessKey: { readonly id: string; readonly secret: string };
  readonly uploads: UploadDependencies;
  /** The errors that the gateway has logged. */
  readonly errors: object[];
  /** Stores a body like a form does, without HTTP. */
  store(
    key: string,
    body: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): Promise<StoredObject>;
  /** @returns path and query of a signed URL */
  sign(key: string, signing?: Signing): string;
  /** Listens on a port, for tests that supertest does not support. */
  listen(): Promise<{ readonly port: number } & AsyncDisposable>;
  /** @returns the number of bodies that this process has open */
  openBodies(): number;
  /** @returns the number of bodies that are coming in */
  uncommitted(): Promise<number>;
}

export async function startOss(options: OssOptions = {}): Promise<Oss> {
  const { publicRead = false, maxUploadBytes = 64 * 1024 * 1024, wrapStore } = options;
  const folder = await mkdtemp(join(tmpdir(), 'oss-read-'));
  const engine = await engineUnderTest().open(folder, 0);
  const plain = engine.parts.store ?? (await DiskObjectStore.open(folder, localHasher));
  const inventory = engine.inventory ?? new DiskInventory(folder, localHasher);
  const store = wrapStore?.(plain) ?? plain;
  const clock = new ManualClock(NOW);
  const errors: object[] = [];
  const logger = { ...silentLogger, error: (details: object) => errors.push(details) };
  const gateway = await startTestGateway({
    clock,
    publicRead,
    maxUpload: maxUploadBytes,
    parts: { ...engine.parts, store, logger, wallClock: clock },
  });
  const uploads = uploadDependencies(gateway, store);
  return {
    app: gateway.app,
    clock,
    bucket: gateway.config.bucket,
    region: gateway.config.region,
    accessKey: gateway.bucketKey,
    uploads,
    errors,
    store: (key, body, headers = {}) => storeBody(uploads, key, Buffer.from(body), headers),
    sign: (key, signing) => sign(gateway, key, signing),
    listen: () => listen(gateway.app),
    uncommitted: () => inventory.countUncommitted(),
    openBodies: () => countOpenBodies(engine, folder),
    [Symbol.asyncDispose]: async () => {
      await gateway.close();
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function uploadDependencies(gateway: TestGateway, store: ObjectStore): UploadDependencies {
  const { bucketKey, clock, config, records } = gateway;
  return {
    ...{ clock, store, ledger: records.ledger, ids: randomIds },
    ...{ logger: silentLogger, observer: {}, activeUploads: new ActiveUploads() },
    policySigner: { accessKeyId: bucketKey.id, sign: () => '' },
    rules: { ...config, maxUploadBytes: config.maxUpload },
  };
}

async function storeBody(
  uploads: UploadDependencies,
  key: string,
  body: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<StoredObject> {
  const bytes = (async function* () {
    await Promise.resolve();
    yield body;
  })();
  const outcome = await receiveUpload(uploads, { key, headers, forbidOverwrite: false, bytes });
  if (outcome.kind !== 'stored') throw new Error(outcome.kind);
  return outcome.object;
}

function sign(gateway: TestGateway, key: string, signing: Signing = {}): string {
  const { method = 'GET', query = [] } = signing;
  const expires = signing.expires ?? Math.floor(gateway.clock.now() / 1000) + 60;
  const path = signing.path ?? `/${key.split('/').map(encodeURIComponent).join('/')}`;
  const { id, secret } = gateway.bucketKey;
  const options = { accessKeyId: id, secret, bucket: gateway.config.bucket };
  const pairs = signUrlV1({ ...options, key, method, expires, query });
  return `${path}?${new URLSearchParams(pairs).toString()}`;
}

async function listen(app: RequestListener): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Calls `get` until its value passes the test. @returns this value, or the last one after two seconds */
export async function eventually<T>(
  get: () => Promise<T> | T,
  test: (value: T) => boolean,
): Promise<T> {
  let value = await get();
  for (let tries = 0; !test(value) && tries < 200; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    value = await get();
  }
  return value;
}

/** Hashes in this thread, so that the tests do not need the built thread. */
const localHasher: Hasher = {
  follow: (path) => ({
    advance: () => undefined,
    finish: async () => digestChunks([await readFile(path)], createCrc64Engine()),
    stop: () => undefined,
  }),
  sha256: async (path) => digestChunks([await readFile(path)], createCrc64Engine()).sha256,
  close: () => Promise.resolve(),
};
