import { randomBytes, randomUUID } from 'node:crypto';
import { callApi } from '../../src/client/api-client.ts';
import type { UploadGrant } from '../../src/client/api-client.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import { inChunks } from '../support/bytes.ts';
import {
  ACCOUNT_KEY,
  BUCKET_KEY,
  runCli,
  startBuiltGateway,
  temporaryFolder,
} from '../support/built-gateway.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';
import { purgeBy, startNodes } from './support/nodes.ts';
import type { Nodes } from './support/nodes.ts';
import { runSql } from './support/postgres.ts';
import { openTestStore, storeUrl } from './support/s3-store.ts';
import type { TestStore } from './support/s3-store.ts';

const MIB = 1024 * 1024;
const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
};

/** Overwrites the bytes of a body, which no gateway does. */
async function overwrite(
  { bodies, client }: TestStore,
  locator: string,
  bytes: Buffer,
): Promise<void> {
  await client.put(bodies.keyOf(locator), { size: bytes.length, open: () => bytes });
}

async function stored(url: string, size = 1000): Promise<UploadGrant> {
  const grant = await grantFrom(url);
  expect((await post(grant, randomBytes(size))).status).toBe(200);
  return grant;
}

describe('fsck of gateways that share a ledger', () => {
  let nodes: Nodes;
  let url: string;

  beforeAll(async () => {
    nodes = await startNodes(2);
    url = nodes.url(0);
  });

  afterAll(() => nodes.dispose());

  const fsck = (...flags: string[]): ReturnType<typeof runCli> =>
    runCli(['fsck', ...flags], { ...nodes.environment, ...KEYS });

  async function locatorOf({ key }: UploadGrant): Promise<string> {
    const sql = 'SELECT locator FROM uploads WHERE key = $1';
    const [row] = await runSql(nodes.ledgerUrl, sql, [key]);
    return String(row && 'locator' in row && row.locator);
  }

  it('finds nothing in bodies of one piece and of several, also when it reads them', async () => {
    await stored(url, 0);
    await claim(url, await stored(url, 1000), 'small');
    await claim(url, await stored(url, 20 * MIB), 'large');
    const text = `3 uploads with ${String(20 * MIB + 1000)} bytes, 0 waiting for the purge, 0 unfinished, 0 findings, 0 left\n`;
    for (const flags of [[], ['--deep'], ['--repair']]) {
      expect(await fsck(...flags)).toMatchObject({ code: 0, stdout: text });
    }
  });

  it('finds every kind of problem, and repairs beside running gateways what can be repaired', async () => {
    const [lost, lostClaimed, short, rotten] = [
      await stored(url),
      await stored(url),
      await stored(url),
      await stored(url),
    ];
    const firmwareId = await claim(url, lostClaimed, 'lost');
    await claim(url, rotten, 'rotten');
    const { bodies, client, store } = nodes.store;
    for (const grant of [lost, lostClaimed]) {
      await client.delete(bodies.keyOf(await locatorOf(grant)));
    }
    await overwrite(nodes.store, await locatorOf(short), randomBytes(10));
    await overwrite(nodes.store, await locatorOf(rotten), randomBytes(1000));
    const orphan = 'a1'.repeat(16);
    await store.put(orphan, inChunks(randomBytes(10), 10));
    await overwrite(nodes.store, 'notes.txt', randomBytes(10));
    await client.startUpload(bodies.keyOf('a2'.repeat(16)));
    await runSql(nodes.ledgerUrl, `DELETE FROM firmware_packages WHERE name = 'small'`);

    // The orphan may still get its row.
    const young = await fsck();
    expect(young.stdout).toContain('2 unfinished');
    expect(young.stdout).not.toContain('bodyWithoutRow');
    const found = await fsck('--age', '0');
    const kinds = found.stdout.split('\n').map((line) => line.split(':', 1)[0]);
    expect([found.code, ...kinds.slice(0, -2).sort()]).toEqual([
      ...[3, 'bodyWithoutRow', 'bytesDiffer', 'bytesDiffer', 'bytesMissing', 'bytesMissing'],
      ...['ledgerDamage', 'strayFile'],
    ]);

    const repaired = await fsck('--repair', '--age', '0', '--json');
    const { findings, uncommitted } = JSON.parse(repaired.stdout);
    expect([repaired.code, uncommitted]).toEqual([3, 0]);
    const repairs = findings.flatMap(({ kind, repair = '' }: { kind: string; repair?: string }) =>
      repair === '' ? [] : [`${kind}: ${repair}`],
    );
    expect(repairs.sort()).toEqual([
      'bodyWithoutRow: given up: the next purge deletes it',
      'bytesMissing: removed from the ledger',
    ]);
    await purgeBy(url);
    expect(await nodes.store.store.stat(orphan)).toBeUndefined();
    await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId: firmwareId });
    const left = await fsck('--age', '0');
    expect(left.stdout).not.toMatch(/bytesMissing|bodyWithoutRow/);
    expect(left.stdout).toContain(' 0 unfinished');
  });

  it('reports no finding for uploads that change during the check', async () => {
    const before = (await fsck()).stdout.split('\n').length;
    let isOver = false;
    const drive = async (node: string): Promise<void> => {
      while (!isOver) {
        const grant = await stored(node, 100);
        expect((await post(grant, randomBytes(200))).status).toBe(200);
        const id = await claim(node, await stored(node, 100), randomUUID());
        await callApi(apiOf(node), 'DeleteOTAFirmware', { FirmwareId: id });
        await purgeBy(node);
      }
    };
    const driving = Promise.all([drive(nodes.url(0)), drive(nodes.url(1))]);
    for (const flags of [[], ['--deep'], [], ['--repair']]) {
      const { stdout } = await fsck(...flags);
      expect(stdout.split('\n')).toHaveLength(before);
    }
    isOver = true;
    await driving;
  });

  it('finds totals that differ from the rows', async () => {
    const change = `INSERT INTO totals VALUES ('ann', 'stored', $1, $2)`;
    await runSql(nodes.ledgerUrl, change, [2, 10]);
    expect((await fsck()).stdout).toContain(
      'the totals of the account ann count 2 stored uploads with 10 bytes, but there are 0 with 0 bytes',
    );
    await runSql(nodes.ledgerUrl, change, [-2, -10]);
    expect((await fsck()).stdout).not.toContain('the totals');
  });

  it('says that the store does not answer, instead of calling its bodies damaged', async () => {
    const away = String(nodes.environment['OTA_GATEWAY_STORE_URL']).replace(
      /endpoint=[^&]*/,
      'endpoint=http://127.0.0.1:1',
    );
    const flags = ['fsck', '--deep'];
    const environment = { ...nodes.environment, ...KEYS, OTA_GATEWAY_STORE_URL: away };
    const { code, stderr, stdout } = await runCli(flags, environment);
    expect(code).toBe(1);
    expect(stdout).not.toContain('bytes');
    expect(stderr).toMatch(/the store s3:\/\/\S+ does not answer/);
  });
});

