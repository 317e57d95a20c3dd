import { ManualClock } from '../../../../src/lib/clock.ts';
import { authorizeRequest } from '../../../../src/oss/auth/authorize-request.ts';
import type { AuthorizeDependencies } from '../../../../src/oss/auth/signed-request.ts';
import { OssError } from '../../../../src/oss/errors.ts';
import { parseRequest } from '../../../../src/oss/oss-request.ts';
import { createBucketKey } from '../../../../src/signatures/bucket-key.ts';
import { formatDateV4, parseDateV4 } from '../../../../src/signatures/credential-v4.ts';
import { ossV1StringToSign } from '../../../../src/signatures/oss-v1.ts';
import { ossV4StringToSign } from '../../../../src/signatures/oss-v4.ts';

import { signUrlV1, signUrlV4 } from '../../../support/signed-url.ts';

const NOW = Date.UTC(2024, 0, 2, 3, 4, 5);
const BUCKET = 'examplebucket';
const REGION = 'cn-hangzhou';
const KEY = 'firmware/v 1+é.bin';

interface Setting {
  readonly now?: number;
  readonly wallNow?: number;
  readonly bucket?: string;
  readonly secret?: string;
  readonly region?: string;
  readonly publicHosts?: readonly string[];
}

function dependenciesAt(setting: Setting = {}): AuthorizeDependencies {
  const { now = NOW, wallNow = now, bucket = BUCKET, secret = 'sk', region = REGION } = setting;
  const { publicHosts = [] } = setting;
  const rules = {
    bucket,
    policyTtl: 0,
    claimTtl: 0,
    maxUploadBytes: 0,
    maxPackages: 0,
    issuedRetention: 0,
    tombstoneRetention: 0,
  };
  return {
    uploads: { clock: new ManualClock(now), rules, observer: {} },
    wallClock: new ManualClock(wallNow),
    bucketKey: createBucketKey('ak', secret),
    region,
    publicHosts,
  };
}

interface Call {
  readonly method?: string;
  readonly key?: string;
  readonly query?: Iterable<readonly [string, string]> | string;
  readonly headers?: Readonly<Record<string, string>>;
}

function authorize(call: Call, setting: Setting = {}): unknown {
  const { method = 'GET', key = KEY, query = '', headers = {} } = call;
  const search =
    typeof query === 'string'
      ? query
      : Array.from(query, (pair) => pair.map(encodeURIComponent).join('=')).join('&');
  const request = { method, url: `/${encodeURI(key)}?${search}`, headers };
  const parsed = parseRequest(request, setting.bucket ?? BUCKET);
  return authorizeRequest(dependenciesAt(setting), { ...parsed, key });
}

function refusal(call: Call, setting: Setting = {}): OssError {
  try {
    authorize(call, setting);
  } catch (error) {
    if (error instanceof OssError) return error;
    throw error;
  }
  throw new Error('the request was accepted');
}

const timeOf = (date: string): number => parseDateV4(date) ?? NaN;

const v1Url = (options: { expires?: number; method?: string; query?: [string, string][] } = {}) =>
  signUrlV1({
    ...{ accessKeyId: 'ak', secret: 'sk', bucket: BUCKET, key: KEY, method: 'GET' },
    ...{ expires: NOW / 1000 + 60 },
    ...options,
  });

const v4Url = (
  options: {
    date?: string;
    expires?: number;
    secret?: string;
    region?: string;
    method?: string;
    query?: [string, string][];
    headers?: ReadonlyMap<string, string>;
    additionalHeaders?: string[];
  } = {},
) =>
  signUrlV4({
    ...{ accessKeyId: 'ak', secret: 'sk', region: REGION, bucket: BUCKET, key: KEY },
    ...{ method: 'GET', date: formatDateV4(NOW), expires: 60 },
    ...options,
  });

/** Headers of a request that is signed in its Authorization header. */
function v1Header(date: string, headers: Record<string, string> = { date }, id = 'ak') {
  const request = {
    ...{ method: 'GET', bucket: BUCKET, key: KEY, query: [] },
    headers: new Map(Object.entries(headers)),
  };
  const signature = createBucketKey('ak', 'sk').signRequestV1(ossV1StringToSign(request, date));
  return { ...headers, authorization: `OSS ${id}:${signature}` };
}

