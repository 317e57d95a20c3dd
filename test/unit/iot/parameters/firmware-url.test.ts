import { resolveFirmwareUrl } from '../../../../src/iot/parameters/firmware-url.ts';

const BUCKET = 'iotx-ota';
const resolve = (url: string, publicUrl?: string, mountPath = '') =>
  resolveFirmwareUrl(url, { bucket: BUCKET, publicUrl, mountPath });

it.each([
  ['http://127.0.0.1:9070/ota/a/b.bin', 'ota/a/b.bin'],
  ['HTTPS://anything.example.com/ota/a/b.bin', 'ota/a/b.bin'],
  ['http://host/iotx-ota/ota/b.bin', 'iotx-ota/ota/b.bin', 'ota/b.bin'],
  ['http://host/iotx-ota//b.bin', 'iotx-ota//b.bin'],
  ['http://host/iotx-ota/', 'iotx-ota/'],
  ['http://iotx-ota.host/ota/b.bin', 'ota/b.bin'],
  ['http://iotx-ota.host/iotx-ota/b.bin', 'iotx-ota/b.bin'],
  ['http://host/ota/b.bin?Expires=1&Signature=a%2Fb', 'ota/b.bin'],
  ['http://host/ota/b.bin#part', 'ota/b.bin'],
  ['http://host/ota/%E5%9B%BA%20+.bin', 'ota/固 +.bin'],
  ['http://host/ota/固.bin', 'ota/固.bin'],
  ['http://host/a/../b//c', 'a/../b//c'],
  ['http://host/a%3Fb', 'a?b'],
])('finds the keys that %s may mean', (url, ...keys) => {
  expect(resolve(url)).toEqual({ kind: 'keys', keys });
});

it.each([
  '',
  'ota/b.bin',
  '//host/b.bin',
  'oss://host/b.bin',
  'http:/host/b.bin',
  'http:///b.bin',
  'http://host:99999/b.bin',
  'http://ho st/b.bin',
  'http://host/%E5',
  'http://host/%zz',
  ' http://host/b.bin',
])('rejects %p as malformed', (url) => {
  expect(resolve(url).kind).toBe('malformed');
});

it.each(['http://host', 'http://host/', 'http://host/_gateway/x', 'http://host//x'])(
  'rejects %s as foreign',
  (url) => {
    expect(resolve(url).kind).toBe('foreign');
  },
);

describe('with a public URL', () => {
  it.each([
    ['https://ota.example.com', 'https://ota.example.com/ota/b.bin'],
    ['https://ota.example.com', 'http://OTA.example.com/ota/b.bin'],
    ['https://ota.example.com', 'https://iotx-ota.ota.example.com/ota/b.bin'],
    ['https://ota.example.com', 'https://ota.example.com/iotx-ota/ota/b.bin'],
    ['https://ota.example.com/base', 'https://ota.example.com/base/ota/b.bin'],
    ['https://ota.example.com/base', 'https://ota.example.com/base/iotx-ota/ota/b.bin'],
    ['https://ota.example.com/a%20b', 'https://ota.example.com/a%20b/ota/b.bin'],
    ['http://127.0.0.1:9070', 'http://127.0.0.1:9070/ota/b.bin'],
  ])('%s accepts %s', (publicUrl, url) => {
    const resolved = resolve(url, publicUrl);
    expect(resolved.kind === 'keys' && resolved.keys.at(-1)).toBe('ota/b.bin');
  });

  it.each(['https://example.com/ota/b.bin', 'https://ota.example.com:444/ota/b.bin'])(
    'rejects %s',
    (url) => {
      expect(resolve(url, 'https://ota.example.com').kind).toBe('foreign');
    },
  );
});

describe('with a mount path', () => {
  it.each([
    ['/oss', 'http://host/oss/ota/b.bin', 'ota/b.bin'],
    ['/oss', 'http://host/oss/iotx-ota/ota/b.bin', 'ota/b.bin'],
    ['/oss', 'http://host/oss/oss/b.bin', 'oss/b.bin'],
    ['/oss', 'http://host/ossified/b.bin', 'ossified/b.bin'],
    ['/ota', 'http://host/ota/ota/b.bin', 'ota/b.bin'],
    ['/a%20b', 'http://host/a%20b/ota/b.bin', 'ota/b.bin'],
    // The path of multer, which does not know where the gateway is mounted.
    ['/oss', 'http://host/uploads/b.bin', 'uploads/b.bin'],
  ])('%s finds the key in %s', (mountPath, url, key) => {
    const resolved = resolve(url, undefined, mountPath);
    expect(resolved.kind === 'keys' && resolved.keys.at(-1)).toBe(key);
  });

  it('removes only the path of a public URL, if there is one', () => {
    const url = 'https://ota.example.com/oss/b.bin';
    expect(resolve(url, 'https://ota.example.com', '/oss')).toEqual({
      kind: 'keys',
      keys: ['oss/b.bin'],
    });
  });
});
