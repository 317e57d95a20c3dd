import { cp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callApi } from '../../src/client/api-client.ts';
import { backupResult, exportResult } from '../../src/cli/shapes.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { checkDataFolder } from '../../src/data-folder/check.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { inChunks } from '../support/bytes.ts';
import { apiOf, claim, codeOf, download, grantFrom, post } from '../support/loop.ts';
import { folderForEachTest, folderForSuite } from '../support/suite.ts';
import type { Seeded } from './support/copies.ts';
import {
  BURNED,
  compareBodies,
  compareFolder,
  createTarget,
  KEYS,
  PURGE_BY_HAND,
  seedFolder,
  tablesOfCluster,
  tablesOfFolder,
} from './support/copies.ts';
import { bodiesInStore, purgeBy } from './support/nodes.ts';
import { runSql } from './support/postgres.ts';
import type { TestStore } from './support/s3-store.ts';

const BODIES = 7;

const seedOf = folderForSuite();
const folder = folderForEachTest();
let seeded: Seeded;
let dataDir: string;
let store: TestStore;
let ledgerUrl: string;
let environment: Readonly<Record<string, string>>;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  seeded = await seedFolder(join(seedOf.path, 'data'));
});

beforeEach(async () => {
  dataDir = join(folder.path, 'data');
  await cp(join(seedOf.path, 'data'), dataDir, { recursive: true });
  const target = await createTarget();
  ({ environment, ledgerUrl, store } = target);
  cleanUps.push(() => target.remove());
});

afterEach(async () => {
  for (let clean = cleanUps.pop(); clean !== undefined; clean = cleanUps.pop()) await clean();
});

function run(args: readonly string[]) {
  return runCli(args, { ...environment, ...KEYS });
}