function v4Header(
  options: {
    date?: string;
    day?: string;
    region?: string;
    id?: string;
    additional?: string[];
    headers?: Record<string, string>;
  } = {},
) {
  const { date = formatDateV4(NOW), region = REGION, additional = [], id = 'ak' } = options;
  const day = options.day ?? date.slice(0, 8);
  const headers = {
    ...{ 'x-oss-date': date, 'x-oss-content-sha256': 'UNSIGNED-PAYLOAD' },
    ...options.headers,
  };
  const request = {
    ...{ method: 'GET', bucket: BUCKET, key: KEY, query: [] },
    headers: new Map(Object.entries(headers)),
  };
  const stringToSign = ossV4StringToSign(request, { date, region, additionalHeaders: additional });
  const signature = createBucketKey('ak', 'sk').signRequestV4({ date: day, region }, stringToSign);
  const more = additional.length > 0 ? `,AdditionalHeaders=${additional.join(';')}` : '';
  const credential = `${id}/${day}/${region}/oss/aliyun_v4_request`;
  const authorization = `OSS4-HMAC-SHA256 Credential=${credential}${more},Signature=${signature}`;
  return { ...headers, authorization };
}

it('authorizes a request without a signature as anonymous', () => {
  expect(authorize({ query: 'response-content-type=text/plain' })).toBe('anonymous');
});

