import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { backUpShared } from '../../src/cluster-copy.ts';
import { parseConfig } from '../../src/config/config.ts';
import { COPIED_TABLES } from '../../src/ledger/copy/tables.ts';
import { eventually, MAIN, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { folderForEachTest } from '../support/suite.ts';
import {
  compareBodies,
  compareFolder,
  createTarget,
  KEYS,
  seedFolder,
  tablesOfCluster,
  tablesOfFolder,
} from './support/copies.ts';
import type { FaultyProxy } from './support/faulty-proxy.ts';
import { startFaultyProxy } from './support/faulty-proxy.ts';
import { runSql } from './support/postgres.ts';
import { storeEndpoint } from './support/s3-store.ts';
import type { TestStore } from './support/s3-store.ts';

const BODIES = 7;

jest.setTimeout(240_000);

const folder = folderForEachTest();
let dataDir: string;
let store: TestStore;
let proxy: FaultyProxy;
let ledgerUrl: string;
let environment: Record<string, string>;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  dataDir = join(folder.path, 'data');
  await seedFolder(dataDir);
  const target = await createTarget();
  proxy = await startFaultyProxy(storeEndpoint());
  cleanUps.push(
    () => target.remove(),
    () => proxy.close(),
  );
  ({ ledgerUrl, store } = target);
  environment = { PATH: process.env['PATH'] ?? '', ...KEYS, ...target.environment };
});

afterEach(async () => {
  for (let clean = cleanUps.pop(); clean !== undefined; clean = cleanUps.pop()) await clean();
});

/** Starts a command whose requests to the store come through the proxy. */
function begin(args: readonly string[]): ChildProcess {
  const [own, other] = [storeEndpoint(), proxy.url].map(encodeURIComponent);
  const url = environment['OTA_GATEWAY_STORE_URL']?.replace(own ?? '', other ?? '') ?? '';
  const env = { ...environment, OTA_GATEWAY_STORE_URL: url };
  return spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Runs a command, and kills it at a request to the store. @returns its exit code; null when it was killed */
async function runUntil(
  args: readonly string[],
  request: number,
  faultOf: FaultyProxy['choose'] = () => 'none',
): Promise<number | null> {
  const before = proxy.seen.length;
  const child = begin(args);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)));
  proxy.choose = (incoming, number) => {
    if (number - before !== request) return faultOf(incoming, number);
    child.kill('SIGKILL');
    // Each second request reaches the store although its sender is gone.
    return request % 2 === 0 ? 'none' : 'silence';
  };
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== null && code !== 0) throw new Error(`ended with ${String(code)}: ${stderr}`);
  return code;
}

/** Runs a command again and again, and kills it each time one request later, until it ends. @returns how often it was killed */
async function killAtEachRequest(
  args: readonly string[],
  faultOf?: FaultyProxy['choose'],
): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    if ((await runUntil(args, kills + 1, faultOf)) !== null) return kills;
  }
}

it('exports everything although it is killed at each request to the store', async () => {
  const kills = await killAtEachRequest(['export', '--data-dir', dataDir]);
  expect(kills).toBeGreaterThan(BODIES);
  const tables = await tablesOfCluster(ledgerUrl);
  expect(tables).toEqual(tablesOfFolder(dataDir));
  expect(await compareBodies(tables, store.inventory)).toBe(BODIES);
});

it('exports all rows or none when it is killed in any table, and all when it is run again', async () => {
  const args = ['export', '--data-dir', dataDir];
  // Makes the tables.
  expect(await runUntil(args, 1)).toBeNull();
  await runSql(
    ledgerUrl,
    `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
       'BEGIN PERFORM pg_advisory_xact_lock(${String(process.pid)}); RETURN NULL; END'`,
  );
  for (const { name } of COPIED_TABLES) {
    await runSql(ledgerUrl, `CREATE TRIGGER wait AFTER INSERT ON ${name} EXECUTE FUNCTION wait()`);
    await killWhileItWaits(args);
    await runSql(ledgerUrl, `DROP TRIGGER wait ON ${name}`);
    const rows = Object.values(await tablesOfCluster(ledgerUrl)).flat();
    expect(rows).toEqual([]);
    await expect(startBuiltGateway(join(folder.path, 'node'), environment)).rejects.toThrow(
      'has not copied everything yet',
    );
  }
  expect(await runUntil(args, Infinity)).toBe(0);
  expect(await tablesOfCluster(ledgerUrl)).toEqual(tablesOfFolder(dataDir));
});

/** Kills a command when it waits for the lock of the trigger. */
async function killWhileItWaits(args: readonly string[]): Promise<void> {
  const holder = new Client({ connectionString: ledgerUrl });
  await holder.connect();
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [process.pid]);
    const child = begin(args);
    await eventually(async () => {
      const sql = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = $1`;
      return (await runSql(ledgerUrl, sql, [process.pid])).length > 0;
    }, 30_000);
    child.kill('SIGKILL');
    await once(child, 'exit');
  } finally {
    await holder.end();
  }
  await eventually(async () => {
    const sql = `SELECT 1 FROM pg_locks WHERE relation = 'uploads'::regclass AND mode = 'ExclusiveLock'`;
    return (await runSql(ledgerUrl, sql)).length === 0;
  });
}

it('backs up everything although it is killed at each request to the store', async () => {
  expect(await runUntil(['export', '--data-dir', dataDir], Infinity)).toBe(0);
  const target = join(folder.path, 'back');
  // Large bodies break off, so that some requests come when a file has a part of its body.
  const kills = await killAtEachRequest(['backup', target], ({ headers }) =>
    headers.range === undefined ? { cutAfter: 200_000 } : 'none',
  );
  expect(kills).toBeGreaterThan(2);
  expect((await readdir(target)).sort()).toEqual(['gateway.sqlite3', 'objects']);
  expect(tablesOfFolder(target)).toEqual(tablesOfFolder(dataDir));
  expect(await compareFolder(target)).toBe(BODIES);
  expect((await readdir(folder.path)).sort()).toEqual(['back', 'data']);
});

it('backs up gateways that are running, and leaves out what they purge in between', async () => {
  expect((await runCli(['export', '--data-dir', dataDir], environment)).code).toBe(0);
  const node = await startBuiltGateway(join(folder.path, 'node'), environment);
  cleanUps.push(() => node.stop());
  const command = (...args: string[]): void => {
    execFileSync(process.execPath, [MAIN, ...args, '--endpoint', node.url], { env: environment });
  };
  let rounds = 0;
  const target = join(folder.path, 'back');
  const storeUrl = environment['OTA_GATEWAY_STORE_URL'] ?? '';
  const config = parseConfig({
    ...{ ledgerUrl, storeUrl },
    storeAccessKeyId: environment['OTA_GATEWAY_STORE_ACCESS_KEY_ID'],
    storeAccessKeySecret: environment['OTA_GATEWAY_STORE_ACCESS_KEY_SECRET'],
    ...{ accessKeyId: 'a', accessKeySecret: 'b', ossAccessKeyId: 'c', ossAccessKeySecret: 'd' },
  });
  const report = await backUpShared(config, storeUrl, target, {
    onProgress: (done) => {
      if (done > 0) return;
      rounds += 1;
      if (rounds > 1) return;
      command('rm', 'package-0', '--yes');
      command('purge');
    },
  });
  expect(rounds).toBe(2);
  expect(report).toMatchObject({ uploads: BODIES - 1, missing: [], differing: [], damage: [] });
  const copied = tablesOfFolder(target);
  expect(copied).toEqual(await tablesOfCluster(ledgerUrl));
  expect(await compareFolder(target)).toBe(BODIES - 1);
});
