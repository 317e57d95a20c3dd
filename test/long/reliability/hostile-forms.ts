import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { BUCKET_KEY } from '../../support/built-gateway.ts';
import { hostileJson, hostileText, seldom } from './hostile-text.ts';

/** A request with a description. */
export interface HostileRequest {
  readonly kind: string;
  readonly bytes: Buffer;
  /** The request that reads what it has stored, if any. */
  readonly readBack?: Buffer;
}

const BUCKET = 'iotx-ota';

/** Signs a policy as the gateway does, so that the gateway reads its errors. */
export function signPolicy(policy: string): string {
  return createHmac('sha1', BUCKET_KEY.secret).update(policy).digest('base64');
}

const someTimes = fc.constantFrom(
  '2099-01-01T00:00:00.000Z',
  '2020-01-01T00:00:00Z',
  '2099-02-30T00:00:00Z',
  '',
  'soon',
);

const condition: fc.Arbitrary<unknown> = fc.oneof(
  fc.constant({ bucket: BUCKET }),
  fc.tuple(
    fc.constantFrom('eq', 'starts-with', 'in', 'not-in', 'EQ', 'like'),
    hostileText,
    hostileJson,
  ),
  fc.tuple(fc.constant('content-length-range'), hostileJson, hostileJson),
  fc.constant(['content-length-range', 0, 1_048_576_000]),
  fc.constant(['starts-with', '$key', '']),
  fc.tuple(fc.constant('eq'), fc.constant('$key'), hostileText),
  hostileJson,
  fc.dictionary(hostileText, hostileJson, { maxKeys: 3 }),
);

const goodPolicy = fc.constant({
  expiration: '2099-01-01T00:00:00.000Z',
  conditions: [{ bucket: BUCKET }, ['content-length-range', 0, 1_048_576_000]],
});

const policyDocument: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 20, arbitrary: goodPolicy },
  {
    weight: 3,
    arbitrary: fc.record({
      expiration: someTimes,
      conditions: fc.array(condition, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ expiration: hostileJson, conditions: hostileJson }) },
  { weight: 1, arbitrary: hostileJson },
);

const policyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 18, arbitrary: policyDocument.map((json) => base64(JSON.stringify(json))) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => base64(Buffer.from(bytes))),
  },
  { weight: 1, arbitrary: hostileText },
);

function base64(text: string | Buffer): string {
  return Buffer.from(text).toString('base64');
}

const FIELDS = [
  'Content-Type',
  'Content-Disposition',
  'Cache-Control',
  'Content-Encoding',
  'Expires',
  'success_action_status',
  'success_action_redirect',
  'x-oss-object-acl',
  'x-oss-forbid-overwrite',
  'x-oss-meta-a',
  'x-oss-meta-',
  'x-oss-storage-class',
  'x-oss-server-side-encryption',
  'x-oss-security-token',
  'x-oss-signature-version',
  'x-oss-credential',
  'x-oss-date',
  'x-oss-signature',
  'callback',
  'x:var',
  'submit',
];

const callback = fc
  .record({
    // No server listens there.
    callbackUrl: fc.oneof(fc.constant('http://127.0.0.1:9/'), hostileText),
    callbackBody: hostileText,
    callbackHost: hostileText,
    callbackBodyType: fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'x'),
  })
  .map((settings) => base64(JSON.stringify(settings)));

/** Headers that are returned when the object is read. */
const REPLAYED = [
  'x-oss-meta-a',
  'Content-Type',
  'Content-Disposition',
  'Cache-Control',
  'Expires',
];

const extraField: fc.Arbitrary<[string, string]> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...FIELDS), hostileText) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...REPLAYED), hostileText) },
  seldom(4, fc.tuple(hostileText, hostileText), fc.tuple(fc.constant('note'), hostileText)),
  fc.tuple(fc.constant('callback'), callback),
  fc.tuple(
    fc.constant('success_action_redirect'),
    hostileText.map((text) => `http://h/${text}`),
  ),
);

/** The ways in which real clients write the headers of a part, and some others. */
const PART_STYLES: readonly ((name: string, isFile: boolean) => string)[] = [
  (name) => `Content-Disposition: form-data; name="${name}"`,
  (name) => `Content-Disposition: form-data; name="${name}"; filename="${name}"`,
  (name) => `content-disposition:form-data;name=${name}`,
  (name, isFile) =>
    `Content-Disposition: form-data; name="${name}"${isFile ? '; filename="a.bin"' : ''}\r\n` +
    'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary',
  (name) => `Content-Disposition: form-data; name="${name}"; filename*=UTF-8''%e2%82%ac%00..%2f`,
  (name) => `Content-Disposition: form-data; name="${name}"\r\nX-Flood: ${'f'.repeat(30_000)}`,
  (name) => `Content-Disposition: form-data; name="${name}"; name="key"`,
  (name) =>
    `Content-Type: text/plain\r\n\tfolded\r\nContent-Disposition: form-data; name="${name}"`,
];

const BOUNDARIES = ['b', 'x'.repeat(70), 'x'.repeat(71), '--', "a'()+_,-./:=?", 'a b', ''];

/** A form with hostile content, which usually has correct syntax and signature. */
export const signedForm: fc.Arbitrary<HostileRequest> = fc
  .record({
    key: seldom(
      3,
      hostileText,
      fc.integer({ min: 0, max: 200 }).map((n) => `ota/${String(n)}.bin`),
    ),
    policy: policyText,
    signature: seldom<string | undefined>(12, hostileText, fc.constant(undefined)),
    extra: fc.uniqueArray(extraField, { maxLength: 3, selector: ([name]) => name.toLowerCase() }),
    file: fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom(Buffer.alloc(70_000, '\r\n--b'), Buffer.from('\r\n--b\r\n--b--\r\n--')),
    ),
    style: seldom(3, fc.constantFrom(...PART_STYLES), fc.constantFrom(...PART_STYLES.slice(0, 5))),
    boundary: seldom(15, fc.constantFrom(...BOUNDARIES), fc.constant('b')),
    trailers: seldom(
      8,
      fc.array(extraField, { maxLength: 2 }),
      fc.constant<[string, string][]>([]),
    ),
  })
  .map(({ key, policy, signature, extra, file, style, boundary, trailers }) => {
    const signed: [string, string][] = [
      ['key', key],
      ['policy', policy],
      ['OSSAccessKeyId', BUCKET_KEY.id],
      ['Signature', signature ?? signPolicy(policy)],
      ...extra,
    ];
    const part = ([name, value]: [string, string]): Buffer =>
      Buffer.from(`--${boundary}\r\n${style(name, false)}\r\n\r\n${value}\r\n`);
    const body = Buffer.concat([
      ...signed.map(part),
      Buffer.from(`--${boundary}\r\n${style('file', true)}\r\n\r\n`),
      file,
      Buffer.from('\r\n'),
      ...trailers.map(part),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
    return { kind: 'a signed form', bytes: formRequest(boundary, body), readBack: readBack(key) };
  });

const bucketKey = createBucketKey(BUCKET_KEY.id, BUCKET_KEY.secret);

function readBack(key: string): Buffer {
  const query = bucketKey.signDownload(BUCKET, key, 4_000_000_000);
  return Buffer.from(
    `GET /${encodeURIComponent(key)}?${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
  );
}

/** A request that posts a body with the correct length. */
export function formRequest(boundary: string, body: Buffer): Buffer {
  const head =
    `POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=${boundary}\r\n` +
    `Content-Length: ${String(body.length)}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}