describe('a published example of a signature', () => {
  const nelson = {
    method: 'PUT',
    key: 'nelson',
    headers: {
      'content-md5': 'eB5eJF1ptWaXm4bijSPyxw==',
      'content-type': 'text/html',
      date: 'Wed, 28 Dec 2022 10:27:41 GMT',
      'x-oss-date': 'Wed, 28 Dec 2022 10:27:41 GMT',
      'x-oss-meta-author': 'alice',
      'x-oss-meta-magic': 'abracadabra',
    },
  };
  const day2022 = { now: Date.UTC(2022, 11, 28, 10, 30) };

  it.each([
    ['', 'kSHKmLxlyEAKtZPkJhG9bZb5k7M='],
    ['acl', '/afkugFbmWDQ967j1vr6zygBLQk='],
  ])('is accepted: version 1 in the header, query %j', (query, signature) => {
    const headers = { ...nelson.headers, authorization: `OSS ak:${signature}` };
    expect(authorize({ ...nelson, query, headers }, day2022)).toBe('signed');
  });

  it('is accepted: version 1 in the header, from the reference page', () => {
    const headers = {
      'content-md5': 'ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=',
      'content-type': 'text/html',
      date: 'Thu, 17 Nov 2005 18:49:58 GMT',
      host: 'oss-example.oss-cn-hangzhou.aliyuncs.com',
      'x-oss-meta-author': 'foo@bar.com',
      'x-oss-magic': 'abracadabra',
      authorization: 'OSS ak:26NBxoKdsyly4EDv6inkoDft/yA=',
    };
    const setting = {
      now: Date.UTC(2005, 10, 17, 18, 50),
      bucket: 'oss-example',
      secret: 'OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV',
    };
    expect(authorize({ method: 'PUT', key: 'nelson', headers }, setting)).toBe('signed');
  });

  it.each([
    ['key', 1699807420, 'versionId=versionId', 'dcLTea+Yh9ApirQ8o8dOPqtvJXQ='],
    [
      'key+123',
      1699808204,
      'security-token=token&versionId=versionId',
      'jzKYRrM5y6Br0dRFPaTGOsbrDhY=',
    ],
  ])('is accepted: version 1 in the URL, key %s', (key, expires, query, signature) => {
    const signed = `Expires=${expires}&OSSAccessKeyId=ak&Signature=${encodeURIComponent(signature)}`;
    const setting = { now: expires * 1000, bucket: 'bucket' };
    expect(authorize({ key, query: `${query}&${signed}` }, setting)).toBe('signed');
  });

  const v4 = {
    method: 'PUT',
    key: '1234+-/123/1.txt',
    query: 'param1=value1&%2Bparam1=value3&%7Cparam1=value4&%2Bparam2=&%7Cparam2=&param2=',
  };
  const v4Headers = { 'x-oss-head1': 'value', abc: 'value', zabc: 'value', xyz: 'value' };

  it.each([
    [
      '20231216T162057Z',
      '',
      {},
      'e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe',
    ],
    [
      '20231216T172512Z',
      'AdditionalHeaders=abc;zabc,',
      {},
      '4a4183c187c07c8947db7620deb0a6b38d9fbdd34187b6dbaccb316fa251212f',
    ],
    [
      '20231217T034736Z',
      '',
      { 'x-oss-security-token': 'token' },
      'b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea',
    ],
  ])('is accepted: version 4 in the header, date %s', (date, additional, token, signature) => {
    const credential = `ak/${date.slice(0, 8)}/cn-hangzhou/oss/aliyun_v4_request`;
    const headers = {
      ...v4Headers,
      ...token,
      'content-type': 'text/plain',
      'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-oss-date': date,
    };
    const spaced = additional.replace(',', ', ');
    for (const text of [
      `OSS4-HMAC-SHA256 Credential=${credential},${additional}Signature=${signature}`,
      `OSS4-HMAC-SHA256 Credential=${credential}, ${spaced}Signature=${signature}`,
    ]) {
      const call = { ...v4, headers: { ...headers, authorization: text } };
      expect(authorize(call, { now: timeOf(date), bucket: 'bucket' })).toBe('signed');
    }
  });

  it.each([
    ['20231217T025437Z', '', 'a39966c61718be0d5b14e668088b3fa07601033f6518ac7b523100014269c0fe'],
    [
      '20231217T035628Z',
      '&x-oss-security-token=token',
      '3817ac9d206cd6dfc90f1c09c00be45005602e55898f26f5ddb06d7892e1f8b5',
    ],
    [
      '20231217T033009Z',
      '&x-oss-additional-headers=abc%3Bzabc',
      '6bd984bfe531afb6db1f7550983a741b103a8c58e5e14f83ea474c2322dfa2b7',
    ],
  ])('is accepted: version 4 in the URL, date %s', (date, more, signature) => {
    const credential = encodeURIComponent('ak/20231217/cn-hangzhou/oss/aliyun_v4_request');
    const signed =
      `x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=${credential}` +
      `&x-oss-date=${date}&x-oss-expires=599&x-oss-signature=${signature}${more}`;
    const headers = { ...v4Headers, 'content-type': 'application/octet-stream' };
    const call = { ...v4, query: `${v4.query}&${signed}`, headers };
    const now = timeOf(date) + 599_000;
    expect(authorize(call, { now, bucket: 'bucket' })).toBe('signed');
  });
});

