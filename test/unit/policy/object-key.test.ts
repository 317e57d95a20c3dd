import fc from 'fast-check';
import { FILE_SUFFIXES } from '../../../src/policy/file-suffix.ts';
import {
  expandFilename,
  findObjectKeyProblem,
  isKeyOfTenant,
  otaObjectKey,
  tenantOfKey,
  tenantSegment,
} from '../../../src/policy/object-key.ts';

describe('file suffixes', () => {
  it('are the eight suffixes of GenerateOTAUploadURL', () => {
    const documented = ['bin', 'dav', 'apk', 'tar', 'gz', 'tar.gz', 'zip', 'gzip'];
    expect([...FILE_SUFFIXES].sort()).toEqual(documented.sort());
  });
});

describe('tenantSegment', () => {
  it('is 32 lower-case hexadecimal digits and stays the same', () => {
    const segment = tenantSegment('account', 'iot-cn-1');
    expect(segment).toMatch(/^[0-9a-f]{32}$/);
    expect(tenantSegment('account', 'iot-cn-1')).toBe(segment);
    // Issued keys must keep their folder from one release to the next.
    expect(tenantSegment('1', undefined)).toBe('696158c81c3376fb2b31e9173e6be643');
  });

  it('differs by account and by instance', () => {
    const segments = [
      tenantSegment('a', undefined),
      tenantSegment('a', ''),
      tenantSegment('a', 'null'),
      tenantSegment('a', 'bc'),
      tenantSegment('ab', 'c'),
      tenantSegment('b', undefined),
    ];
    expect(new Set(segments).size).toBe(segments.length);
  });
});

describe('tenantOfKey', () => {
  it('finds the tenant that a key was made for', () => {
    const tenant = tenantSegment('account', 'iot-cn-1');
    expect(tenantOfKey(otaObjectKey(tenant, 'c1', 'bin'))).toBe(tenant);
  });

  it.each(['', 'ota/', 'ota/firmware.bin', `ota/${'0'.repeat(31)}/a`, `x/ota/${'0'.repeat(32)}/a`])(
    'finds none in %j',
    (key) => {
      expect(tenantOfKey(key)).toBeUndefined();
    },
  );
});

describe('otaObjectKey', () => {
  it('has the format of the documented samples', () => {
    const key = otaObjectKey(
      '377754e42556b94217f4b5ed0182738d',
      'ckljbc70k0001268jjf7z3icu',
      'bin',
    );
    expect(key).toBe('ota/377754e42556b94217f4b5ed0182738d/ckljbc70k0001268jjf7z3icu.bin');
  });

  it('shows of which tenant it is', () => {
    const key = otaObjectKey(tenantSegment('a', 'i'), 'c0', 'bin');
    expect(isKeyOfTenant(key, tenantSegment('a', 'i'))).toBe(true);
    expect(isKeyOfTenant(key, tenantSegment('a', undefined))).toBe(false);
    expect(isKeyOfTenant(`x${key}`, tenantSegment('a', 'i'))).toBe(false);
  });

  it('is a valid key for every suffix', () => {
    const keys = FILE_SUFFIXES.map((suffix) => otaObjectKey(tenantSegment('a', 'i'), 'c0', suffix));
    expect(keys.map(findObjectKeyProblem)).toEqual(keys.map(() => undefined));
  });
});

describe('findObjectKeyProblem', () => {
  it.each([
    'a',
    'ota/x/y.bin',
    'a'.repeat(1023),
    '固'.repeat(341),
    '\u{1f600}',
    'a b+c%2F?#&',
    'tab\tand\r\nlines',
    'a//b/../c/.',
    'back\\slash',
    '\u007f\u0085',
    '\u0001\n\f\u0007',
    '\u0008\u000b\u001f',
    '\ufffe\uffff',
    '_gatewa',
    '_gateway2/x',
    'x/_gateway/y',
    '__proto__',
  ])('accepts %j', (key) => {
    expect(findObjectKeyProblem(key)).toBeUndefined();
  });

  it.each([
    ['', 'empty'],
    ['a'.repeat(1024), 'tooLong'],
    ['固'.repeat(342), 'tooLong'],
    ['_gateway/'.padEnd(1024, 'x'), 'tooLong'],
    ['/a', 'invalid'],
    ['/', 'invalid'],
    ['\\a', 'invalid'],
    ['a\0', 'invalid'],
    ['a\ud800', 'invalid'],
    ['\udc00a', 'invalid'],
    ['\udc00\ud800', 'invalid'],
    ['_gateway', 'reserved'],
    ['_gateway/', 'reserved'],
    ['_gateway/health/live', 'reserved'],
  ])('finds in %j: %s', (key, problem) => {
    expect(findObjectKeyProblem(key)).toBe(problem);
  });

  it('accepts only keys that survive UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        fc.pre(findObjectKeyProblem(key) === undefined);
        expect(Buffer.from(key, 'utf8').toString('utf8')).toBe(key);
      }),
    );
  });
});

describe('expandFilename', () => {
  it.each([
    ['${filename}', 'a.bin', 'a.bin'],
    ['abc/${filename}', 'a.bin', 'abc/a.bin'],
    ['${filename}/${filename}', 'a', 'a/a'],
    ['k', 'a.bin', 'k'],
    ['k', undefined, 'k'],
    ['x/${filename}', undefined, 'x/'],
    ['x/${filename}', '', 'x/'],
    ['${filename}', 'C:\\path\\x.bin', 'x.bin'],
    ['${filename}', '/etc/passwd', 'passwd'],
    ['${filename}', 'c:/path\\x.bin', 'path\\x.bin'],
    ['${filename}', '\\\\server\\share/x.bin', 'x.bin'],
    ['${filename}', 'a/b\\c', 'b\\c'],
    ['${filename}', 'report\\', 'report\\'],
    ['${filename}', 'a\\b/c', 'c'],
    ['${filename}', 'folder/', ''],
    ['${filename}', 'line\nbreak/x', 'x'],
    ['${filename}', "$&$1$'", "$&$1$'"],
    ['${filename}', '${filename}', '${filename}'],
    ['${Filename}', 'a', '${Filename}'],
    ['\\${filename}', 'a', '\\a'],
  ])('expands %j with %j to %j', (key, filename, expanded) => {
    expect(expandFilename(key, filename)).toBe(expanded);
  });

  it('does not fill the memory, and cuts only a key that is too long', () => {
    const expanded = expandFilename('${filename}'.repeat(180_000), 'x'.repeat(8000));
    expect(expanded.length).toBeLessThan(20_000);
    expect(findObjectKeyProblem(expanded)).toBe('tooLong');
  });

  it('does not cut a key that is not too long', () => {
    const key = '${filename}'.repeat(1000);
    expect(expandFilename(key, 'x')).toBe('x'.repeat(1000));
    expect(expandFilename(key, undefined)).toBe('');
  });
});
