import fc from 'fast-check';
import { MAX_PARAMETERS, findRepeated, parsePairs } from '../../../../src/iot/calls/pairs.ts';

it.each([
  ['', []],
  ['a=b', [['a', 'b']]],
  ['a', [['a', '']]],
  ['a=', [['a', '']]],
  ['=b', [['', 'b']]],
  ['a=b=c', [['a', 'b=c']]],
  ['&&a=b&', [['a', 'b']]],
  ['a=x+y%2Bz%20', [['a', 'x y+z ']]],
  ['%41=%e5%9b%ba', [['A', '固']]],
  ['a=%', [['a', '%']]],
  ['a=%zz%41', [['a', '%zzA']]],
  ['a=%ff', [['a', '\ufffd']]],
  ['__proto__=x', [['__proto__', 'x']]],
  ["a=!~*'()", [['a', "!~*'()"]]],
])('parses %p', (text, pairs) => {
  expect(parsePairs(text)).toEqual(pairs);
});

it('never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => Array.isArray(parsePairs(text))));
});

it('reads back what encodeURIComponent writes', () => {
  const pair = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
  fc.assert(
    fc.property(fc.array(pair), (pairs) => {
      const text = pairs.map((each) => each.map(encodeURIComponent).join('=')).join('&');
      expect(parsePairs(text)).toEqual(pairs);
    }),
  );
});

it('finds the first name that is given twice', () => {
  expect(findRepeated(parsePairs('a=1&b=2'))).toBeUndefined();
  expect(findRepeated(parsePairs('a=1&b=2&b=2&a='))).toBe('b');
});

it('stops decoding after the first pair above the limit', () => {
  expect(parsePairs('a=b&'.repeat(MAX_PARAMETERS))).toHaveLength(MAX_PARAMETERS);
  expect(parsePairs('a=b&'.repeat(MAX_PARAMETERS + 5))).toHaveLength(MAX_PARAMETERS + 1);
  expect(parsePairs('&'.repeat(100_000))).toEqual([]);
});
