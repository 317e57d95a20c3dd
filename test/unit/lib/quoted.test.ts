import { quoted, quotedJson } from '../../../src/lib/quoted.ts';

describe('a name that a client has chosen', () => {
  it.each(['ota/0123/a.bin', 'a\\b', "it's", '固件-ä.bin', 'a"b', '🚀', ''])(
    'is returned unchanged: %s',
    (name) => {
      expect(quoted(name)).toBe(name);
    },
  );

  it.each([
    ['a line break', 'a\nb', '"a\\nb"'],
    ['a carriage return', 'a\rb', '"a\\rb"'],
    ['an escape sequence', '\u001b[2Ja', '"\\u001b[2Ja"'],
    ['a control of the upper range', 'a\u009b2Jb', '"a\\u009b2Jb"'],
    ['a delete', 'a\u007fb', '"a\\u007fb"'],
    ['a NUL', 'a\0b', '"a\\u0000b"'],
    ['a line separator', 'a\u2028b', '"a\\u2028b"'],
    ['a paragraph separator', 'a\u2029b', '"a\\u2029b"'],
    ['a change of direction', 'a\u202enib.b', '"a\\u202enib.b"'],
    ['an isolate', 'a\u2066b\u2069', '"a\\u2066b\\u2069"'],
    ['a space of no width', 'a\u200bb', '"a\\u200bb"'],
    ['a tag outside the basic plane', 'a\u{e0041}b', '"a\\udb40\\udc41b"'],
    ['half a character', 'a\ud800b', '"a\\ud800b"'],
    ['a space', 'a has no bytes', '"a has no bytes"'],
    ['a space that is not ASCII', 'a\u3000b', '"a\u3000b"'],
    ['quotes in front', '"a"', '"\\"a\\""'],
  ])('is quoted when it has %s', (_, name, shown) => {
    expect(quoted(name)).toBe(shown);
    expect(JSON.parse(shown)).toBe(name);
  });

  it('is escaped in JSON that parses to the same value', () => {
    const value = { name: 'a\u009b\u202e\n"b', list: ['\u{e0041}', 1, null] };
    const text = quotedJson(value);
    expect(text).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual(value);
  });
});
