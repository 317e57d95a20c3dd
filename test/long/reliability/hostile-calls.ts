import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { OPERATIONS } from '../../../src/iot/operations/registry.ts';
import { apiV1StringToSign, signApiV1 } from '../../../src/signatures/api-v1.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { percentEncode } from '../../../src/signatures/percent-encoding.ts';
import { ACCOUNT_KEY, BUCKET_KEY } from '../../support/built-gateway.ts';
import type { HostileRequest } from './hostile-forms.ts';
import { hostileTarget, hostileText, seldom } from './hostile-text.ts';

const ACTIONS = OPERATIONS.map(({ name }) => name);
const PARAMETERS = [
  ...new Set(OPERATIONS.flatMap(({ parameters }) => parameters.map(({ name }) => name))),
  ...['MultiFiles.1.Url', 'MultiFiles.1.Name', 'MultiFiles.2.Size', 'MultiFiles.99999999999.Url'],
  ...['IotInstanceId', 'RegionId', 'SecurityToken', 'MultiFiles'],
];

/** The required parameters of each operation, so that it checks the others. */
const USUAL: readonly (readonly [string, string])[] = [
  ['FirmwareName', 'fw'],
  ['DestVersion', '1.0'],
  ['FirmwareUrl', 'http://127.0.0.1/ota/recorded.bin'],
  ['FirmwareId', 'abcdefghijklmnopqrstuvwxyz'],
  ['CurrentPage', '1'],
  ['PageSize', '10'],
];

const URLS = [
  'http://127.0.0.1/ota/x.bin',
  'http://[::1/x',
  'file:///etc/passwd',
  '/ota/x',
  'http://h/%zz',
  `http://h/${'k'.repeat(3000)}`,
];

/** A correctly signed call with hostile content. */
export const signedCall: fc.Arbitrary<HostileRequest> = fc
  .record({
    action: seldom(12, hostileText, fc.constantFrom(...ACTIONS)),
    given: fc.uniqueArray(
      fc.tuple(
        seldom(9, hostileText, fc.constantFrom(...PARAMETERS)),
        fc.oneof({ weight: 4, arbitrary: hostileText }, fc.constantFrom(...URLS)),
      ),
      { maxLength: 4, selector: ([name]) => name },
    ),
    name: fc.integer({ min: 0, max: 1000 }),
    format: fc.constantFrom('JSON', 'XML', 'json', ''),
    nonce: seldom<string | undefined>(15, hostileText, fc.constant(undefined)),
    inBody: fc.boolean(),
    spoilt: fc.integer({ min: 0, max: 15 }),
  })
  .map(({ action, given, name, format, nonce, inBody, spoilt }) => {
    const parameters = new Map<string, string>([
      ...USUAL,
      ['FirmwareName', `fw-${String(name)}`],
      ['AccessKeyId', ACCOUNT_KEY.id],
      ['Action', action],
      ['Format', format],
      ['SignatureMethod', 'HMAC-SHA1'],
      // Nonces do not depend on the seed: the same call twice would be a replay.
      ['SignatureNonce', nonce ?? randomUUID()],
      ['SignatureVersion', '1.0'],
      ['Timestamp', new Date().toISOString().replace(/\.\d{3}/, '')],
      ['Version', '2018-01-20'],
      ...given,
    ]);
    const method = inBody ? 'POST' : 'GET';
    const signature = signApiV1(ACCOUNT_KEY.secret, apiV1StringToSign(method, parameters));
    parameters.set('Signature', spoilt === 0 ? 'wrong' : signature);
    const text = [...parameters]
      .map(([each, value]) => `${percentEncode(each)}=${percentEncode(value)}`)
      .join('&');
    const head = `Host: 127.0.0.1\r\nContent-Length: ${inBody ? String(text.length) : '0'}\r\n`;
    const request = inBody
      ? `POST / HTTP/1.1\r\n${head}Content-Type: application/x-www-form-urlencoded\r\n\r\n${text}`
      : `GET /?${text} HTTP/1.1\r\n${head}\r\n`;
    return { kind: 'a signed call', bytes: Buffer.from(request) };
  });

const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH', 'TRACE', 'PROPFIND'];
const HEADERS = [
  ...['Range', 'If-Match', 'If-None-Match', 'If-Modified-Since', 'Authorization', 'Origin'],
  ...[
    'Content-MD5',
    'Content-Type',
    'Transfer-Encoding',
    'Expect',
    'Upgrade',
    'Connection',
    'Date',
  ],
  ...['x-oss-date', 'x-oss-object-acl', 'x-oss-meta-a', 'x-oss-content-sha256', 'x-forwarded-host'],
  ...['Access-Control-Request-Method', 'X-Forwarded-Proto', 'x-oss-security-token', 'Cookie'],
];
const VALUES = [
  ...[
    'bytes=0-',
    'bytes=-1',
    'bytes=0-0,1-1',
    'bytes=9-1',
    'bytes=99999999999999999999-',
    '*',
    '"x"',
  ],
  ...[
    'chunked',
    'gzip, chunked',
    '100-continue',
    'websocket',
    'OSS a:b',
    'OSS4-HMAC-SHA256 Credential=',
  ],
  ...[
    'ACS3-HMAC-SHA256 Credential=testid,SignedHeaders=,Signature=',
    'Basic eDp5',
    'http://evil',
    'null',
  ],
];

const header = fc.tuple(
  fc.constantFrom(...HEADERS),
  fc.oneof(fc.constantFrom(...VALUES), hostileTarget),
);

const bucketKey = createBucketKey(BUCKET_KEY.id, BUCKET_KEY.secret);

/** A request for an object or another target, by any method; some are signed correctly. */
export const objectRequest: fc.Arbitrary<HostileRequest> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    path: fc.oneof(
      fc.constantFrom('ota/recorded.bin', 'ota/a.bin', 'iotx-ota/ota/recorded.bin'),
      hostileTarget,
      hostileTarget.map((text) => `iotx-ota/${text}`),
      hostileTarget.map((text) => `_gateway/${text}`),
      fc.constantFrom(
        '_gateway/health/ready',
        '_gateway/metrics',
        '_gateway/test/clock',
        '_gateway/',
      ),
    ),
    query: fc.array(fc.tuple(hostileTarget, hostileTarget), { maxLength: 3 }),
    signed: fc.boolean(),
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.oneof(fc.constant(''), hostileTarget),
  })
  .map(({ method, path, query, signed, headers, body }) => {
    const key = path.replace('iotx-ota/', '');
    const signature = signed ? [bucketKey.signDownload('iotx-ota', key, 4_000_000_000)] : [];
    const search = [...signature, ...query.map((pair) => pair.join('='))].join('&');
    const target = `/${path}${search === '' ? '' : `?${search}`}`;
    const lines = [
      `${method} ${target} HTTP/1.1`,
      'Host: 127.0.0.1',
      ...headers.map(([name, value]) => `${name}: ${value}`),
      `Content-Length: ${String(body.length)}`,
    ];
    return {
      kind: 'an object request',
      bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1'),
    };
  });
