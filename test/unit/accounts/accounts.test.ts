import { AccountDirectory } from '../../../src/accounts/accounts.ts';
import { accountsFileSchema } from '../../../src/accounts/accounts-schema.ts';

const key = { id: 'k1', secret: 's1' };

describe('the accounts file', () => {
  it('is accepted with every member', () => {
    const file = {
      accounts: [
        {
          id: 'acme',
          accessKeys: [
            key,
            { id: 'k2', secret: 's2', disabled: true },
            { id: 'k5', secret: 's5', disabledFrom: '2024-04-01T14:00:00+02:00' },
            {
              id: 'STS.k3',
              secret: 's3',
              securityToken: 'tok/1+2=',
              expiresAt: '2024-04-01T14:00:00+02:00',
            },
          ],
          instances: ['iot-cn-1', 'iot-cn-2'],
          products: [{ key: 'a1', name: 'Lamp' }],
        },
        {
          id: 'other',
          operator: true,
          accessKeys: [{ id: 'k4', secret: 's4' }],
          instances: ['iot-cn-1'],
          maxBytes: '10GiB',
          maxUploads: 100,
          maxConcurrent: '4',
          maxRate: 'off',
        },
      ],
    };
    const { accounts } = accountsFileSchema.parse(file);
    expect(accounts[0]?.accessKeys[2]?.disabledFrom).toBe(Date.UTC(2024, 3, 1, 12));
    expect(accounts[0]?.accessKeys[3]?.expiresAt).toBe(Date.UTC(2024, 3, 1, 12));
    expect(accounts[1]).toMatchObject({
      operator: true,
      maxBytes: 10 * 1024 ** 3,
      maxUploads: 100,
      maxConcurrent: 4,
      maxRate: 'off',
    });
    expect(accounts[0]?.products).toEqual([{ key: 'a1', name: 'Lamp' }]);
    expect(accounts[1]?.id).toBe('other');
  });

  const account = { id: 'a', accessKeys: [key] };
  const product = { key: 'p', name: 'P' };

  test.each<[string, unknown, string, RegExp]>([
    ['no object', [], '', /object/],
    ['no accounts', { accounts: [] }, 'accounts', /at least one account/],
    ['an unknown member', { accounts: [account], extra: 1 }, '', /extra/],
    [
      'an unknown member of an account',
      { accounts: [{ ...account, keys: [] }] },
      'accounts.0',
      /keys/,
    ],
    [
      'no access keys',
      { accounts: [{ id: 'a', accessKeys: [] }] },
      'accounts.0.accessKeys',
      /at least one/,
    ],
    [
      'an unknown member of a key',
      { accounts: [{ id: 'a', accessKeys: [{ ...key, Secret: 'x' }] }] },
      'accounts.0.accessKeys.0',
      /Secret/,
    ],
    [
      'an id with a comma',
      { accounts: [{ id: 'a,b', accessKeys: [key] }] },
      'accounts.0.id',
      /expected 1 to 128/,
    ],
    [
      'no secret',
      { accounts: [{ id: 'a', accessKeys: [{ id: 'k', secret: '' }] }] },
      'accounts.0.accessKeys.0.secret',
      /visible/,
    ],
    [
      'a date of another shape',
      { accounts: [{ id: 'a', accessKeys: [{ ...key, securityToken: 't', expiresAt: 'soon' }] }] },
      'accounts.0.accessKeys.0.expiresAt',
      /expected a date like/,
    ],
    [
      'a limit of 0',
      { accounts: [{ ...account, maxUploads: 0 }] },
      'accounts.0.maxUploads',
      /expected a whole number from 1, or off/,
    ],
    [
      'a size without a known unit',
      { accounts: [{ ...account, maxBytes: '10 apples' }] },
      'accounts.0.maxBytes',
      /expected a size such as 500MiB or 10GiB, or off/,
    ],
    [
      'a permanent key that ends',
      { accounts: [{ id: 'a', accessKeys: [{ ...key, expiresAt: '2024-04-01T12:00:00Z' }] }] },
      'accounts.0.accessKeys.0.expiresAt',
      /securityToken/,
    ],
    [
      'an account twice',
      { accounts: [account, { id: 'a', accessKeys: [{ id: 'k9', secret: 's' }] }] },
      'accounts.1.id',
      /account a is given at accounts\.0\.id already/,
    ],
    [
      'an access key twice, in two accounts',
      { accounts: [account, { id: 'b', accessKeys: [key] }] },
      'accounts.1.accessKeys.0.id',
      /access key k1 is given at accounts\.0\.accessKeys\.0\.id already/,
    ],
    [
      'an instance twice',
      { accounts: [{ ...account, instances: ['i', 'i'] }] },
      'accounts.0.instances.1',
      /already/,
    ],
    [
      'a product twice',
      { accounts: [{ ...account, products: [product, product] }] },
      'accounts.0.products.1.key',
      /already/,
    ],
    [
      'no instances',
      { accounts: [{ ...account, instances: [] }] },
      'accounts.0.instances',
      /leave/,
    ],
    ['no products', { accounts: [{ ...account, products: [] }] }, 'accounts.0.products', /leave/],
  ])('is refused: %s', (_, file, path, message) => {
    const { error } = accountsFileSchema.safeParse(file);
    expect(error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([
      [path, expect.stringMatching(message)],
    ]);
  });

  it('never has a secret in a message', () => {
    const file = { accounts: [{ id: 'a', accessKeys: [{ ...key, secret: 'sec ret' }] }] };
    expect(accountsFileSchema.safeParse(file).error?.message).not.toContain('sec ret');
  });
});

describe('the account directory', () => {
  const first = { id: 'a', accessKeys: [key, { id: 'k2', secret: 's2' }] };
  const second = { id: 'b', accessKeys: [{ id: 'k3', secret: 's3' }] };

  it('finds an account by any of its keys', () => {
    const directory = new AccountDirectory([first, second]);
    expect(directory.find('k2')).toEqual({ account: first, accessKey: first.accessKeys[1] });
    expect(directory.find('k3')?.account).toBe(second);
    expect(directory.find('k4')).toBeUndefined();
    expect(directory.find('constructor')).toBeUndefined();
  });

  it('returns the sole account', () => {
    const directory = new AccountDirectory([first]);
    expect(directory.soleAccount).toBe(first);
    directory.replace([first, second]);
    expect(directory.soleAccount).toBeUndefined();
  });

  it('forgets replaced accounts', () => {
    const directory = new AccountDirectory([first]);
    directory.replace([second]);
    expect(directory.find('k1')).toBeUndefined();
    expect(directory.find('k3')?.account).toBe(second);
  });
});
