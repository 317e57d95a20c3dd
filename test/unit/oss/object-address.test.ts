import fc from 'fast-check';
import { readTarget } from '../../../src/http/request-target.ts';
import { findAddresses } from '../../../src/oss/object-address.ts';
import { findObjectKeyProblem } from '../../../src/policy/object-key.ts';

const BUCKET = 'iotx-ota';
const findAll = (url: string, host = '127.0.0.1:9070') =>
  findAddresses(readTarget({ url, headers: { host } }), BUCKET);
/** The address in path style, if there are several. */
const find = (url: string, host?: string) => findAll(url, host).at(-1);
const object = (key: string) => ({ kind: 'object', key });

it.each([
  ['/', { kind: 'bucket' }],
  ['/?acl', { kind: 'bucket' }],
  ['*', { kind: 'bucket' }],
  ['/iotx-ota', { kind: 'bucket' }],
  ['/iotx-ota/', { kind: 'bucket' }],
  ['/iotx-ota?x=/y', { kind: 'bucket' }],
  ['/iotx-ota/ota/a.bin', object('ota/a.bin')],
  ['/ota/a.bin', object('ota/a.bin')],
  ['/iotx-otaku', object('iotx-otaku')],
  ['/iotx-ota/iotx-ota/a', object('iotx-ota/a')],
  ['/a.bin?x=1#y', object('a.bin')],
  ['http://127.0.0.1:9070/iotx-ota/a?x', object('a')],
])('finds %s on a host of any name', (url, expected) => {
  expect(find(url)).toEqual(expected);
});

it.each([
  ['/iotx-ota', [object('iotx-ota'), { kind: 'bucket' }]],
  ['/iotx-ota/', [object('iotx-ota/'), { kind: 'bucket' }]],
  ['/iotx-ota/a%2Fb?x', [object('iotx-ota/a/b'), object('a/b')]],
  ['/iotx-ota//a', [object('iotx-ota//a'), { kind: 'invalid', problem: 'invalid' }]],
  [
    `/iotx-ota/${'k'.repeat(1020)}`,
    [{ kind: 'invalid', problem: 'tooLong' }, object('k'.repeat(1020))],
  ],
])('finds with %s first the whole path, then the key after the bucket', (url, expected) => {
  expect(findAll(url)).toEqual(expected);
});

it.each([
  ['/', { kind: 'bucket' }],
  ['/a/b', object('a/b')],
  ['/iotx-ota/a', object('iotx-ota/a')],
  ['/iotx-ota', object('iotx-ota')],
])('finds %s in virtual host style', (url, expected) => {
  expect(findAll(url, 'iotx-ota.localhost:9070')).toEqual([expected]);
  expect(find(url, 'IOTX-OTA.oss-cn-shanghai.aliyuncs.com')).toEqual(expected);
  expect(find(`http://iotx-ota.localhost${url}`, 'elsewhere')).toEqual(expected);
});

it.each([
  ['other.oss-cn-shanghai.aliyuncs.com', { kind: 'foreignBucket', name: 'other' }],
  ['other.oss-cn-shanghai-internal.aliyuncs.com:80', { kind: 'foreignBucket', name: 'other' }],
  ['other.oss-accelerate.aliyuncs.com', { kind: 'foreignBucket', name: 'other' }],
  ['oss-cn-shanghai.aliyuncs.com', object('a')],
  ['other.oss-lab.example.com', object('a')],
  ['files.example.com', object('a')],
  ['iotx-ota', object('a')],
  ['iotx-ota:9070', object('a')],
  ['[::1]:9070', object('a')],
  ['', object('a')],
])('finds /iotx-ota/a on the host %j', (host, expected) => {
  expect(find('/iotx-ota/a', host)).toEqual(expected);
});

it('finds an object without a Host header by the path', () => {
  expect(findAddresses(readTarget({ url: '/a', headers: {} }), BUCKET)).toEqual([object('a')]);
});

it.each([
  ['/a%20b', 'a b'],
  ['/a+b', 'a+b'],
  ['/a%2Bb', 'a+b'],
  ['/a%2Fb', 'a/b'],
  ['/iotx-ota/a%2Fb', 'a/b'],
  ['/iotx-ota%2Fa', 'iotx-ota/a'],
  ['/a%2520b', 'a%20b'],
  ['/%E5%9B%BA%E4%BB%B6.bin', '固件.bin'],
  [`/${Buffer.from('固件').toString('latin1')}.bin`, '固件.bin'],
  ['/a/../b', 'a/../b'],
  ['/%2e%2e/%2e%2e/etc/passwd', '../../etc/passwd'],
  ['/a//b/', 'a//b/'],
  ['/a%3Fb%23c', 'a?b#c'],
  ['/a;b=c&d', 'a;b=c&d'],
  ['/__proto__', '__proto__'],
])('decodes %s to the key %j', (url, key) => {
  expect(find(url)).toEqual(object(key));
});

it.each([
  ['/%', 'encoding'],
  ['/%zz', 'encoding'],
  ['/%E5%9B', 'encoding'],
  ['/%C0%AF', 'encoding'],
  ['/%FF', 'encoding'],
  ['/a%00b', 'invalid'],
  ['//a', 'invalid'],
  ['/iotx-ota//a', 'invalid'],
  ['/%2Fa', 'invalid'],
  ['/%5Ca', 'invalid'],
  [`/${'k'.repeat(1024)}`, 'tooLong'],
  [`/${'%E5%9B%BA'.repeat(342)}`, 'tooLong'],
  ['/iotx-ota/_gateway/metrics', 'reserved'],
])('finds no object at %s: %s', (url, problem) => {
  expect(find(url)).toEqual({ kind: 'invalid', problem });
});

it('accepts a key of 1023 bytes', () => {
  expect(find(`/${'k'.repeat(1023)}`)).toEqual(object('k'.repeat(1023)));
});

it('never throws for any URL and host', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (url, host) => {
      for (const { kind } of [...findAll(url, host), ...findAll(`/${url}`, host)]) {
        expect(kind).toMatch(/^(bucket|object|foreignBucket|invalid)$/);
      }
    }),
  );
});

it('finds every valid key in both styles', () => {
  const keys = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 100 });
  fc.assert(
    fc.property(keys, (key) => {
      fc.pre(findObjectKeyProblem(key) === undefined);
      const escaped = encodeURIComponent(key);
      expect(find(`/${BUCKET}/${escaped}`)).toEqual(object(key));
      expect(find(`/${escaped}`, `${BUCKET}.localhost`)).toEqual(object(key));
    }),
  );
});
