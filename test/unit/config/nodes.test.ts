import { parseConfig } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/config-error.ts';
import { maskSecret } from '../../../src/config/secrets.ts';

const NODE = {
  ledgerUrl: 'postgres://ota:hidden@db.example/ota',
  storeUrl: 's3://bodies/ota',
  accessKeyId: 'id',
  accessKeySecret: 'secret',
  ossAccessKeyId: 'bucket-id',
  ossAccessKeySecret: 'bucket-secret',
};

function problemsOf(options: object): readonly string[] {
  try {
    parseConfig(options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

it('takes both URLs with all keys, and leaves a balancer time to notice a stop', () => {
  expect(parseConfig(NODE)).toMatchObject({
    ledgerPool: 10,
    orphanAge: 86_400_000,
    drainDelay: 5000,
  });
  expect(parseConfig({ ...NODE, drainDelay: '1s' }).drainDelay).toBe(1000);
  expect(parseConfig({}).drainDelay).toBe(0);
});

it('takes a store with the ledger of the data folder', () => {
  expect(problemsOf({ storeUrl: 's3://bodies' })).toEqual([]);
});

it('says what gateways with one ledger must be given', () => {
  expect(problemsOf({ ledgerUrl: NODE.ledgerUrl })).toEqual([
    'ledgerUrl: needs storeUrl: other gateways cannot read the bodies of this disk, so the store must be shared, too',
    'ledgerUrl: needs accessKeyId or accountsFile: each gateway would generate an access key of its own',
    'ledgerUrl: needs ossAccessKeyId: each gateway would generate a bucket key of its own',
  ]);
});

it('refuses the test mode of gateways with one ledger', () => {
  expect(problemsOf({ ...NODE, testMode: true })).toEqual([
    expect.stringMatching(/^testMode and ledgerUrl: .*switch it off, or use a data folder$/),
  ]);
});

it('refuses half a pair of keys of the store, and keys without a store', () => {
  expect(problemsOf({ storeUrl: 's3://bodies', storeAccessKeyId: 'a' })).toEqual([
    'storeAccessKeyId and storeAccessKeySecret: give both or neither',
  ]);
  expect(problemsOf({ storeAccessKeyId: 'a', storeAccessKeySecret: 'b' })).toEqual([
    'storeAccessKeyId: is only for storeUrl, which is not given',
  ]);
});

it.each([
  ['mysql://ota:hidden@db', 'it must begin with postgres://'],
  ['hidden', 'it must begin with postgres://'],
  ['postgres:', 'it has no host; it must name one database after the host'],
  ['postgres://ota:hidden@db', 'it must name one database after the host'],
  ['postgres://ota:hidden@db/a/b', 'it must name one database after the host'],
  ['postgres://ota:hidden%@db/a', 'a % in its user, password or database must be written as %25'],
  ['postgres://ota:hid#den@db/a', expect.stringMatching(/^it is not a URL; in a password, write/)],
])('refuses the ledger URL %s without repeating it', (ledgerUrl, reason) => {
  const [problem = '', ...others] = problemsOf({ ...NODE, ledgerUrl });
  const [name, expected, ...rest] = problem.split(': ');
  expect([name, expected, rest.join(': ')]).toEqual([
    ...['ledgerUrl', 'expected postgres://user:password@host/database', reason],
  ]);
  expect(others).toEqual([]);
  expect(problem).not.toMatch(/hid|den@/);
});

it('refuses a store URL that cannot be used, without repeating it', () => {
  expect(problemsOf({ ...NODE, storeUrl: 's3://id:hidden@bodies?path-style=yes' })).toEqual([
    expect.stringMatching(
      /^storeUrl: expected a URL such as s3:.*: it must not have keys in it.*; path-style is on or off$/,
    ),
  ]);
});

it.each([
  ['ledgerUrl', NODE.ledgerUrl, 'postgres://ota:********@db.example/ota'],
  [
    'ledgerUrl',
    'postgres://db/ota?user=a&password=hidden',
    'postgres://db/ota?user=a&password=********',
  ],
  ['storeUrl', 's3://id:hidden@bodies', 's3://id:********@bodies'],
  ['storeUrl', 'hidden', '********'],
  ['storeAccessKeySecret', 'hidden', '********'],
  ['bucket', 'iotx-ota', 'iotx-ota'],
])('shows the setting %s %s as %s', (setting, value, shown) => {
  expect(maskSecret(setting, value)).toBe(shown);
});
