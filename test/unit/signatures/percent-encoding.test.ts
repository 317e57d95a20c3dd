import fc from 'fast-check';
import { percentEncode } from '../../../src/signatures/percent-encoding.ts';

describe('percentEncode', () => {
  it.each([
    ['AZaz09-_.~', 'AZaz09-_.~'],
    [' ', '%20'],
    ['+', '%2B'],
    ['*', '%2A'],
    ["!'()", '%21%27%28%29'],
    ['/:=&?#', '%2F%3A%3D%26%3F%23'],
    ['%41', '%2541'],
    ['固件', '%E5%9B%BA%E4%BB%B6'],
    ['\u{1f600}', '%F0%9F%98%80'],
    ['\0\u007f', '%00%7F'],
    ['a\ud800b', 'a%EF%BF%BDb'],
    ['\udc00\ud800', '%EF%BF%BD%EF%BF%BD'],
    ['', ''],
  ])('encodes %j as %s', (text, encoded) => {
    expect(percentEncode(text)).toBe(encoded);
  });

  it('leaves only unreserved characters and can be decoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(percentEncode(text)).toMatch(/^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(percentEncode(text))).toBe(text);
      }),
    );
  });
});
