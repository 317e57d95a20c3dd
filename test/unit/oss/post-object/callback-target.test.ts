import {
  createCallbackRule,
  findAddresses,
  hostOf,
  isPublic,
  isAllowedUrl,
} from '../../../../src/oss/post-object/callback-target.ts';
import type {
  CallbackRule,
  CallbackSettings,
} from '../../../../src/oss/post-object/callback-target.ts';

const NO_ENDPOINT = {};
const NAMES: Readonly<Record<string, readonly string[]>> = {
  'public.test': ['8.8.8.8'],
  'private.test': ['10.0.0.1'],
  'mapped.test': ['::ffff:10.0.0.1'],
  'mixed.test': ['192.168.0.1', '8.8.4.4', 'fe80::1%eth0'],
  'loopback.test': ['127.0.0.1'],
  'localhost.': ['127.0.0.1', '::1'],
  localhost: ['127.0.0.1', '::1'],
  'ota.example': ['8.8.8.8'],
  'other-name-of-ota.example': ['8.8.8.8'],
};

function ruleOf(
  callbackHosts: readonly string[],
  change: Partial<CallbackSettings> & { readonly ownPorts?: readonly number[] } = {},
): CallbackRule {
  const { ownPorts = [], ...settings } = change;
  const rule = {
    callbackHosts,
    unsignedCallbacks: false,
    fidelity: 'lenient' as const,
    ...settings,
  };
  return createCallbackRule(rule, new Set(ownPorts), (host) => {
    const addresses = /[:]|^[0-9.]+$/.test(host) ? [host] : NAMES[host];
    return addresses === undefined
      ? Promise.reject(new Error('ENOTFOUND'))
      : Promise.resolve(
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        );
  });
}

async function addressesOf(
  url: string,
  rule: CallbackRule,
  local: { localAddress?: string; localPort?: number } = NO_ENDPOINT,
): Promise<string[]> {
  return (await findAddresses(new URL(url), rule, local)).map(({ address }) => address);
}

describe('with strict fidelity', () => {
  it('allows no private address, not even of hosts that are named', async () => {
    const named = ['10.0.0.1', 'localhost', 'ota.example', 'mixed.test'];
    const rule = ruleOf(named, { fidelity: 'strict' });
    expect(isAllowedUrl(new URL('http://10.0.0.1/'), rule, NO_ENDPOINT)).toBe(false);
    expect(isAllowedUrl(new URL('http://localhost:1/'), rule, NO_ENDPOINT)).toBe(false);
    expect(await addressesOf('http://localhost./', rule)).toEqual([]);
    expect(await addressesOf('http://ota.example/', rule)).toEqual(['8.8.8.8']);
  });
});

