import { rm } from 'node:fs/promises';
import type { ApiFetch, UploadGrant } from '../client/api-client.ts';
import { createMemoryServer } from '../client/memory-connection.ts';
import type { MemoryClient } from '../client/memory-fetch.ts';
import { createMemoryClient, networkFetch } from '../client/memory-fetch.ts';
import { provideAsyncDispose } from '../client/node-globals.ts';
import type { OtaClient } from '../client/ota-client.ts';
import { createOtaClient } from '../client/ota-client.ts';
import { DOWNLOAD_URL_TTL, signDownloadUrl } from '../client/download-url.ts';
import { formFields, postObject } from '../client/post-object.ts';
import type { PostOptions } from '../client/post-object.ts';
import { checkTimers } from '../client/real-timers.ts';
import { createSeed } from '../client/seed.ts';
import type { Key } from '../client/seed.ts';
import type { GatewayOptions } from '../config/config.ts';
import { TEST_KEYS } from '../config/config.ts';
import type { Gateway, Records } from '../gateway.ts';
import {
  createFaults,
  createGateway,
  createMemoryRecords,
  createQuota,
  NoticeLog,
  RefusalLog,
} from '../gateway.ts';
import type { FaultCodes, FaultRegistry } from '../gateway.ts';
import { ManualClock, toMilliseconds } from '../lib/clock.ts';
import { sequentialIds } from '../lib/ids.ts';
import type { CreatedHooks } from './hooks.ts';
import { createHooks } from './hooks.ts';
import { createTemporaryFolder, removeAbandonedFolders } from './temporary-folder.ts';
import type {
  DownloadUrlOptions,
  PostObjectOptions,
  PostResult,
  TestGateway,
  TestGatewayOptions,
} from './test-gateway.ts';

const URL_INSIDE = 'http://gateway.test';
/** Callbacks to loopback are always allowed, so that a test can receive them. */
const LOOPBACK = ['localhost', '127.0.0.1', '::1'];
/** Later than any time. */
const NEVER = Number.MAX_SAFE_INTEGER;

/** What the public function of the same name does. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  checkTimers();
  provideAsyncDispose();
  const { clock = new ManualClock(), parts = {}, ...rest } = options;
  // Reads the disk while the ledger is made.
  const abandoned = removeAbandonedFolders();
  const { accessKey, bucketKey } = chooseKeys(options);
  const { failures, hooks, observer } = createHooks();
  const observers = [...(parts.observers ?? []), observer];
  const records = parts.records ?? createMemoryRecords();
  const faults = parts.faults ?? createFaults();
  const notices = parts.notices ?? new NoticeLog();
  const refusals = parts.refusals ?? new RefusalLog();
  const quota = createQuota(clock);
  await abandoned;
  const dataDir = await createTemporaryFolder();
  try {
    const gateway = await createGateway(
      { ...settingsFor(rest, accessKey, bucketKey), dataDir },
      {
        ids: sequentialIds(),
        quota,
        ...parts,
        clock,
        records,
        faults,
        notices,
        refusals,
        observers,
      },
    );
    return extendGateway({
      gateway: guarded(gateway),
      clock,
      accessKey,
      bucketKey,
      records,
      faults,
      notices,
      refusals,
      quota,
      dataDir,
      hooks,
      failures,
    });
  } catch (error) {
    await records.ledger.close();
    await rm(dataDir, { recursive: true, force: true });
    throw error;
  }
}

/** The settings of the caller, and defaults for tests. */
function settingsFor(
  own: Omit<TestGatewayOptions, 'clock' | 'parts'>,
  accessKey: Key,
  bucketKey: Key,
): GatewayOptions {
  return {
    accessKeyId: accessKey.id,
    accessKeySecret: accessKey.secret,
    ossAccessKeyId: bucketKey.id,
    ossAccessKeySecret: bucketKey.secret,
    qps: 'off',
    host: '127.0.0.1',
    port: 0,
    grace: '1s',
    unsignedCallbacks: true,
    ...own,
    callbackHosts: [...LOOPBACK, ...[own.callbackHosts ?? []].flat()].join(','),
  };
}

function chooseKeys(options: TestGatewayOptions): Pick<TestGateway, 'accessKey' | 'bucketKey'> {
  const { accessKeyId, accessKeySecret, ossAccessKeyId, ossAccessKeySecret, parts } = options;
  const own = {
    id: accessKeyId ?? TEST_KEYS.account.id,
    secret: accessKeySecret ?? TEST_KEYS.account.secret,
  };
  return {
    accessKey: parts?.accounts?.[0]?.accessKeys[0] ?? own,
    bucketKey: {
      id: ossAccessKeyId ?? TEST_KEYS.bucket.id,
      secret: ossAccessKeySecret ?? TEST_KEYS.bucket.secret,
    },
  };
}

