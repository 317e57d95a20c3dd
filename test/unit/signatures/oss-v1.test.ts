import fc from 'fast-check';
import { equalInConstantTime } from '../../../src/signatures/constant-time.ts';
import {
  ossV1StringToSign,
  parseAuthorizationOssV1,
  signOssV1,
} from '../../../src/signatures/oss-v1.ts';
import type { SignableRequest } from '../../../src/signatures/signable-request.ts';
import { aliOss, aliOssSignUtils } from '../../support/ali-oss.ts';
import { signUrlV1 } from '../../support/signed-url.ts';

const DOC_SECRET = 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV';
const GO_DATE = 'Wed, 28 Dec 2022 10:27:41 GMT';
const GO_PUT: SignableRequest = {
  method: 'PUT',
  bucket: 'examplebucket',
  key: 'nelson',
  query: [],
  headers: new Map([
    ['content-md5', 'eB5eJF1ptWaXm4bijSPyxw=='],
    ['content-type', 'text/html'],
    ['date', GO_DATE],
    ['host', 'examplebucket.oss-cn-hangzhou.aliyuncs.com'],
    ['x-oss-meta-magic', 'abracadabra'],
    ['x-oss-meta-author', ' alice '],
    ['x-oss-date', GO_DATE],
  ]),
};
const get = (bucket: string, key: string, query: [string, string][] = []): SignableRequest => ({
  method: 'GET',
  bucket,
  key,
  query,
  headers: new Map(),
});

describe('OSS request signature version 1', () => {
  it.each<[string, string, SignableRequest, string, string, string]>([
    [
      'the Go SDK, PUT with headers',
      'sk',
      GO_PUT,
      GO_DATE,
      `PUT\neB5eJF1ptWaXm4bijSPyxw==\ntext/html\nWed, 28 Dec 2022 10:27:41 GMT\nx-oss-date:Wed, 28 Dec 2022 10:27:41 GMT\nx-oss-meta-author:alice\nx-oss-meta-magic:abracadabra\n/examplebucket/nelson`,
      'kSHKmLxlyEAKtZPkJhG9bZb5k7M=',
    ],
    [
      'the Go SDK, PUT of an ACL',
      'sk',
      { ...GO_PUT, query: [['acl', '']] },
      GO_DATE,
      `PUT\neB5eJF1ptWaXm4bijSPyxw==\ntext/html\nWed, 28 Dec 2022 10:27:41 GMT\nx-oss-date:Wed, 28 Dec 2022 10:27:41 GMT\nx-oss-meta-author:alice\nx-oss-meta-magic:abracadabra\n/examplebucket/nelson?acl`,
      '/afkugFbmWDQ967j1vr6zygBLQk=',
    ],
    [
      'the Go SDK, URL of a version',
      'sk',
      get('bucket', 'key', [['versionId', 'versionId']]),
      '1699807420',
      'GET\n\n\n1699807420\n/bucket/key?versionId=versionId',
      'dcLTea+Yh9ApirQ8o8dOPqtvJXQ=',
    ],
    [
      'the Go SDK, URL with a token',
      'sk',
      get('bucket', 'key+123', [
        ['versionId', 'versionId'],
        ['security-token', 'token'],
      ]),
      '1699808204',
      'GET\n\n\n1699808204\n/bucket/key+123?security-token=token&versionId=versionId',
      'jzKYRrM5y6Br0dRFPaTGOsbrDhY=',
    ],
    [
      'the header signature page',
      DOC_SECRET,
      {
        method: 'PUT',
        bucket: 'oss-example',
        key: 'nelson',
        query: [],
        headers: new Map([
          ['content-md5', 'ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM='],
          ['content-type', 'text/html'],
          ['x-oss-meta-author', 'foo@bar.com'],
          ['x-oss-magic', 'abracadabra'],
        ]),
      },
      'Thu, 17 Nov 2005 18:49:58 GMT',
      'PUT\nODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=\ntext/html\nThu, 17 Nov 2005 18:49:58 GMT\nx-oss-magic:abracadabra\nx-oss-meta-author:foo@bar.com\n/oss-example/nelson',
      '26NBxoKdsyly4EDv6inkoDft/yA=',
    ],
    [
      'the URL signature page (computed)',
      DOC_SECRET,
      get('oss-example', 'oss-api.pdf'),
      '1141889120',
      'GET\n\n\n1141889120\n/oss-example/oss-api.pdf',
      'EwaNTn1erJGkimiJ9WmXgwnANLc=',
    ],
  ])('reproduces %s', (_what, secret, request, date, stringToSign, signature) => {
    expect(ossV1StringToSign(request, date)).toBe(stringToSign);
    expect(signOssV1(secret, stringToSign)).toBe(signature);
  });

  it.each<[string, Partial<SignableRequest>, string]>([
    ['the service', { bucket: '', key: undefined }, '/'],
    ['a bucket', { key: undefined }, '/b/'],
    ['a key that is not encoded', { key: 'a b/固件+%' }, '/b/a b/固件+%'],
    [
      'no parameters of others',
      {
        query: [
          ['x', '1'],
          ['Expires', '2'],
          ['Acl', ''],
        ],
      },
      '/b/k',
    ],
    [
      'parameters with decoded values',
      { query: [['response-content-type', 'a/b; c']] },
      '/b/k?response-content-type=a/b; c',
    ],
    [
      'any x-oss- parameter',
      {
        query: [
          ['x-oss-process', 'p'],
          ['x-oss-a', ''],
        ],
      },
      '/b/k?x-oss-a&x-oss-process=p',
    ],
    [
      'sorted parameters',
      {
        query: [
          ['uploads', ''],
          ['partNumber', '1'],
          ['acl', ''],
        ],
      },
      '/b/k?acl&partNumber=1&uploads',
    ],
    [
      'the first of two',
      {
        query: [
          ['versionId', '1'],
          ['versionId', '2'],
        ],
      },
      '/b/k?versionId=1',
    ],
    [
      'older sub-resources',
      {
        query: [
          ['cors', ''],
          ['website', ''],
        ],
      },
      '/b/k?cors&website',
    ],
    [
      'callback variables',
      {
        query: [
          ['callback-var', 'v'],
          ['callback', 'c'],
        ],
      },
      '/b/k?callback=c&callback-var=v',
    ],
  ])('uses the right resource for %s', (_what, difference, resource) => {
    const request = { ...get('b', 'k'), ...difference };
    expect(ossV1StringToSign(request, '1')).toBe(`GET\n\n\n1\n${resource}`);
  });

  it('agrees with the header signature of ali-oss', () => {
    const value = fc.stringMatching(/^[!-~]{0,20}$/);
    const name = fc.stringMatching(/^[a-z-]{1,12}$/).map((text) => `x-oss-${text}`);
    fc.assert(
      fc.property(fc.dictionary(name, value), fc.string(), value, (own, key, type) => {
        const headers = { ...own, 'content-type': type };
        const parameters = { acl: '', uploadId: 'u' };
        const date = 'Thu, 17 Nov 2005 18:49:58 GMT';
        const canonical = aliOssSignUtils.buildCanonicalString(
          'PUT',
          `/b/${key}`,
          { headers, parameters },
          date,
        );
        const request: SignableRequest = {
          method: 'PUT',
          bucket: 'b',
          key,
          query: Object.entries(parameters),
          headers: new Map(Object.entries(headers)),
        };
        const stringToSign = ossV1StringToSign(request, date);
        expect(stringToSign).toBe(canonical);
        const authorization = aliOssSignUtils.authorization('ak', 'sk', canonical);
        expect(parseAuthorizationOssV1(authorization)).toEqual({
          accessKeyId: 'ak',
          signature: signOssV1('sk', stringToSign),
        });
      }),
    );
  });
});

