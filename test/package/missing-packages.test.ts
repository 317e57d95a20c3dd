import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { extractInto, name } from './packed.ts';

// The package as it is installed without the optional ones.

const LIMIT = 120_000;
const OPTIONAL = ['pg', '@aws-sdk'];
const LEDGER = { OTA_GATEWAY_LEDGER_URL: 'postgres://ota:geheim@127.0.0.1:1/ota' };
const STORE = { OTA_GATEWAY_STORE_URL: 's3://bucket' };
const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: 'testid',
  OTA_GATEWAY_ACCESS_KEY_SECRET: 'testsecret',
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: 'bucketid',
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: 'bucketsecret',
};

let folder: string;
let main: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), `${name}-without-`));
  const own = await extractInto(
    join(folder, 'project'),
    folder,
    (each) => !OPTIONAL.includes(each),
  );
  main = join(own, 'dist/cli/main.js');
}, LIMIT);

afterAll(() => rm(folder, { recursive: true, force: true }), LIMIT);

async function execute(args: readonly string[], settings: Readonly<Record<string, string>>) {
  const dataDir = await mkdtemp(join(folder, 'data-'));
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], OTA_GATEWAY_DATA_DIR: dataDir, ...KEYS, ...settings },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  return { code: Number(code), stderr };
}

const PG =
  'OTA_GATEWAY_LEDGER_URL: needs the package pg, which is missing; install it beside the gateway: npm install pg@8\n';
const SDK =
  'OTA_GATEWAY_STORE_URL: needs the package @aws-sdk/client-s3, which is missing; install it beside the gateway: npm install @aws-sdk/client-s3@3\n';

it.each([
  [['serve', '--port', '0'], { ...LEDGER, ...STORE }, PG],
  [['ls'], { ...LEDGER, ...STORE }, PG],
  [['fsck'], { ...LEDGER, ...STORE }, PG],
  [['serve', '--port', '0'], STORE, SDK],
])('%j says which package is missing, and how to install it', async (args, settings, message) => {
  expect(await execute(args, settings)).toEqual({ code: 2, stderr: message });
});

it('shows the settings without them', async () => {
  expect(await execute(['show-config'], { ...LEDGER, ...STORE })).toEqual({ code: 0, stderr: '' });
});