describe('fsck of one gateway with a shared store', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: TestStore;
  let gateway: BuiltGateway;

  beforeEach(async () => {
    folder = await temporaryFolder();
    store = await openTestStore();
    gateway = await startBuiltGateway(folder.path, storeUrl(store.prefix));
  });

  afterEach(async () => {
    await gateway.kill();
    await store.dispose();
    await folder.remove();
  });

  const fsck = (...flags: string[]): ReturnType<typeof runCli> =>
    runCli(['fsck', '--data-dir', folder.path, ...flags], storeUrl(store.prefix));

  it('compares the ledger of the data folder with the store, and repairs it when the server is stopped', async () => {
    await stored(gateway.url);
    await store.store.put('a1'.repeat(16), inChunks(randomBytes(10), 10));
    expect(await fsck('--deep')).toMatchObject({
      code: 0,
      stdout:
        '1 upload with 1000 bytes, 0 waiting for the purge, 1 unfinished, 0 findings, 0 left\n',
    });
    const refused = await fsck('--repair', '--age', '0');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`process ${String(gateway.pid)}`);
    expect(await gateway.stop()).toBe(0);
    expect(await fsck('--repair', '--age', '0')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is not in the ledger (given up: the next purge deletes it)'),
    });
    expect((await fsck('--age', '0')).stdout).toContain('1 waiting for the purge');
  });
});