describe('signUrlV1', () => {
  const options = {
    accessKeyId: 'ak',
    secret: 'sk',
    bucket: 'bucket',
    key: 'key',
    method: 'GET',
    expires: 1_699_807_420,
  };

  it('returns the signing parameters after the given ones', () => {
    expect(signUrlV1({ ...options, query: [['versionId', 'versionId']] })).toEqual([
      ['versionId', 'versionId'],
      ['OSSAccessKeyId', 'ak'],
      ['Expires', '1699807420'],
      ['Signature', 'dcLTea+Yh9ApirQ8o8dOPqtvJXQ='],
    ]);
  });

  it.each([
    ['plain', 'ota/x.bin', {}, []],
    ['awkward', 'ota/a b+c%/固件*.bin', {}, []],
    [
      'with response headers',
      'k',
      { response: { 'content-disposition': 'attachment; filename="a b"' } },
      [['response-content-disposition', 'attachment; filename="a b"']],
    ],
    [
      'processed',
      'k',
      { process: 'image/resize,w_200' },
      [['x-oss-process', 'image/resize,w_200']],
    ],
  ] as const)('agrees with signatureUrl of ali-oss on a %s URL', (_what, key, extra, query) => {
    const client = aliOss({
      accessKeyId: 'ak',
      accessKeySecret: 'sk',
      bucket: 'bucket',
      region: 'oss-cn-hangzhou',
    });
    const url = new URL(client.signatureUrl(key, { expires: 60, ...extra }));
    const expires = Number(url.searchParams.get('Expires'));
    const signed = signUrlV1({ ...options, key, expires, query });
    expect(Object.fromEntries(signed)).toEqual(Object.fromEntries(url.searchParams));
  });

  it('is verified by the same canonical form, and refused for any other request', () => {
    const keys = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(keys, keys, fc.nat(), (key, otherKey, expires) => {
        fc.pre(key !== otherKey);
        const query = signUrlV1({ ...options, key, expires });
        const signature = query.find(([name]) => name === 'Signature')?.[1] ?? '';
        const verifies = (request: SignableRequest, until: number): boolean =>
          equalInConstantTime(
            signOssV1('sk', ossV1StringToSign(request, String(until))),
            signature,
          );
        const request = get('bucket', key, query);
        expect(verifies(request, expires)).toBe(true);
        expect(verifies(request, expires + 1)).toBe(false);
        expect(verifies({ ...request, key: otherKey }, expires)).toBe(false);
        expect(verifies({ ...request, method: 'HEAD' }, expires)).toBe(false);
        expect(verifies({ ...request, bucket: 'other' }, expires)).toBe(false);
        expect(verifies({ ...request, query: [...query, ['acl', '']] }, expires)).toBe(false);
      }),
    );
  });
});

describe('parseAuthorizationOssV1', () => {
  it('reads an access key and a signature', () => {
    expect(parseAuthorizationOssV1('OSS ak:26NBxoKdsyly4EDv6inkoDft/yA=')).toEqual({
      accessKeyId: 'ak',
      signature: '26NBxoKdsyly4EDv6inkoDft/yA=',
    });
  });

  it.each([
    '',
    'OSS',
    'OSS ',
    'OSS ak',
    'OSS ak:',
    'OSS :sig',
    'oss ak:sig',
    'OSS  ak:sig',
    'OSS ak:sig ',
    'OSS a:b:c',
    'OSS a k:sig',
    'OSSak:sig',
    'OSS4-HMAC-SHA256 ak:sig',
    'AWS ak:sig',
  ])('refuses %j', (header) => {
    expect(parseAuthorizationOssV1(header)).toBeUndefined();
  });
});