describe('a URL signed by version 1', () => {
  it('is accepted with its parameters in any order', () => {
    expect(authorize({ query: v1Url() })).toBe('signed');
    expect(authorize({ query: v1Url().reverse() })).toBe('signed');
    expect(authorize({ query: v1Url({ query: [['security-token', 'token']] }) })).toBe('signed');
  });

  it('is accepted when the gateway has signed it for a download', () => {
    const { bucketKey } = dependenciesAt();
    const query = bucketKey.signDownload(BUCKET, KEY, NOW / 1000 + 60);
    expect(authorize({ query })).toBe('signed');
  });

  it('is checked with the first value of a repeated parameter', () => {
    const wrong: [string, string][] = [
      ['Signature', 'wrong'],
      ['Expires', '1'],
      ['OSSAccessKeyId', 'other'],
    ];
    expect(authorize({ query: [...v1Url(), ...wrong] })).toBe('signed');
    expect(refusal({ query: [...wrong, ...v1Url()] }).message).toBe('Request has expired.');
  });

  it.each(['OSSAccessKeyId', 'Expires', 'Signature'])('is refused without %s', (name) => {
    const message =
      'Query string authentication requires the Signature, Expires and OSSAccessKeyId parameters.';
    const without = v1Url().filter((pair) => pair[0] !== name);
    const empty = v1Url().map(([key, value]) => [key, key === name ? '' : value] as const);
    expect(refusal({ query: without })).toMatchObject({ code: 'AccessDenied', message });
    expect(refusal({ query: empty })).toMatchObject({ code: 'AccessDenied', message });
  });

  it.each(['abc', '1.5', '-1', '1e9', ' 1', '9'.repeat(30)])(
    'is refused when Expires is %j',
    (value) => {
      const query = v1Url().map(([key, old]) => [key, key === 'Expires' ? value : old] as const);
      expect(refusal({ query })).toMatchObject({
        code: 'AccessDenied',
        message: 'Invalid date (should be seconds since epoch).',
      });
    },
  );

  it('is accepted up to its last millisecond by the clock of the gateway', () => {
    const expires = NOW / 1000;
    const query = v1Url({ expires });
    expect(authorize({ query }, { now: NOW })).toBe('signed');
    const error = refusal({ query }, { now: NOW + 1, wallNow: 0 });
    expect(error).toMatchObject({ code: 'AccessDenied', message: 'Request has expired.' });
    expect(error.elements).toEqual({
      Expires: '2024-01-02T03:04:05.000Z',
      ServerTime: '2024-01-02T03:04:05.001Z',
    });
    expect(authorize({ query }, { now: NOW, wallNow: NOW * 2 })).toBe('signed');
  });

  it('is checked in the order expiry, access key, signature', () => {
    const expired = [
      ['OSSAccessKeyId', 'x'],
      ['Expires', '1'],
      ['Signature', 'x'],
    ] as const;
    expect(refusal({ query: expired }).message).toBe('Request has expired.');
    const unknown = [
      ['OSSAccessKeyId', 'x'],
      ['Expires', '9999999999'],
      ['Signature', 'x'],
    ] as const;
    const error = refusal({ query: unknown });
    expect(error.code).toBe('InvalidAccessKeyId');
    expect(error.elements).toEqual({ OSSAccessKeyId: 'x' });
  });

  it.each([
    ['another key', { key: 'firmware/v2.bin' }],
    ['another method', { method: 'PUT' }],
    [
      'an override that was not signed',
      { query: [...v1Url(), ['response-expires', 'x']] as const },
    ],
    ['an x-oss- header that was not signed', { headers: { 'x-oss-range-behavior': 'standard' } }],
    ['a content type that was not signed', { headers: { 'content-type': 'text/plain' } }],
  ])('is refused for %s', (_what, call) => {
    expect(refusal({ query: v1Url(), ...call }).code).toBe('SignatureDoesNotMatch');
  });

  it('gets an error with the text to sign when the signature is wrong', () => {
    const query = v1Url().map(
      ([key, value]) => [key, key === 'Signature' ? 'x+/=' : value] as const,
    );
    const error = refusal({ query });
    expect(error.elements).toEqual({
      OSSAccessKeyId: 'ak',
      SignatureProvided: 'x+/=',
      StringToSign: 'GET\n\n\n1704164705\n/examplebucket/firmware/v 1+é.bin',
      StringToSignBytes: expect.stringMatching(/^47 45 54 0A 0A 0A 31 37 .* 2B C3 A9 2E 62 69 6E$/),
    });
    expect(JSON.stringify(error)).not.toContain('sk"');
  });
});

