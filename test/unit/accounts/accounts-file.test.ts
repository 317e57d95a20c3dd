import { parseAccounts } from '../../../src/accounts/accounts-file.ts';

const GOOD = `{
  "accounts": [
    {
      "id": "acme",
      "accessKeys": [{ "id": "ak1", "secret": "s1" }],
      "instances": ["iot-1"],
      "products": [{ "key": "pk1", "name": "Lamp" }]
    }
  ]
}`;

describe('parseAccounts', () => {
  it('reads accounts with their access keys, instances and products', () => {
    expect(parseAccounts(GOOD, 'accounts.json')).toEqual([
      {
        id: 'acme',
        accessKeys: [{ id: 'ak1', secret: 's1' }],
        instances: ['iot-1'],
        products: [{ key: 'pk1', name: 'Lamp' }],
      },
    ]);
  });

  it.each([
    [
      'text that is not JSON',
      GOOD.replace('"acme",', '"acme"'),
      'accounts.json:5: this is not JSON: comma expected. Expected {',
    ],
    [
      'an unknown member',
      GOOD.replace('"instances"', '"instance"'),
      'accounts.json:6: accounts.0: Unrecognized key: "instance"',
    ],
    [
      'an access key without a secret',
      GOOD.replace(', "secret": "s1"', ''),
      'accounts.json:5: accounts.0.accessKeys.0.secret: ',
    ],
    [
      'no accounts',
      '{"accounts": []}',
      'accounts.json:1: accounts: there must be at least one account',
    ],
    [
      'an empty file',
      '',
      'accounts.json:1: this is not JSON: value expected. Expected {"accounts":',
    ],
  ])('refuses %s with its line and reason', (_case, text, message) => {
    expect(() => parseAccounts(text, 'accounts.json')).toThrow(message);
  });
});
