import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { z } from 'zod';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import { callApi } from '../../../src/client/api-client.ts';
import { COPIED_TABLES } from '../../../src/ledger/copy/tables.ts';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import { DiskInventory } from '../../../src/object-store/disk/inventory.ts';
import type { BodyInventory } from '../../../src/uploads/maintenance/ports.ts';
import { ACCOUNT_KEY, BUCKET_KEY, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import { purgeBy } from './nodes.ts';
import { createSchema, runSql } from './postgres.ts';
import { openTestStore, storeUrl } from './s3-store.ts';
import type { TestStore } from './s3-store.ts';

/** The nonce of a call that the data folder remembers. */
export const BURNED = 'burned-in-the-folder';
/** The keys that a built gateway has in tests, for commands. */
export const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
};
export const PURGE_BY_HAND = { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' };

/** What a data folder is copied into: an empty schema, and an empty part of the store. */
export interface Target {
  readonly ledgerUrl: string;
  readonly store: TestStore;
  /** The settings of its gateways, without keys of accounts and of the bucket. */
  readonly environment: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** Makes what a data folder is copied into. */
export async function createTarget(): Promise<Target> {
  const [schema, store] = await Promise.all([createSchema(), openTestStore()]);
  return {
    ...{ ledgerUrl: schema.url, store },
    environment: {
      ...{ OTA_GATEWAY_LEDGER_URL: schema.url, ...storeUrl(store.prefix), ...PURGE_BY_HAND },
      OTA_GATEWAY_DRAIN_DELAY: '0s',
      // The SDK warns of the end of this version of Node.
      NODE_NO_WARNINGS: '1',
    },
    remove: async () => {
      await Promise.all([schema.drop(), store.dispose()]);
    },
  };
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** What a seeded data folder has. */
export interface Seeded {
  /** Bytes of packages by their id. */
  readonly packages: ReadonlyMap<string, Buffer>;
  /** Stored, and not claimed. */
  readonly stored: readonly { readonly grant: UploadGrant; readonly bytes: Buffer }[];
  /** A deleted package, whose body is waiting for the purge. */
  readonly purging: number;
}

/** Fills a data folder with uploads in every state, with packages, refusals and usage. @param large - bytes of the largest */
export async function seedFolder(
  dataDir: string,
  large = 20 * MIB,
  environment: Readonly<Record<string, string>> = {},
): Promise<Seeded> {
  const gateway = await startBuiltGateway(dataDir, { ...PURGE_BY_HAND, ...environment });
  const { url } = gateway;
  const put = async (size: number, salt: string) => {
    const bytes = Buffer.concat([patternBytes(size), Buffer.from(salt)]);
    const grant = await grantFrom(url);
    expect((await post(grant, bytes)).status).toBe(200);
    return { grant, bytes };
  };
  const packages = new Map<string, Buffer>();
  for (const [index, size] of [1000, 600 * KIB, large].entries()) {
    const { bytes, grant } = await put(size, String(index));
    packages.set(await claim(url, grant, `package-${String(index)}`), bytes);
  }
  const gone = await put(2000, 'gone');
  const goneId = await claim(url, gone.grant, 'gone');
  await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: goneId });
  await purgeBy(url);
  const stored = [await put(3000, 'a'), await put(0, ''), await put(70 * KIB, 'c')];
  // Replaced: its body waits for the purge.
  const again = await put(4000, 'first');
  const bytes = Buffer.from('second');
  expect((await post(again.grant, bytes)).status).toBe(200);
  await grantFrom(url);
  await callApi({ ...apiOf(url), nonce: () => BURNED }, 'GenerateOTAUploadURL', {
    FileSuffix: 'bin',
  });
  expect((await post({ ...again.grant, signature: 'wrong' }, bytes)).status).toBe(403);
  expect(await gateway.stop()).toBe(0);
  addSample(dataDir);
  return { packages, stored: [...stored, { grant: again.grant, bytes }], purging: 1 };
}

function addSample(dataDir: string): void {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'));
  const { columns = [] } = COPIED_TABLES.find(({ name }) => name === 'usage_samples') ?? {};
  const values = columns.map((column, index) => (column === 'disk_free' ? 'NULL' : String(index)));
  database.exec(
    `INSERT OR REPLACE INTO usage_samples (${columns.join()}) VALUES (${values.join()})`,
  );
  database.close();
}

type Tables = Readonly<Record<string, readonly object[]>>;

/** @returns all rows of all tables that are copied, with all columns */
export function tablesOfFolder(dataDir: string): Tables {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
  try {
    return Object.fromEntries(
      COPIED_TABLES.map(({ key, name }) => {
        const rows = database.prepare(`SELECT * FROM ${name} ORDER BY ${key.join()}`).all();
        return [name, z.array(z.looseObject({})).parse(rows)];
      }),
    );
  } finally {
    database.close();
  }
}

const jsonRows = z.array(z.object({ row: z.looseObject({}) }));

/** The same of a ledger in PostgreSQL, without what its gateways alone need. */
export async function tablesOfCluster(ledgerUrl: string): Promise<Tables> {
  const tables: Record<string, readonly object[]> = {};
  for (const { key, name } of COPIED_TABLES) {
    const sql = `SELECT row_to_json(t) AS row FROM ${name} t ORDER BY ${key.join()}`;
    tables[name] = jsonRows
      .parse(await runSql(ledgerUrl, sql))
      .map(({ row }) =>
        Object.fromEntries(Object.entries(row).filter(([column]) => column !== 'taken_until')),
      );
  }
  return tables;
}

const bodyRows = z.array(
  z.looseObject({
    ...{ state: z.string(), locator: z.string().nullable(), size: z.number().nullable() },
    ...{ md5: z.string().nullable(), crc64: z.string().nullable() },
  }),
);

/** Reads the body of each stored and claimed upload, and compares it with the row. @returns how many there are */
export async function compareBodies(
  { uploads = [] }: Tables,
  inventory: Pick<BodyInventory, 'measure'>,
): Promise<number> {
  const rows = bodyRows
    .parse(uploads)
    .filter(({ state }) => state === 'stored' || state === 'claimed');
  for (const { crc64, locator, md5, size } of rows) {
    expect(await inventory.measure(locator ?? '')).toMatchObject({ crc64, md5, size });
  }
  return rows.length;
}

/** Like `compareBodies`, for a data folder. */
export async function compareFolder(dataDir: string): Promise<number> {
  const inventory = new DiskInventory(dataDir, new ThreadHasher());
  try {
    return await compareBodies(tablesOfFolder(dataDir), inventory);
  } finally {
    await inventory.close();
  }
}