describe('a header signed by version 1', () => {
  const date = 'Tue, 02 Jan 2024 03:04:05 GMT';

  it('is accepted with a Date or an x-oss-date', () => {
    expect(authorize({ headers: v1Header(date) })).toBe('signed');
    expect(authorize({ headers: v1Header(date, { 'x-oss-date': date }) })).toBe('signed');
    const both = v1Header(date, { 'x-oss-date': date, date: 'Tue, 02 Jan 2024 03:00:00 GMT' });
    expect(authorize({ headers: both })).toBe('signed');
    const token = v1Header(date, { date, 'x-oss-security-token': 'token' });
    expect(authorize({ headers: token })).toBe('signed');
  });

  it('is accepted when it signs a header in UTF-8', () => {
    const headers = v1Header(date, { date, 'x-oss-meta-name': '固件' });
    const onTheWire = Buffer.from('固件').toString('latin1');
    expect(authorize({ headers: { ...headers, 'x-oss-meta-name': onTheWire } })).toBe('signed');
  });

  it.each([0, -15, 15])('is accepted when it is off by %d minutes by either clock', (minutes) => {
    const now = NOW + minutes * 60_000;
    expect(authorize({ headers: v1Header(date) }, { now })).toBe('signed');
    expect(authorize({ headers: v1Header(date) }, { now, wallNow: 0 })).toBe('signed');
    expect(authorize({ headers: v1Header(date) }, { now: 0, wallNow: now })).toBe('signed');
  });

  it.each([-1, 1])('is refused when it is off by more than 15 minutes: sign %d', (sign) => {
    const now = NOW + sign * (15 * 60_000 + 1000);
    const error = refusal({ headers: v1Header(date) }, { now });
    expect(error.code).toBe('RequestTimeTooSkewed');
    expect(error.elements).toMatchObject({
      MaxAllowedSkewMilliseconds: '900000',
      RequestTime: '2024-01-02T03:04:05.000Z',
    });
  });

  it.each([[{}], [{ date: '' }], [{ date: '2024-01-02' }], [{ date, 'x-oss-date': 'now' }]])(
    'is refused without a valid date: %j',
    (headers) => {
      expect(refusal({ headers: v1Header('', headers) })).toMatchObject({
        code: 'AccessDenied',
        message: 'OSS authentication requires a valid Date.',
      });
    },
  );

  it.each([
    'OSS',
    'OSS ak',
    'OSS ak:',
    'OSS :x',
    'Basic YWs6c2s=',
    'OSS2 AccessKeyId:ak',
    'ak:x',
    '',
  ])('is refused when it is malformed: %j', (authorization) => {
    const error = refusal({ headers: { date, authorization } });
    expect(error.code).toBe('InvalidArgument');
    expect(JSON.stringify(error.elements)).not.toContain('YWs6c2s=');
  });

  it('is refused with another access key or another signature', () => {
    const headers = v1Header(date, { date }, 'other');
    expect(refusal({ headers }).code).toBe('InvalidAccessKeyId');
    const forged = { date, authorization: 'OSS ak:AAAAAAAAAAAAAAAAAAAAAAAAAAA=' };
    const error = refusal({ headers: forged });
    expect(error.code).toBe('SignatureDoesNotMatch');
    expect(error.elements['StringToSign']).toBe(`GET\n\n\n${date}\n/${BUCKET}/${KEY}`);
  });
});