async function exportIt() {
  const { code, stderr, stdout } = await run(['export', '--data-dir', dataDir, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return exportResult.parse(JSON.parse(stdout));
}

async function startNode(): Promise<BuiltGateway> {
  const node = await startBuiltGateway(join(folder.path, 'node'), environment);
  cleanUps.push(() => node.stop());
  return node;
}

it('copies a data folder into a cluster and back, with every row and every body', async () => {
  const before = tablesOfFolder(dataDir);
  for (const rows of Object.values(before)) expect(rows).not.toHaveLength(0);
  const report = await exportIt();
  const rows = Object.values(before).flat().length;
  expect(report).toMatchObject({ uploads: BODIES, copied: BODIES, rows, wasDone: false });
  const after = await tablesOfCluster(ledgerUrl);
  expect(after).toEqual(before);
  expect(await compareBodies(after, store.inventory)).toBe(BODIES);
  const target = join(folder.path, 'back');
  const { code, stderr, stdout } = await run(['backup', target, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(backupResult.parse(JSON.parse(stdout))).toMatchObject({
    ...{ uploads: BODIES, missing: [], differing: [], damage: [] },
  });
  expect((await readdir(target)).sort()).toEqual(['gateway.sqlite3', 'objects']);
  expect(tablesOfFolder(target)).toEqual(before);
  expect(await compareFolder(target)).toBe(BODIES);
  const found: unknown[] = [];
  await checkDataFolder(target, {
    ...{ deep: true, repair: false, clock: wallClock, onProgress: () => undefined },
    onFinding: (finding) => found.push(finding),
  });
  expect(found).toEqual([]);
  const again = await startBuiltGateway(target, PURGE_BY_HAND);
  cleanUps.push(() => again.stop());
  for (const [id, bytes] of seeded.packages) {
    expect(bytes.equals(await download(again.url, id))).toBe(true);
  }
});

it('lets gateways go on where the data folder has stopped', async () => {
  await exportIt();
  const [{ last }] = (await runSql(
    ledgerUrl,
    'SELECT max(sequence)::integer AS last FROM uploads',
  )) as [{ last: number }];
  const { url } = await startNode();
  for (const [id, bytes] of seeded.packages) {
    expect(bytes.equals(await download(url, id))).toBe(true);
  }
  for (const [index, { bytes, grant }] of seeded.stored.entries()) {
    // No package can have an empty file.
    if (bytes.length === 0) continue;
    const id = await claim(url, grant, `later-${String(index)}`);
    expect(bytes.equals(await download(url, id))).toBe(true);
  }
  const replayed = { ...apiOf(url), nonce: () => BURNED };
  expect(await codeOf(callApi(replayed, 'GenerateOTAUploadURL', { FileSuffix: 'bin' }))).toBe(
    'SignatureNonceUsed',
  );
  const grant = await grantFrom(url);
  expect((await post(grant, Buffer.from('new'))).status).toBe(200);
  const newest = await runSql(
    ledgerUrl,
    'SELECT min(sequence)::integer AS next FROM uploads WHERE sequence > $1',
    [last],
  );
  expect(newest).toEqual([{ next: last + 1 }]);
  expect(await purgeBy(url)).toMatchObject({ purged: seeded.purging, failed: 0 });
  expect(await bodiesInStore(store)).toHaveProperty('size', BODIES + 1);
  const sums = `SELECT account_id, state, sum(count)::integer AS count, sum(bytes)::integer AS bytes
    FROM totals GROUP BY account_id, state HAVING sum(count) <> 0 ORDER BY account_id, state`;
  const counted = `SELECT account_id, state, count(*)::integer AS count,
      coalesce(sum(size), 0)::integer AS bytes FROM uploads GROUP BY account_id, state
    UNION ALL SELECT account_id, 'package', count(*)::integer, 0 FROM firmware_packages
    GROUP BY account_id ORDER BY account_id, state`;
  expect(await runSql(ledgerUrl, sums)).toEqual(await runSql(ledgerUrl, counted));
});

it('does nothing when it is run again after its end', async () => {
  await exportIt();
  const { url } = await startNode();
  await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: [...seeded.packages.keys()][0] });
  await purgeBy(url);
  const bodies = await bodiesInStore(store);
  expect(await exportIt()).toMatchObject({ wasDone: true, copied: 0, rows: 0 });
  expect(await bodiesInStore(store)).toEqual(bodies);
  const text = await run(['export', '--data-dir', dataDir]);
  expect(text).toMatchObject({
    ...{ code: 0, stdout: 'an earlier export of this data folder has ended: start the gateways\n' },
  });
});

it('shows its progress, and says what it has copied', async () => {
  const { code, stderr, stdout } = await run(['export', '--data-dir', dataDir]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/copied \[#{30}\] 100 %/);
  expect(stdout).toMatch(
    /^7 uploads with \d+ bytes are there, 7 of them copied now, and \d+ rows: /,
  );
});

describe('an export is refused', () => {
  async function refusal() {
    const { code, stderr, stdout } = await run(['export', '--data-dir', dataDir]);
    expect(stdout).toBe('');
    expect(stderr).not.toContain(new URL(ledgerUrl).password);
    return { code, stderr };
  }

  it('without a ledger and a store', async () => {
    const { code, stderr } = await runCli(['export', '--data-dir', dataDir]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /OTA_GATEWAY_LEDGER_URL: is not given.*\n.*OTA_GATEWAY_STORE_URL: is not/,
    );
  });

  it('while a server uses the data folder', async () => {
    const server = await startBuiltGateway(dataDir);
    cleanUps.push(() => server.stop());
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toContain(`another server uses the data folder ${dataDir}: process`);
  });

  it('into a ledger that gateways use, also an empty one', async () => {
    const node = await startNode();
    await node.stop();
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toContain('gateways use the ledger: an export needs a database that nothing');
    expect(await bodiesInStore(store)).toHaveProperty('size', 0);
  });

  it('into a ledger that has rows, which stay as they are', async () => {
    const node = await startNode();
    const grant = await grantFrom(node.url);
    await node.stop();
    await runSql(ledgerUrl, 'DELETE FROM agreements');
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toContain('the ledger has rows in uploads: an export needs a database that');
    expect(await runSql(ledgerUrl, 'SELECT key FROM uploads')).toEqual([{ key: grant.key }]);
  });

  it('into a store with bodies of others, which stay as they are', async () => {
    const other = 'a1'.repeat(16);
    await store.store.put(other, inChunks(Buffer.from('others'), 10));
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toMatch(/the store is in use: it has .*a1a1.*; give a bucket or a prefix/);
    expect([...(await bodiesInStore(store)).keys()]).toEqual([other]);
  });

  it('while that of another data folder has not ended', async () => {
    await exportIt();
    await forgetRows();
    await rm(join(dataDir, 'export-id'));
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toContain('the export of another data folder into the ledger has not ended');
  });

  it('when the store has got another body under a name, which is not replaced', async () => {
    const rows = tablesOfFolder(dataDir)['uploads'] as { state: string; locator: string }[];
    const locator = rows.find(({ state }) => state === 'claimed')?.locator ?? '';
    await store.store.put(locator, inChunks(Buffer.alloc(1001), 500));
    const { code, stderr } = await refusal();
    expect(code).toBe(1);
    expect(stderr).toContain('the store has another body under the name');
    expect(await store.bodies.stat(locator)).toEqual({ size: 1001 });
  });
});

it('reports missing and changed bodies, and copies the others', async () => {
  const rows = tablesOfFolder(dataDir)['uploads'] as Record<'state' | 'locator' | 'key', string>[];
  const [lost, changed] = rows.filter(({ state }) => state === 'claimed');
  const pathOf = (locator = '') => join(dataDir, 'objects', locator.slice(-2), locator);
  await rm(pathOf(lost?.locator));
  await writeFile(pathOf(changed?.locator), 'other bytes');
  for (const copied of [BODIES - 1, 0]) {
    // The second one goes on after all bodies.
    const { code, stdout } = await run(['export', '--data-dir', dataDir, '--json']);
    expect(code).toBe(3);
    expect(exportResult.parse(JSON.parse(stdout))).toMatchObject({
      ...{ copied, missing: [lost?.key], differing: [changed?.key] },
    });
    await forgetRows();
  }
});

it('backs up a cluster, and names the uploads whose bytes its store has lost or changed', async () => {
  await exportIt();
  const rows = tablesOfFolder(dataDir)['uploads'] as Record<'state' | 'locator' | 'key', string>[];
  const [lost, changed] = rows.filter(({ state }) => state === 'claimed');
  await store.store.delete(lost?.locator ?? '');
  const { size = 0 } = (await store.bodies.stat(changed?.locator ?? '')) ?? {};
  await store.store.put(changed?.locator ?? '', inChunks(Buffer.alloc(size), 65_536));
  const target = join(folder.path, 'back');
  const { code, stdout } = await run(['backup', target, '--json']);
  expect(code).toBe(3);
  expect(backupResult.parse(JSON.parse(stdout))).toMatchObject({
    ...{ uploads: BODIES, missing: [lost?.key], differing: [changed?.key], damage: [] },
  });
});

it('makes a data folder of one whose bodies are in a bucket, and exports it without sending them again', async () => {
  const alone = Object.fromEntries(
    Object.entries(environment).filter(([name]) => name !== 'OTA_GATEWAY_LEDGER_URL'),
  );
  dataDir = join(folder.path, 'alone');
  await seedFolder(dataDir, 1000, alone);
  expect(await bodiesInStore(store)).toHaveProperty('size', BODIES + 1);
  const target = join(folder.path, 'back');
  const { code, stderr } = await runCli(['backup', target, '--data-dir', dataDir, '--json'], alone);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(tablesOfFolder(target)).toEqual(tablesOfFolder(dataDir));
  expect(await compareFolder(target)).toBe(BODIES);
  expect(await exportIt()).toMatchObject({ uploads: BODIES, copied: 0, missing: [] });
  expect(await tablesOfCluster(ledgerUrl)).toEqual(tablesOfFolder(dataDir));
});

/** As if the last export had been killed before it has copied the rows. */
async function forgetRows(): Promise<void> {
  await runSql(ledgerUrl, 'TRUNCATE uploads, firmware_packages, package_files, nonces, totals');
  await runSql(ledgerUrl, 'TRUNCATE refusals, refused_requests, usage_samples');
  await runSql(
    ledgerUrl,
    `UPDATE agreements SET value = 'unfinished ' || value WHERE name = 'use'`,
  );
}

it('keeps gateways off a ledger that is not complete', async () => {
  await exportIt();
  await forgetRows();
  await expect(startNode()).rejects.toThrow(
    /OTA_GATEWAY_LEDGER_URL: names a ledger into which `ota-gateway export` has not copied/,
  );
  expect(await exportIt()).toMatchObject({ copied: 0, wasDone: false });
  await startNode();
});
