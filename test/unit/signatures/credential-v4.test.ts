import fc from 'fast-check';
import {
  formatCredentialV4,
  formatDateV4,
  parseCredentialV4,
  parseDateV4,
  signingKeyV4,
} from '../../../src/signatures/credential-v4.ts';

describe('parseCredentialV4', () => {
  it('reads what formatCredentialV4 writes', () => {
    const text = 'ak/20240102/cn-hangzhou/oss/aliyun_v4_request';
    const credential = { accessKeyId: 'ak', date: '20240102', region: 'cn-hangzhou' };
    expect(parseCredentialV4(text)).toEqual({ ...credential, product: 'oss' });
    expect(formatCredentialV4(credential)).toBe(text);
  });

  it.each([
    '',
    'ak',
    '/20240102/cn-hangzhou/oss/aliyun_v4_request',
    'ak//cn-hangzhou/oss/aliyun_v4_request',
    'ak/20240102//oss/aliyun_v4_request',
    'ak/20240102/cn-hangzhou//aliyun_v4_request',
    'ak/20240102/cn-hangzhou/oss/aws4_request',
    'ak/20240102/cn-hangzhou/oss/aliyun_v4_request/',
    'ak/20240102/cn-hangzhou/oss',
    'a/k/20240102/cn-hangzhou/oss/aliyun_v4_request',
    'ak/20240230/cn-hangzhou/oss/aliyun_v4_request',
    'ak/2024-01-02/cn-hangzhou/oss/aliyun_v4_request',
    'ak/20240102T030405Z/cn-hangzhou/oss/aliyun_v4_request',
  ])('refuses %j', (text) => {
    expect(parseCredentialV4(text)).toBeUndefined();
  });

  it('tells a credential of another product from one of OSS', () => {
    const text = 'ak/20240102/cn-hangzhou/s3/aliyun_v4_request';
    expect(parseCredentialV4(text)).toMatchObject({ accessKeyId: 'ak', product: 's3' });
  });
});

describe('signingKeyV4', () => {
  it('reproduces a computed vector', () => {
    expect(signingKeyV4('sk', '20240102', 'cn-hangzhou').toString('hex')).toBe(
      '13491b1b9dd8b63b3b06746dd62528844db7dbb852e530a6d8bf7edae3c4d16a',
    );
  });
});

describe('V4 dates', () => {
  it.each([
    ['20240102T030405Z', Date.UTC(2024, 0, 2, 3, 4, 5)],
    ['20240229T235959Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
    ['19700101T000000Z', 0],
  ])('reads and writes %s', (text, time) => {
    expect(parseDateV4(text)).toBe(time);
    expect(formatDateV4(time + 999)).toBe(text);
  });

  it.each([
    '',
    '20240102',
    '20240102T030405',
    '20240102t030405z',
    '2024-01-02T03:04:05Z',
    '20240102T030405.000Z',
    '20240102T030405Z ',
    '20240230T000000Z',
    '20230229T000000Z',
    '20241301T000000Z',
    '20240100T000000Z',
    '20240102T240000Z',
    '20240102T236000Z',
    '20240102T235960Z',
    '２0240102T030405Z',
  ])('refuses %j', (text) => {
    expect(parseDateV4(text)).toBeUndefined();
  });

  it('agree on every second', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        expect(parseDateV4(formatDateV4(seconds * 1000))).toBe(seconds * 1000);
      }),
    );
  });
});
