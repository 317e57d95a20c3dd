import { parseAccounts } from '../../../src/accounts/accounts-file.ts';
import {
  addAccessKey,
  addAccount,
  disableAccessKey,
  enableAccessKey,
  removeAccessKey,
  removeAccount,
} from '../../../src/accounts/edit-accounts.ts';

const KEY = { id: 'new', secret: 'sn' };
const ACCOUNT = { id: 'globex', accessKeys: [KEY] };

/** As prettier writes it. */
const MIXED = `{
  "accounts": [
    {
      "id": "acme",
      "accessKeys": [
        { "id": "ak1", "secret": "s1" },
        { "id": "ak2", "secret": "s2" }
      ],
      "instances": ["iot-1"]
    }
  ]
}
`;
/** As JSON.stringify writes it with an indentation of a tab. */
const LONG = `${JSON.stringify(JSON.parse(MIXED), undefined, '\t')}\n`;
const COMPACT = JSON.stringify(JSON.parse(MIXED));
const WINDOWS = MIXED.replaceAll('\n', '\r\n');
const ONE_LINE =
  '{ "accounts": [ { "id": "a", "accessKeys": [ { "id": "ak1", "secret": "s1" } ] } ] }';

/** @returns the lines of a text that another text does not have */
function newLines(before: string, after: string): string[] {
  const known = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !known.has(line));
}

describe('an access key that is added', () => {
  it('stands on one line where its neighbors do', () => {
    const after = addAccessKey(MIXED, 'acme', KEY);
    expect(newLines(MIXED, after)).toEqual([
      '        { "id": "ak2", "secret": "s2" },',
      '        { "id": "new", "secret": "sn" }',
    ]);
  });

  it('stands on several lines where its neighbors do', () => {
    expect(addAccessKey(LONG, 'acme', KEY)).toBe(
      LONG.replace(
        '"s2"\n\t\t\t\t}',
        '"s2"\n\t\t\t\t},\n\t\t\t\t{\n\t\t\t\t\t"id": "new",\n\t\t\t\t\t"secret": "sn"\n\t\t\t\t}',
      ),
    );
  });

  it('has no spaces in a file without any', () => {
    expect(addAccessKey(COMPACT, 'acme', KEY)).toBe(
      COMPACT.replace('"s2"}', '"s2"},{"id":"new","secret":"sn"}'),
    );
  });

  it('stays in the line of a file that has one line', () => {
    expect(addAccessKey(ONE_LINE, 'a', KEY)).toBe(
      ONE_LINE.replace('"s1" }', '"s1" }, { "id": "new", "secret": "sn" }'),
    );
  });

  it('ends its lines as the file does', () => {
    const after = addAccessKey(WINDOWS, 'acme', KEY);
    expect(after.replaceAll('\r\n', '')).not.toContain('\n');
    expect(after.replaceAll('\r\n', '\n')).toBe(addAccessKey(MIXED, 'acme', KEY));
  });
});

describe('an account that is added', () => {
  it('has the layout of the account before it, and of its members', () => {
    expect(addAccount(MIXED, { ...ACCOUNT, instances: ['iot-2'], maxRate: 5 })).toBe(
      MIXED.replace(
        `["iot-1"]
    }`,
        `["iot-1"]
    },
    {
      "id": "globex",
      "accessKeys": [
        { "id": "new", "secret": "sn" }
      ],
      "instances": ["iot-2"],
      "maxRate": 5
    }`,
      ),
    );
  });

  it.each([
    ['a compact file', COMPACT],
    ['a file on one line', ONE_LINE],
    ['a file with indented members', LONG],
  ])('keeps the bytes before it and after it in %s', (_name, before) => {
    const after = addAccount(before, ACCOUNT);
    const end = before.lastIndexOf('}', before.lastIndexOf(']')) + 1;
    expect(after.startsWith(before.slice(0, end))).toBe(true);
    expect(after.endsWith(before.slice(end))).toBe(true);
    expect(parseAccounts(after, 'a.json').at(-1)).toEqual(ACCOUNT);
    expect(after.split('\n').length > 1).toBe(before.split('\n').length > 1);
  });

  it('writes members that its neighbor lacks on one line', () => {
    const products = [{ key: 'p', name: 'Lamp' }];
    expect(addAccount(MIXED, { ...ACCOUNT, products })).toContain(
      '\n      "products": [{ "key": "p", "name": "Lamp" }]\n',
    );
  });

  it('begins a new file', () => {
    expect(parseAccounts(addAccount(undefined, ACCOUNT), 'a.json')).toEqual([ACCOUNT]);
  });
});

describe('an access key that is changed', () => {
  it('is disabled in its own line', () => {
    expect(newLines(MIXED, disableAccessKey(MIXED, 'ak1'))).toEqual([
      '        { "id": "ak1", "secret": "s1", "disabled": true },',
    ]);
  });

  it('ends at a time, which can be changed', () => {
    const from = Date.UTC(2026, 0, 2);
    const once = disableAccessKey(MIXED, 'ak2', from);
    expect(newLines(MIXED, once)).toEqual([
      '        { "id": "ak2", "secret": "s2", "disabledFrom": "2026-01-02T00:00:00.000Z" }',
    ]);
    const twice = disableAccessKey(once, 'ak2', from + 1);
    expect(parseAccounts(twice, 'a.json')[0]?.accessKeys[1]?.disabledFrom).toBe(from + 1);
    expect(twice).toHaveLength(once.length);
  });

  it.each([MIXED, LONG, COMPACT, WINDOWS])('is as before after it is enabled again', (before) => {
    const disabled = disableAccessKey(disableAccessKey(before, 'ak1'), 'ak1', 5);
    expect(enableAccessKey(disabled, 'ak1')).toBe(before);
  });
});

describe('what is removed', () => {
  it.each([MIXED, LONG, COMPACT, WINDOWS])(
    'leaves the file as it was before it was added',
    (text) => {
      expect(removeAccessKey(addAccessKey(text, 'acme', KEY), 'new')).toBe(text);
      expect(removeAccount(addAccount(text, ACCOUNT), 'globex')).toBe(text);
    },
  );

  it('can be the first of several', () => {
    expect(newLines(MIXED, removeAccessKey(MIXED, 'ak1'))).toEqual([]);
    expect(parseAccounts(removeAccessKey(MIXED, 'ak1'), 'a.json')[0]?.accessKeys).toHaveLength(1);
  });
});
