import fc from 'fast-check';
import { equalInConstantTime } from '../../../src/signatures/constant-time.ts';
import {
  ossV4CanonicalRequest,
  ossV4StringToSign,
  parseAuthorizationOssV4,
  signOssV4,
} from '../../../src/signatures/oss-v4.ts';
import type { SignableRequest } from '../../../src/signatures/signable-request.ts';
import { aliOss, aliOssSignUtils } from '../../support/ali-oss.ts';
import { signUrlV4 } from '../../support/signed-url.ts';
import type { SignUrlV4Options } from '../../support/signed-url.ts';

const REGION = 'cn-hangzhou';
const QUERY: readonly (readonly [string, string])[] = [
  ['param1', 'value1'],
  ['+param1', 'value3'],
  ['|param1', 'value4'],
  ['+param2', ''],
  ['|param2', ''],
  ['param2', ''],
];
const HEADERS: readonly (readonly [string, string])[] = [
  ['x-oss-head1', 'value'],
  ['abc', 'value'],
  ['zabc', 'value'],
  ['xyz', 'value'],
];
const PUT: SignableRequest = {
  method: 'PUT',
  bucket: 'bucket',
  key: '1234+-/123/1.txt',
  query: QUERY,
  headers: new Map(HEADERS),
};

function goHeaderRequest(date: string, more: [string, string][] = []): SignableRequest {
  return {
    ...PUT,
    headers: new Map([
      ...HEADERS,
      ['content-type', 'text/plain'],
      ['x-oss-content-sha256', 'UNSIGNED-PAYLOAD'],
      ['x-oss-date', date],
      ...more,
    ]),
  };
}

function sign(request: SignableRequest, date: string, additionalHeaders: string[] = []): string {
  const stringToSign = ossV4StringToSign(request, { date, region: REGION, additionalHeaders });
  return signOssV4('sk', { date: date.slice(0, 8), region: REGION }, stringToSign);
}

describe('OSS request signature version 4', () => {
  it('makes the canonical request of the Go SDK', () => {
    const request = goHeaderRequest('20231216T162057Z');
    expect(ossV4CanonicalRequest(request, [])).toBe(
      'PUT\n/bucket/1234%2B-/123/1.txt\n%2Bparam1=value3&%2Bparam2&%7Cparam1=value4&%7Cparam2&param1=value1&param2\ncontent-type:text/plain\nx-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:20231216T162057Z\nx-oss-head1:value\n\n\nUNSIGNED-PAYLOAD',
    );
    const signing = { date: '20231216T162057Z', region: REGION, additionalHeaders: [] };
    expect(ossV4StringToSign(request, signing)).toBe(
      'OSS4-HMAC-SHA256\n20231216T162057Z\n20231216/cn-hangzhou/oss/aliyun_v4_request\nf4613657f1b108998e8dbd10a1aa5da621dc2c6e02c9ddec0f163664848704c4',
    );
  });

  it.each<[string, string, [string, string][], string[], string]>([
    [
      'plain',
      '20231216T162057Z',
      [],
      [],
      'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
    ],
    [
      'additional headers',
      '20231216T172512Z',
      [],
      ['ZAbc', 'abc'],
      '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
    ],
    [
      'security token',
      '20231217T034736Z',
      [['x-oss-security-token', 'token']],
      [],
      'b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
    ],
  ])(
    'reproduces the header vector of the Go SDK: %s',
    (_what, date, more, additional, signature) => {
      expect(sign(goHeaderRequest(date, more), date, additional)).toBe(signature);
    },
  );

  it('signs always-signed headers once when they are listed as additional', () => {
    const request = goHeaderRequest('20231216T162057Z');
    const additional = ['content-type', 'X-OSS-Date', 'abc', 'ABC'];
    expect(ossV4CanonicalRequest(request, additional)).toBe(
      ossV4CanonicalRequest(request, ['abc']),
    );
  });

  it.each<[string, Partial<SignableRequest>, string]>([
    ['the service', { bucket: '', key: undefined }, '/'],
    ['a bucket', { key: undefined }, '/bucket/'],
    ['a key', { key: "a b/固/~!'()*" }, '/bucket/a%20b/%E5%9B%BA/~%21%27%28%29%2A'],
  ])('encodes the path of %s', (_what, difference, path) => {
    const request = { ...PUT, query: [], headers: new Map<string, string>(), ...difference };
    expect(ossV4CanonicalRequest(request, [])).toBe(`PUT\n${path}\n\n\n\nUNSIGNED-PAYLOAD`);
  });

  it('takes the payload from the header', () => {
    const request = { ...PUT, query: [], headers: new Map([['x-oss-content-sha256', 'abc']]) };
    expect(ossV4CanonicalRequest(request, []).split('\n').at(-1)).toBe('abc');
  });

  it('agrees with the header signature of ali-oss', () => {
    const value = fc.stringMatching(/^[!-~]{1,20}$/);
    const headerName = fc.stringMatching(/^[a-z]{1,12}$/).map((text) => `x-oss-z${text}`);
    // ali-oss sorts by locale; among lower-case letters that is the same order.
    const queryName = fc.stringMatching(/^[a-z]{1,12}$/);
    const cases = fc.tuple(
      fc.dictionary(headerName, value),
      fc.dictionary(queryName, value),
      fc.string({ unit: 'grapheme', minLength: 1 }),
    );
    fc.assert(
      fc.property(cases, ([own, queries, key]) => {
        const date = '20231216T162057Z';
        const headers = { ...own, 'x-oss-date': date, host: 'h' };
        const authorization = aliOssSignUtils.authorizationV4(
          'ak',
          'sk',
          REGION,
          'GET',
          { headers, queries },
          'bucket',
          key,
          ['host'],
        );
        const request: SignableRequest = {
          method: 'GET',
          bucket: 'bucket',
          key,
          query: Object.entries(queries),
          headers: new Map(Object.entries(headers)),
        };
        expect(parseAuthorizationOssV4(authorization)).toEqual({
          credential: { accessKeyId: 'ak', date: '20231216', region: REGION, product: 'oss' },
          additionalHeaders: ['host'],
          signature: sign(request, date, ['host']),
        });
      }),
    );
  });
});

