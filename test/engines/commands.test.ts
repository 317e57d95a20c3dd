import { randomBytes } from 'node:crypto';
import { callApi } from '../../src/client/api-client.ts';
import { doctorResult, payloadResult, urlResult } from '../../src/cli/shapes.ts';
import type { UploadGrant } from '../../src/client/api-client.ts';
import { ACCOUNT_KEY, BUCKET_KEY, runCli, temporaryFolder } from '../support/built-gateway.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';
import { startNodes } from './support/nodes.ts';
import type { Nodes } from './support/nodes.ts';

// Commands of an operator whose machine has the settings of the gateways, but no gateway and no data folder.

const BYTES = randomBytes(1000);
const KEYS = {
  OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
  OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
  OTA_GATEWAY_OSS_ACCESS_KEY_ID: BUCKET_KEY.id,
  OTA_GATEWAY_OSS_ACCESS_KEY_SECRET: BUCKET_KEY.secret,
  OTA_GATEWAY_DATA_DIR: '/nonexistent/ota',
};

let nodes: Nodes;
let grant: UploadGrant;
let firmwareId: string;
let refusedId: string;

beforeAll(async () => {
  nodes = await startNodes(1);
  const url = nodes.url(0);
  grant = await grantFrom(url);
  await post(grant, BYTES);
  firmwareId = await claim(url, grant, 'shared');
  const refused = await post(await grantFrom(url), BYTES, { Signature: 'wrong' });
  refusedId = String(refused.headers['x-oss-request-id']);
});

afterAll(() => nodes.dispose());

const command = (
  args: readonly string[],
  change: Readonly<Record<string, string>> = {},
): ReturnType<typeof runCli> => runCli(args, { ...nodes.environment, ...KEYS, ...change });

it.each([
  ['ls', ['ls', '--json'], () => /"state": ?"claimed"/],
  ['ls packages', ['ls', 'packages'], () => /shared/],
  ['ls refusals', ['ls', 'refusals'], () => new RegExp(refusedId)],
  ['show', ['show', 'shared'], () => new RegExp(firmwareId)],
  ['explain', ['explain'], () => new RegExp(refusedId)],
  ['accounts ls', ['accounts', 'ls'], () => /^default \(operator\) +testid +active +2 +1000 B/m],
  ['completion', ['__complete', '--', 'show', ''], () => /^shared$/m],
])('%s reads the ledger that gateways share', async (_name, args, expected) => {
  const { code, stderr, stdout } = await command(args);
  expect({ code, stdout: stdout + stderr }).toEqual({
    code: 0,
    stdout: expect.stringMatching(expected()),
  });
});

it('explain tells why a request to another machine was refused', async () => {
  const { code, stdout } = await command(['explain', refusedId]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/signature/i);
});

it('url and payload sign what any of the gateways serves at the given address', async () => {
  const address = { OTA_GATEWAY_PUBLIC_URL: nodes.url(0) };
  const link = await command(['url', grant.key, '--json'], address);
  const [file] = urlResult.parse(JSON.parse(link.stdout)).urls;
  const got = await fetch(file?.url ?? '');
  expect(Buffer.from(await got.arrayBuffer()).equals(BYTES)).toBe(true);
  const message = await command(['payload', firmwareId], address);
  const { data } = payloadResult.parse(JSON.parse(message.stdout));
  expect(JSON.stringify(data)).toContain(nodes.url(0));
});

it.each([[['url', 'shared']], [['payload', 'shared']]])(
  '%j asks for the address of the gateways, which the ledger does not have',
  async (args) => {
    const { code, stderr } = await command(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/PUBLIC_URL: is needed: .*--endpoint/);
  },
);

it.each([[['trace']], [['purge']], [['rm', 'shared', '--yes']]])(
  '%j asks for the address of a gateway',
  async (args) => {
    const { code, stderr } = await command(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/--endpoint URL/);
    await callApi(apiOf(nodes.url(0)), 'QueryOTAFirmware', { FirmwareId: firmwareId });
  },
);

it('doctor looks at ledger and store', async () => {
  const { stdout } = await command(['doctor', '--json']);
  const { points } = doctorResult.parse(JSON.parse(stdout));
  const told = points.map(({ level, name, text }) => `${level} ${name}: ${text}`);
  expect(told).toContainEqual(
    expect.stringMatching(/^ok ledger: PostgreSQL at \S+ answers, its clock is less than 1 s away/),
  );
  expect(told).toContainEqual(expect.stringMatching(/^ok store: s3:\/\/\S+ answers/));
});

describe('when PostgreSQL is away', () => {
  const away = (): Record<string, string> => {
    const url = new URL(nodes.ledgerUrl);
    url.port = '1';
    url.password = 'geheim';
    return { OTA_GATEWAY_LEDGER_URL: url.href, OTA_GATEWAY_PUBLIC_URL: nodes.url(0) };
  };

  it.each([
    [['ls']],
    [['show', 'shared']],
    [['explain']],
    [['url', 'shared']],
    [['payload', 'shared']],
    [['accounts', 'ls']],
    [['fsck']],
    [['serve', '--port', '0']],
  ])('%j says where it is not, and what to check', async (args) => {
    const folder = await temporaryFolder();
    const change = { ...away(), OTA_GATEWAY_DATA_DIR: folder.path };
    const { code, stderr } = await command(args, change);
    await folder.remove();
    expect(stderr).toMatch(
      /PostgreSQL at \S+:1\/\S+ cannot be used: .*ECONNREFUSED.* Check the URL/,
    );
    expect(stderr).not.toContain('geheim');
    expect(code).toBe(1);
  });

  it('doctor ends with a failure of the ledger', async () => {
    const { code, stdout } = await command(['doctor'], away());
    expect(code).toBe(3);
    expect(stdout).toMatch(/^FAIL +ledger +PostgreSQL at \S+ cannot be used/m);
    expect(stdout).not.toContain('geheim');
  });
});