describe('isPublic', () => {
  it.each([
    ...['0.0.0.0', '0.1.2.3', '10.0.0.0', '10.255.255.255', '100.64.0.1', '100.100.100.200'],
    ...['127.0.0.1', '127.255.255.255', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
    ...['192.0.0.1', '192.168.1.1', '198.18.0.1', '224.0.0.1', '239.255.255.255', '240.0.0.1'],
    ...[
      '255.255.255.255',
      '::',
      '::1',
      '::7f00:1',
      'fe80::1',
      'fe80::1%eth0',
      'febf::1',
      'fec0::1',
    ],
    ...['fc00::1', 'fdff::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', '2001::1', '3fff::1'],
    ...['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:a00:1', '::ffff:169.254.169.254'],
    ...['64:ff9b::127.0.0.1', '64:ff9b::a00:1', '64:ff9b::c0a8:101', '64:ff9b:1::808:808'],
    ...['::ffff:0:127.0.0.1', '', 'localhost', '127.1', '1.2.3.4.5'],
  ])('returns false for %s', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each([
    ...['1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
    ...['172.15.255.255', '172.32.0.0', '192.167.255.255', '223.255.255.255'],
    ...['2606:4700::1111', '2400:3200::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8'],
  ])('returns true for %s', (address) => {
    expect(isPublic(address)).toBe(true);
  });
});

describe('a callback without named hosts', () => {
  it.each([
    ...['http://localhost/', 'http://127.0.0.1/', 'http://[::1]/', 'http://8.8.8.8/'],
    ...['http://public.test/', 'http://10.0.0.1/'],
  ])('is not allowed to %s', async (url) => {
    expect(isAllowedUrl(new URL(url), ruleOf([]), NO_ENDPOINT)).toBe(false);
    expect(await addressesOf(url, ruleOf([]))).toEqual([]);
  });
});

describe('a callback with named hosts', () => {
  it.each([
    ['http://private.test/', ['private.test'], ['10.0.0.1']],
    ['http://PRIVATE.test.:81/', ['Private.Test'], ['10.0.0.1']],
    ['http://private.test/', ['private.test.', 'any'], ['10.0.0.1']],
    ['http://127.0.0.1/', ['127.0.0.1'], ['127.0.0.1']],
    ['http://2130706433/', ['127.0.0.1'], ['127.0.0.1']],
    ['http://0x7f.1/', ['127.0.0.1'], ['127.0.0.1']],
    ['http://[::1]/', ['::1'], ['::1']],
    ['http://[0:0:0:0:0:0:0:1]/', ['[::1]'], ['::1']],
    ['http://localhost./', ['localhost'], ['127.0.0.1', '::1']],
    ['http://user:password@private.test/', ['private.test'], ['10.0.0.1']],
  ])('is allowed to %s when %j are named', async (url, named, addresses) => {
    expect(isAllowedUrl(new URL(url), ruleOf(named), NO_ENDPOINT)).toBe(true);
    expect(await addressesOf(url, ruleOf(named))).toEqual(addresses);
  });

  it.each([
    ['http://public.test/', ['private.test']],
    ['http://127.0.0.1/', ['localhost']],
    ['http://127.0.0.2/', ['127.0.0.1']],
    ['http://[::ffff:127.0.0.1]/', ['127.0.0.1']],
    ['http://private.test@8.8.8.8/', ['private.test']],
    ['http://private.test.evil.test/', ['private.test']],
  ])('is not allowed to %s when %j are named', async (url, named) => {
    expect(isAllowedUrl(new URL(url), ruleOf(named), NO_ENDPOINT)).toBe(false);
    expect(await addressesOf(url, ruleOf(named))).toEqual([]);
  });
});

describe('a callback to any host', () => {
  it.each([
    ['http://public.test/', ['8.8.8.8']],
    ['http://8.8.8.8/', ['8.8.8.8']],
    ['http://mixed.test/', ['8.8.4.4']],
    ['http://private.test/', []],
    ['http://mapped.test/', []],
    ['http://loopback.test/', []],
    ['http://localhost/', []],
    ['http://169.254.169.254/', []],
    ['http://[fe80::1]/', []],
  ])('is allowed to %s at the addresses %j', async (url, addresses) => {
    expect(await addressesOf(url, ruleOf(['any']))).toEqual(addresses);
  });

  it('is rejected for a name that cannot be resolved', async () => {
    await expect(addressesOf('http://unknown.test/', ruleOf(['any']))).rejects.toThrow('ENOTFOUND');
  });
});

describe("the gateway's own listeners", () => {
  const named = [
    'any',
    'localhost',
    '127.0.0.1',
    '127.0.0.9',
    '::1',
    '::ffff:127.0.0.1',
    '0.0.0.0',
  ];
  const hosts = [...named.slice(1), 'loopback.test', '::'];
  const rule = (change: Parameters<typeof ruleOf>[1]): CallbackRule =>
    ruleOf([...named, 'loopback.test', '::', '10.9.8.7', 'private.test'], change);
  const urlOf = (host: string, port: number): string =>
    `http://${host.includes(':') ? `[${host}]` : host}:${String(port)}/_gateway/test/reset`;

  it.each(hosts)('are not called at the host %s', async (host) => {
    const listening = rule({ ownPorts: [9070] });
    expect(await addressesOf(urlOf(host, 9070), listening)).toEqual([]);
    expect(await addressesOf(urlOf(host, 9071), listening)).not.toEqual([]);
  });

  it('are not called at the local address of the connection', async () => {
    const local = { localAddress: '10.0.0.1', localPort: 8080 };
    expect(await addressesOf('http://private.test:8080/', rule({}), local)).toEqual([]);
    expect(await addressesOf('http://localhost:8080/', rule({}), local)).toEqual([]);
    expect(await addressesOf('http://10.9.8.7:8080/', rule({}), local)).toEqual(['10.9.8.7']);
    expect(await addressesOf('http://private.test:8081/', rule({}), local)).toEqual(['10.0.0.1']);
  });

  it.each([
    ['http://ota.example/', []],
    ['https://ota.example/', []],
    ['https://OTA.example.:443/', []],
    ['https://other-name-of-ota.example/', []],
    ['https://8.8.8.8/', []],
    ['https://[::ffff:8.8.8.8]/', []],
    ['http://ota.example:8080/', ['8.8.8.8']],
  ])('are not called through the public URL: %s', async (url, addresses) => {
    const behindProxy = rule({ publicUrl: 'https://ota.example' });
    expect(await addressesOf(url, behindProxy)).toEqual(addresses);
  });

  it('are not called through a public URL that cannot be resolved', async () => {
    const named = rule({ publicUrl: 'http://inside.test:81' });
    expect(await addressesOf('http://public.test:81/', named)).toEqual(['8.8.8.8']);
    expect(await addressesOf('http://inside.test:81/', named)).toEqual([]);
  });
});

it('normalizes names and addresses with hostOf', () => {
  const hosts = ['http://A.test.:1/', 'http://[::1]:1/', 'http://1/', 'http://[::FFFF:1.2.3.4]/'];
  expect(hosts.map((url) => hostOf(new URL(url)))).toEqual([
    'a.test',
    '::1',
    '0.0.0.1',
    '::ffff:102:304',
  ]);
});