describe('signUrlV4', () => {
  afterEach(() => jest.restoreAllMocks());

  const goUrl: SignUrlV4Options = {
    accessKeyId: 'ak',
    secret: 'sk',
    region: REGION,
    bucket: 'bucket',
    key: '1234+-/123/1.txt',
    method: 'PUT',
    date: '20231217T025437Z',
    expires: 599,
    query: QUERY,
    headers: new Map([...HEADERS, ['content-type', 'application/octet-stream']]),
  };
  const computed: SignUrlV4Options = {
    accessKeyId: 'ak',
    secret: 'sk',
    region: REGION,
    bucket: 'examplebucket',
    key: 'firmware/v1.bin',
    method: 'GET',
    date: '20240102T030405Z',
    expires: 3600,
  };

  it.each<[string, SignUrlV4Options, string]>([
    [
      'the Go SDK, plain',
      goUrl,
      'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe',
    ],
    [
      'the Go SDK, security token',
      {
        ...goUrl,
        date: '20231217T035628Z',
        query: [...QUERY, ['x-oss-security-token', 'token']],
      },
      '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
    ],
    [
      'the Go SDK, additional headers',
      { ...goUrl, date: '20231217T033009Z', additionalHeaders: ['abc', 'ZAbc'] },
      '6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7',
    ],
    [
      'a computed download',
      computed,
      'd5b02709756777c06d5099bb1e50a1f1d55cf1cbfb8d0755504b2f35e7f84b5d',
    ],
    [
      'a computed download bound to its host',
      {
        ...computed,
        headers: new Map([['host', 'examplebucket.oss-cn-hangzhou.aliyuncs.com']]),
        additionalHeaders: ['host'],
      },
      '20ba5d5fad405f899871ea2abbec88437250a4b8954143b3168e72764bd39ffb',
    ],
  ])('reproduces %s', (_what, options, signature) => {
    expect(signUrlV4(options).at(-1)).toEqual(['x-oss-signature', signature]);
  });

  it('returns the signing parameters after the given ones', () => {
    expect(signUrlV4({ ...computed, query: [['a', 'b']] }).slice(0, -1)).toEqual([
      ['a', 'b'],
      ['x-oss-signature-version', 'OSS4-HMAC-SHA256'],
      ['x-oss-credential', 'ak/20240102/cn-hangzhou/oss/aliyun_v4_request'],
      ['x-oss-date', '20240102T030405Z'],
      ['x-oss-expires', '3600'],
    ]);
    expect(
      new Map(signUrlV4({ ...goUrl, additionalHeaders: ['zabc', 'ABC'] })).get(
        'x-oss-additional-headers',
      ),
    ).toBe('abc;zabc');
  });

  it.each([undefined, 'token'])(
    'agrees with signatureUrlV4 of ali-oss, token %s',
    async (token) => {
      // Otherwise the SDK tries to refresh the token.
      jest.spyOn(console, 'warn').mockImplementation(() => undefined);
      const client = aliOss({
        accessKeyId: 'ak',
        accessKeySecret: 'sk',
        bucket: 'bucket',
        region: 'oss-cn-hangzhou',
        ...(token === undefined ? {} : { stsToken: token }),
      });
      const key = 'ota/a b/固件(1).bin';
      const queries = { versionid: '7', own: 'a b+c' };
      const headers = { host: 'bucket.oss-cn-hangzhou.aliyuncs.com' };
      const url = new URL(
        await client.signatureUrlV4('GET', 60, { headers, queries }, key, ['host']),
      );
      const signed = signUrlV4({
        ...computed,
        bucket: 'bucket',
        key,
        date: url.searchParams.get('x-oss-date') ?? '',
        expires: 60,
        headers: new Map(Object.entries(headers)),
        additionalHeaders: ['host'],
        query: [
          ...Object.entries(queries),
          ...(token === undefined ? [] : ([['x-oss-security-token', token]] as const)),
        ],
      });
      expect(Object.fromEntries(signed)).toEqual(Object.fromEntries(url.searchParams));
    },
  );

  it('is verified by the same canonical form, and refused for any other request', () => {
    const keys = fc.string({ minLength: 1 });
    fc.assert(
      fc.property(keys, keys, (key, otherKey) => {
        fc.pre(key !== otherKey);
        const query = signUrlV4({ ...computed, key });
        const signature = new Map(query).get('x-oss-signature') ?? '';
        const request: SignableRequest = {
          method: 'GET',
          bucket: 'examplebucket',
          key,
          query,
          headers: new Map(),
        };
        const verifies = (difference: Partial<SignableRequest>): boolean =>
          equalInConstantTime(sign({ ...request, ...difference }, computed.date), signature);
        expect(verifies({})).toBe(true);
        expect(verifies({ query: [...query].reverse() })).toBe(true);
        expect(verifies({ key: otherKey })).toBe(false);
        expect(verifies({ method: 'HEAD' })).toBe(false);
        expect(verifies({ bucket: 'other' })).toBe(false);
        expect(verifies({ query: [...query, ['more', '']] })).toBe(false);
        expect(verifies({ headers: new Map([['x-oss-range-behavior', 'standard']]) })).toBe(false);
        for (const [index, [name, value]] of query.entries()) {
          if (name === 'x-oss-signature') continue;
          expect(verifies({ query: query.with(index, [name, `${value}0`]) })).toBe(false);
        }
      }),
    );
  });
});

