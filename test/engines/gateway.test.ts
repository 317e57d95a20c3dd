import { randomBytes } from 'node:crypto';
import { callApi } from '../../src/client/api-client.ts';
import { inChunks } from '../support/bytes.ts';
import type { BuiltGateway } from '../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  runCli,
  startBuiltGateway,
  temporaryFolder,
} from '../support/built-gateway.ts';
import { apiOf, claim, download, grantFrom, post } from '../support/loop.ts';
import { createSchema, runSql } from './support/postgres.ts';
import { openTestStore, storeUrl } from './support/s3-store.ts';
import type { TestStore } from './support/s3-store.ts';

let environment: Record<string, string>;
let bodies: TestStore;
let ledgerUrl: string;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  bodies = await openTestStore();
  const schema = await createSchema();
  ledgerUrl = schema.url;
  cleanUps.push(schema.drop, () => bodies.dispose());
  environment = {
    OTA_GATEWAY_LEDGER_URL: ledgerUrl,
    ...storeUrl(bodies.prefix),
    OTA_GATEWAY_DRAIN_DELAY: '0s',
  };
});

afterEach(async () => {
  for (let clean = cleanUps.pop(); clean !== undefined; clean = cleanUps.pop()) await clean();
});

/** Starts one of several gateways, with a data folder of its own. */
async function startNode(change: Record<string, string> = {}): Promise<BuiltGateway> {
  const { path, remove } = await temporaryFolder();
  cleanUps.push(remove);
  const gateway = await startBuiltGateway(path, { ...environment, ...change });
  cleanUps.push(() => gateway.stop());
  return gateway;
}

async function readJson(url: string): Promise<unknown> {
  return (await fetch(url)).json();
}

async function countBodies(): Promise<number> {
  let count = 0;
  for await (const { items } of bodies.bodies.pages()) count += items.length;
  return count;
}

function command(name: string, ...args: string[]) {
  return runCli([name, ...args], {
    ...environment,
    OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
    OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
    OTA_GATEWAY_OSS_ACCESS_KEY_ID: 'bucketid',
    OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: 'bucketsecret',
  });
}

it.each([64 * 1024, 20 * 1024 * 1024])(
  'keeps a file of %d bytes from the form to the purge, on whichever gateway a call arrives',
  async (size) => {
    const [one, other] = [await startNode(), await startNode()];
    const bytes = randomBytes(size);
    const grant = await grantFrom(one.url);
    const target = { ...grant, host: grant.host.replace(String(one.port), String(other.port)) };
    expect((await post(target, bytes)).status).toBe(200);
    const firmwareId = await claim(one.url, grant, 'shared');
    expect((await download(other.url, firmwareId)).equals(bytes)).toBe(true);
    await one.stop();
    const again = await startNode();
    expect((await download(again.url, firmwareId)).equals(bytes)).toBe(true);
    await callApi(apiOf(again.url), 'DeleteOTAFirmware', { FirmwareId: firmwareId });
    const purged = await command('purge', '--endpoint', other.url);
    expect(purged).toMatchObject({ code: 0, stdout: expect.stringContaining('purged 1 upload') });
    expect(await countBodies()).toBe(0);
  },
);

it('names the ledger and the store when it is asked whether it is ready', async () => {
  const { url } = await startNode();
  expect(await readJson(`${url}/_gateway/health/ready`)).toEqual({
    ...{ status: 'ready', uploads: 'accepted', ledger: 'ok', store: 'ok' },
  });
});

it('refuses to start with another store than the gateways of its ledger', async () => {
  await startNode();
  const another = storeUrl('elsewhere/');
  await expect(startNode(another)).rejects.toThrow(
    /OTA_GATEWAY_STORE_URL: is .*elsewhere\/, but the gateways of this ledger use/,
  );
});

it('counts the calls of all gateways together', async () => {
  const nodes = [
    await startNode({ OTA_GATEWAY_QPS: '2' }),
    await startNode({ OTA_GATEWAY_QPS: '2' }),
  ];
  const calls = nodes.flatMap(({ url }) => [0, 1, 2, 3].map(() => grantFrom(url)));
  const outcomes = await Promise.allSettled(calls);
  const accepted = outcomes.filter(({ status }) => status === 'fulfilled');
  // The second may end between two calls.
  expect(accepted.length).toBeLessThan(5);
});

it('gives up a body that no upload has when a command sweeps the store', async () => {
  const { url } = await startNode();
  await bodies.store.put('a1'.repeat(16), inChunks(randomBytes(1000), 1000));
  const swept = await command('fsck', '--sweep', '--age', '0', '--json');
  expect(swept).toMatchObject({ code: 0 });
  expect(JSON.parse(swept.stdout)).toEqual({ sweep: { bodies: 1, disowned: 1, uploads: 0 } });
  await command('purge', '--endpoint', url);
  expect(await countBodies()).toBe(0);
});

it.each([
  [['ls', 'packages', '--json'], /"name":\s*"listed"/],
  [['ls', '--json'], /"state":\s*"claimed"/],
])(
  'reads the ledger that gateways share for the command %j',
  async ([name = '', ...args], text) => {
    const { url } = await startNode();
    const grant = await grantFrom(url);
    await post(grant, randomBytes(10));
    await claim(url, grant, 'listed');
    const { stderr, stdout } = await command(name, ...args);
    expect(stdout + stderr).toMatch(text);
  },
);

it('masks the password of the ledger', async () => {
  const { stdout } = await command('show-config');
  expect(stdout).toContain('OTA_GATEWAY_LEDGER_URL=postgres://');
  expect(stdout).not.toContain(new URL(ledgerUrl).password);
});

it('sweeps the store once a day on one of the gateways', async () => {
  const nodes = [await startNode(), await startNode()];
  for (const { url } of nodes) await command('purge', '--endpoint', url);
  const sweeps = nodes.filter(({ output }) => output().includes('searched the store'));
  expect(sweeps).toHaveLength(1);
  expect(await runSql(ledgerUrl, 'SELECT name FROM jobs')).toEqual([{ name: 'sweep' }]);
});
