import fc from 'fast-check';
import { parseJson } from '../../../src/policy/json.ts';
import type { JsonValue } from '../../../src/policy/json.ts';

function plain(value: JsonValue): unknown {
  if (value instanceof Map) {
    return new Map([...value].map(([name, member]) => [name, plain(member)]));
  }
  return Array.isArray(value) ? value.map(plain) : value;
}

function withMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMaps);
  if (typeof value !== 'object' || value === null) return value;
  return new Map(Object.entries(value).map(([name, member]) => [name, withMaps(member)]));
}

function acceptedByNode(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('parseJson', () => {
  it('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 2, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        const parsed = parseJson(text);
        expect(parsed.kind === 'value' && plain(parsed.value)).toEqual(withMaps(JSON.parse(text)));
      }),
    );
  });

  it('accepts and refuses the same texts as JSON.parse, except duplicate members', () => {
    const token = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '\\',
        ' ',
        '\n',
        '"a"',
        '"b"',
        '1',
        '-',
        '0',
        '.5',
        'e3',
      ],
      ...['true', 'nul', 'null', '\\u00e9', '\\x', '\u0001', '\u00a0'],
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
        const text = tokens.join('');
        const parsed = parseJson(text);
        if (parsed.kind === 'error' && parsed.error.startsWith('duplicate key')) return;
        expect(parsed.kind === 'value').toBe(acceptedByNode(text));
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    ['1', 1],
    ['-0.5e+2', -50],
    ['"\\u0041\\n\\/"', 'A\n/'],
    ['null', null],
    [' [ ] ', []],
    ['[[],[1]]', [[], [1]]],
    ['{}', new Map()],
    ['{"__proto__":{"a":[{}]}}', new Map([['__proto__', new Map([['a', [new Map()]]])]])],
  ])('reads %s', (text, value) => {
    expect(parseJson(text)).toEqual({ kind: 'value', value });
  });

  it.each([
    ['expiration', 'unknown char e'],
    ['[expiration]', 'unknown char e'],
    ["{'a':1}", 'a member name in " expected'],
    ['["a" "b"]', ', or ] expected'],
    ['["a"}', ', or ] expected'],
    ['{"a":1]', ', or } expected'],
    ['["a",]', 'unknown char ]'],
    ['{"a":1,}', 'a member name in " expected'],
    ['{"a" 1}', ': expected'],
    ['01', 'end of text expected'],
    ['1.', 'end of text expected'],
    ['{} {}', 'end of text expected'],
    ['+1', 'unknown char +'],
    ['truE', 'unknown char t'],
    ['', 'unexpected end of text, a value expected'],
    ['[', 'unexpected end of text, a value expected'],
    ['{', 'unexpected end of text, a member name expected'],
    ['"abc', 'closing " expected'],
    ['"abc\\', 'closing " expected'],
    ['"abc\\"', 'closing " expected'],
    ['"a\nb"', 'control character in a string'],
    ['"\\x"', 'unknown escape in a string'],
    ['"\\u00g0"', 'unknown escape in a string'],
    ['\u0000', 'unknown char \\u0000'],
    ['[\ufeff]', 'unknown char \\ufeff'],
    ['{"a":1,"a":1}', 'duplicate key "a", each key may be given once'],
    ['[[{"b":{"a":1,"\\u0061":2}}]]', 'duplicate key "a", each key may be given once'],
    ['{"a":1,"b":2,"a":3', 'duplicate key "a", each key may be given once'],
  ])('refuses %j: %s', (text, error) => {
    expect(parseJson(text)).toEqual({ kind: 'error', error });
  });
});