describe('a URL signed by version 4', () => {
  it('is accepted', () => {
    expect(authorize({ query: v4Url() })).toBe('signed');
    expect(authorize({ query: v4Url({ query: [['x-oss-security-token', 't']] }) })).toBe('signed');
    const headers = { host: 'machine:9070' };
    const query = v4Url({ headers: new Map(Object.entries(headers)), additionalHeaders: ['host'] });
    expect(authorize({ query, headers })).toBe('signed');
    expect(refusal({ query, headers: { host: 'other' } }).code).toBe('SignatureDoesNotMatch');
  });

  it('is accepted from 15 minutes before its date until it expires, by either clock', () => {
    const query = v4Url({ expires: 3600 });
    for (const now of [NOW - 900_000, NOW, NOW + 3_600_000]) {
      expect(authorize({ query }, { now })).toBe('signed');
      expect(authorize({ query }, { now, wallNow: 0 })).toBe('signed');
      expect(authorize({ query }, { now: 0, wallNow: now })).toBe('signed');
    }
    expect(refusal({ query }, { now: NOW - 901_000 }).message).toBe('Request is not valid yet.');
    const late = refusal({ query }, { now: NOW + 3_601_000 });
    expect(late).toMatchObject({ code: 'AccessDenied', message: 'Request has expired.' });
    expect(late.elements['Expires']).toBe('2024-01-02T04:04:05.000Z');
  });

  it('is checked for its expiry before its signature', () => {
    const query = v4Url({ secret: 'wrong' });
    expect(refusal({ query }, { now: NOW + 3_600_000 }).message).toBe('Request has expired.');
  });

  it.each([0, -1, 604_801, 99_999_999])('is refused with a lifetime of %d seconds', (expires) => {
    const error = refusal({ query: v4Url({ expires }) });
    expect(error.code).toBe('InvalidArgument');
    expect(error.elements).toEqual({
      ArgumentName: 'x-oss-expires',
      ArgumentValue: String(expires),
    });
  });

  it('is accepted with a lifetime of seven days', () => {
    const query = v4Url({ expires: 604_800 });
    expect(authorize({ query }, { now: NOW + 604_800_000 })).toBe('signed');
  });

  it.each([
    ['x-oss-signature-version', 'OSS2'],
    ['x-oss-signature-version', undefined],
    ['x-oss-credential', 'ak/20240102/cn-hangzhou/oss'],
    ['x-oss-credential', undefined],
    ['x-oss-date', '2024-01-02'],
    ['x-oss-date', undefined],
    ['x-oss-expires', 'abc'],
    ['x-oss-expires', undefined],
    ['x-oss-additional-headers', ''],
  ])('is refused when %s is %j', (name, value) => {
    const rest = v4Url().filter((pair) => pair[0] !== name);
    const query = value === undefined ? rest : [...rest, [name, value] as const];
    const error = refusal({ query });
    expect(error.code).toBe('InvalidArgument');
    expect(error.elements['ArgumentName']).toBe(name);
  });

  it('is refused with a credential of another day or region', () => {
    const other = v4Url({ region: 'cn-beijing' });
    expect(refusal({ query: other })).toMatchObject({
      code: 'InvalidArgument',
      message: 'Invalid signing region in Authorization header.',
      ec: '0002-00000226',
    });
    const yesterday = v4Url().map(
      ([key, value]) => [key, value.replace('/20240102/', '/20240101/')] as const,
    );
    expect(refusal({ query: yesterday }).code).toBe('InvalidArgument');
  });

  it('gets an error with the canonical request when the signature is wrong', () => {
    const query = v4Url({ secret: 'wrong' });
    const error = refusal({ query });
    expect(error).toMatchObject({ code: 'SignatureDoesNotMatch', ec: '0002-00000201' });
    const { CanonicalRequest, StringToSign } = error.elements;
    expect(CanonicalRequest).toMatch(/^GET\n\/examplebucket\/firmware\/v%201%2B%C3%A9\.bin\n/);
    expect(StringToSign).toMatch(
      /^OSS4-HMAC-SHA256\n20240102T030405Z\n20240102\/cn-hangzhou\/oss\//,
    );
  });

  it('is refused without a signature', () => {
    const query = v4Url().filter((pair) => pair[0] !== 'x-oss-signature');
    expect(refusal({ query }).code).toBe('SignatureDoesNotMatch');
  });

  it('is refused when a parameter is appended', () => {
    const query = [...v4Url(), ['response-content-type', 'text/html'] as const];
    expect(refusal({ query }).code).toBe('SignatureDoesNotMatch');
  });
});