interface StartedGateway {
  readonly gateway: Gateway;
  readonly clock: ManualClock;
  readonly accessKey: Key;
  readonly bucketKey: Key;
  readonly records: Records;
  readonly faults: FaultRegistry<FaultCodes>;
  readonly notices: NoticeLog;
  readonly refusals: RefusalLog;
  /** Unused when the test has brought its own. */
  readonly quota: ReturnType<typeof createQuota>;
  readonly dataDir: string;
  readonly hooks: CreatedHooks['hooks'];
  readonly failures: CreatedHooks['failures'];
}

/** Adds to a gateway what tests need: clients, faults, seeds, hooks. */
function extendGateway(started: StartedGateway): TestGateway {
  const { accessKey, bucketKey, clock, dataDir, failures, gateway, hooks, records } = started;
  const { faults, notices, quota, refusals } = started;
  const memory = createMemoryServer(gateway.app);
  const inside = createMemoryClient(memory);
  const clients = createClients(inside, clock, accessKey);
  const startedAt = clock.now();
  const close = async (): Promise<void> => {
    checkTimers();
    memory.close();
    await gateway.close();
    await rm(dataDir, { recursive: true, force: true });
    for (const failure of failures.splice(0)) throw failure;
  };
  const base = { ...gateway, ...clients, clock, accessKey, bucketKey, records, dataDir, close };
  const transfers = {
    postObject: (grant: UploadGrant, bytes: Uint8Array | string, options?: PostObjectOptions) =>
      post(URL_INSIDE, grant, bytes, { ...options, send: inside.send }),
    downloadUrl: (key: string, { url = URL_INSIDE, validFor }: DownloadUrlOptions = {}) => {
      const address = { host: url.replace(/\/+$/, ''), bucket: gateway.config.bucket, key };
      const time = validFor === undefined ? DOWNLOAD_URL_TTL : toMilliseconds(validFor);
      return signDownloadUrl(bucketKey, address, clock.now() + time);
    },
  };
  const seed = createSeed({
    clock,
    claimTtl: gateway.config.claimTtl,
    api: (key = accessKey) => clients.apiAs(key),
    post: transfers.postObject,
    purge: () => gateway.purgeUnclaimed(),
  });
  return {
    ...base,
    ...transfers,
    ...hooks,
    faults,
    postObjectTo: post,
    url: URL_INSIDE,
    formFields: (grant) => Object.fromEntries(formFields(grant)),
    fetch: async (url, init = {}) => inside.fetch(new URL(url, URL_INSIDE), init),
    seed: async (options) => {
      const seeded = await seed(options);
      return { ...seeded, downloadUrl: transfers.downloadUrl(seeded.key) };
    },
    snapshot: () => gateway.uploads.snapshot(),
    notices: () => notices.list(),
    refusals: () => refusals.list(),
    reset: async () => {
      checkTimers();
      faults.clear();
      notices.clear();
      refusals.clear();
      quota.clear();
      await gateway.uploads.forgetAll();
      await records.nonces.prune(NEVER, NEVER);
      clock.set(startedAt);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Lets `listen` reject, instead of waiting forever, while too much of Node is faked. */
function guarded(gateway: Gateway): Gateway {
  return {
    ...gateway,
    listen: async () => {
      checkTimers();
      return gateway.listen();
    },
  };
}

function createClients(
  memory: MemoryClient,
  clock: ManualClock,
  own: Key,
): Pick<TestGateway, 'api' | 'apiAs' | 'apiFor'> {
  let calls = 0;
  const client = (
    { id: accessKeyId, secret: accessKeySecret }: Key,
    rest: { readonly endpoint: string; readonly fetch: ApiFetch },
  ): OtaClient =>
    createOtaClient({
      accessKeyId,
      accessKeySecret,
      clock,
      // Unique in this gateway, which is enough because tests do not share records between gateways.
      nonce: () => `test-kit-${String(++calls)}`,
      ...rest,
    });
  const inside = { endpoint: URL_INSIDE, fetch: memory.fetch };
  return {
    api: client(own, inside),
    apiAs: (key) => client(key, inside),
    apiFor: (url, key = own) => client(key, { endpoint: url, fetch: networkFetch }),
  };
}

async function post(
  url: string,
  grant: UploadGrant,
  content: Uint8Array | string,
  {
    fields = {},
    filename = 'firmware.bin',
    headers,
    send,
  }: PostObjectOptions & Pick<PostOptions, 'send'> = {},
): Promise<PostResult> {
  checkTimers();
  const bytes = Buffer.from(content);
  const all = new Map<string, string | undefined>([
    ...formFields(grant),
    ...Object.entries(fields),
  ]);
  const present = [...all].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  const response = await postObject(
    url,
    present,
    { name: filename, size: bytes.length, bytes: [bytes] },
    { ...(headers && { headers }), ...(send && { send }) },
  );
  const code = /<Code>([^<]+)<\/Code>/.exec(response.body)?.[1];
  return { ...response, ...(code !== undefined && { code }) };
}