describe('parseAuthorizationOssV4', () => {
  const CREDENTIAL = 'Credential=ak/20240102/cn-hangzhou/oss/aliyun_v4_request';
  const credential = { accessKeyId: 'ak', date: '20240102', region: REGION };

  it.each([
    [`OSS4-HMAC-SHA256 ${CREDENTIAL},Signature=ab`, []],
    [`OSS4-HMAC-SHA256 ${CREDENTIAL}, Signature=ab`, []],
    [`OSS4-HMAC-SHA256 ${CREDENTIAL},AdditionalHeaders=abc;zabc,Signature=ab`, ['abc', 'zabc']],
    [`OSS4-HMAC-SHA256 ${CREDENTIAL}, AdditionalHeaders=Host, Signature=ab`, ['host']],
  ])('reads %s', (header, additionalHeaders) => {
    expect(parseAuthorizationOssV4(header)).toEqual({
      credential: { ...credential, product: 'oss' },
      additionalHeaders,
      signature: 'ab',
    });
  });

  it.each([
    '',
    'OSS4-HMAC-SHA256',
    `OSS4-HMAC-SHA256 ${CREDENTIAL}`,
    'OSS4-HMAC-SHA256 Signature=ab',
    `OSS4-HMAC-SHA1 ${CREDENTIAL},Signature=ab`,
    `OSS4-HMAC-SHA256 ${CREDENTIAL},Signature=`,
    `OSS4-HMAC-SHA256 ${CREDENTIAL},AdditionalHeaders=,Signature=ab`,
    `OSS4-HMAC-SHA256 ${CREDENTIAL},Signature=ab,Signature=ab`,
    `OSS4-HMAC-SHA256 ${CREDENTIAL},SignedHeaders=host,Signature=ab`,
    'OSS4-HMAC-SHA256 Credential=ak/20240102/cn-hangzhou/oss,Signature=ab',
    'OSS4-HMAC-SHA256 Credential=ak/20241302/cn-hangzhou/oss/aliyun_v4_request,Signature=ab',
    'OSS ak:signature',
  ])('refuses %j', (header) => {
    expect(parseAuthorizationOssV4(header)).toBeUndefined();
  });
});