describe('a header signed by version 4', () => {
  it('is accepted', () => {
    expect(authorize({ headers: v4Header() })).toBe('signed');
    const token = v4Header({ headers: { 'x-oss-security-token': 'token' } });
    expect(authorize({ headers: token })).toBe('signed');
  });

  it('is accepted with additional headers, which it then signs', () => {
    const headers = v4Header({
      additional: ['host', 'range'],
      headers: { host: 'h', range: 'bytes=0-1' },
    });
    expect(authorize({ headers })).toBe('signed');
    expect(refusal({ headers: { ...headers, range: 'bytes=0-2' } }).code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  it('is refused when it is off by more than 15 minutes by both clocks', () => {
    const headers = v4Header();
    expect(authorize({ headers }, { now: 0, wallNow: NOW + 900_000 })).toBe('signed');
    expect(refusal({ headers }, { now: NOW + 901_000 }).code).toBe('RequestTimeTooSkewed');
  });

  it('is refused without an x-oss-date', () => {
    const { authorization } = v4Header();
    const date = 'Tue, 02 Jan 2024 03:04:05 GMT';
    expect(refusal({ headers: { authorization, date } }).code).toBe('AccessDenied');
  });

  it.each([
    ['another access key', v4Header({ id: 'other' }), 'InvalidAccessKeyId'],
    ['another region', v4Header({ region: 'cn-beijing' }), 'InvalidArgument'],
    ['another day', v4Header({ day: '20240101' }), 'InvalidArgument'],
    ['a malformed value', { authorization: 'OSS4-HMAC-SHA256 nonsense' }, 'InvalidArgument'],
    ['an unsigned x-oss- header', { ...v4Header(), 'x-oss-meta-a': 'b' }, 'SignatureDoesNotMatch'],
  ])('is refused with %s', (_what, headers, code) => {
    expect(refusal({ headers }).code).toBe(code);
  });
});

it('refuses a request that is signed more than once', () => {
  const headers = v4Header();
  expect(refusal({ query: v1Url(), headers }).code).toBe('InvalidArgument');
  expect(refusal({ query: v4Url(), headers }).code).toBe('InvalidArgument');
  expect(refusal({ query: [...v1Url(), ...v4Url()] }).code).toBe('InvalidArgument');
  expect(refusal({ query: 'Signature=x', headers: { authorization: 'x' } }).code).toBe(
    'InvalidArgument',
  );
});

it('accepts a signed request for the bucket', () => {
  const expires = NOW / 1000 + 60;
  const request = { method: 'GET', bucket: BUCKET, key: undefined, query: [], headers: new Map() };
  const signature = dependenciesAt().bucketKey.signRequestV1(
    ossV1StringToSign(request, String(expires)),
  );
  const query = `Expires=${expires}&OSSAccessKeyId=ak&Signature=${encodeURIComponent(signature)}`;
  const call = { method: 'GET', url: `/?${query}`, headers: {} };
  expect(authorizeRequest(dependenciesAt(), parseRequest(call, BUCKET))).toBe('signed');
});

describe('a signature of version 4 that covers the host', () => {
  const publicHosts = ['ota.example', 'ota.example:443', `${BUCKET}.ota.example`];
  const received = { host: 'gateway:9070' };

  const urlFor = (host: string, additionalHeaders = ['host']) =>
    v4Url({ headers: new Map([['host', host]]), additionalHeaders });

  const headerFor = (host: string) => ({
    ...v4Header({ headers: { host }, additional: ['host'] }),
    ...received,
  });

  it.each(['gateway:9070', 'ota.example', 'ota.example:443', `${BUCKET}.ota.example`])(
    'is accepted through a proxy for %s',
    (host) => {
      const setting = { publicHosts };
      expect(authorize({ query: urlFor(host), headers: received }, setting)).toBe('signed');
      expect(authorize({ headers: headerFor(host) }, setting)).toBe('signed');
    },
  );

  it('is refused for another host, and the refusal names both hosts', () => {
    const query = urlFor('other.example');
    expect(refusal({ query, headers: received }, { publicHosts })).toMatchObject({
      code: 'SignatureDoesNotMatch',
      elements: { Host: 'gateway:9070', PublicHost: 'ota.example' },
    });
  });

  it.each([
    ['there is no public URL', ['host'], [], 'gateway:9070'],
    ['the public host was received', ['host'], publicHosts, 'ota.example'],
    ['the host is not signed', [], publicHosts, 'gateway:9070'],
  ])('is refused without a word about hosts when %s', (_, additional, hosts, host) => {
    const query = urlFor('other.example', additional).map(([name, value]): [string, string] => [
      name,
      name === 'x-oss-signature' ? 'x' : value,
    ]);
    const { code, elements } = refusal({ query, headers: { host } }, { publicHosts: hosts });
    expect(code).toBe('SignatureDoesNotMatch');
    expect(elements).not.toHaveProperty('Host');
    expect(elements).not.toHaveProperty('PublicHost');
  });
});
