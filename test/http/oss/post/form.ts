import { createHash, createHmac } from 'node:crypto';
import { multipart } from '../../../unit/oss/post-object/multipart.ts';
import type { RawPart } from '../../../unit/oss/post-object/multipart.ts';

export const BUCKET = 'iotx-ota';
export const REGION = 'cn-shanghai';
export const BUCKET_KEY = { id: 'bucketid', secret: 'bucketsecret' };
/** The time of the tests, by both clocks. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const BOUNDARY = 'bOuNdArY';

const V4_DATE = '20260102T030405Z';

/** A form that a test can change before it is written. */
export interface Form {
  /** Fields before the file, in order. Missing fields of the signature are added when the form is written. */
  readonly fields: Map<string, string | Buffer>;
  policy: {
    expiration?: unknown;
    conditions?: unknown;
    [extra: string]: unknown;
  };
  sign: 'v1' | 'v4' | 'none';
  fileHeaders: string[];
  file: Buffer | string;
  /** Parts before the fields. */
  readonly before: RawPart[];
  /** Parts after the file. */
  readonly after: RawPart[];
  readonly requestHeaders: Record<string, string>;
  contentType: string;
  /** Changes the bytes of the complete body. */
  finish: (body: Buffer) => Buffer;
}

/** A valid form of version 1. Its policy has the bucket, the key and the size. */
export function validForm(): Form {
  return {
    fields: new Map([['key', 'dir/firmware.bin']]),
    policy: {
      expiration: '2026-01-02T03:05:05.000Z',
      conditions: [
        { bucket: BUCKET },
        ['eq', '$key', 'dir/firmware.bin'],
        ['content-length-range', 0, 1000],
      ],
    },
    sign: 'v1',
    fileHeaders: [
      'Content-Disposition: form-data; name="file"; filename="firmware.bin"',
      'Content-Type: application/octet-stream',
    ],
    file: 'firmware',
    before: [],
    after: [],
    requestHeaders: {},
    contentType: `multipart/form-data; boundary=${BOUNDARY}`,
    finish: (body) => body,
  };
}

/** The same form in version 4, with the conditions that its policy needs for the fields of the signature. */
export function validFormV4(): Form {
  const form = validForm();
  form.sign = 'v4';
  form.fields
    .set('x-oss-signature-version', 'OSS4-HMAC-SHA256')
    .set('x-oss-credential', `bucketid/20260102/${REGION}/oss/aliyun_v4_request`)
    .set('x-oss-date', V4_DATE);
  form.policy.conditions = [
    { bucket: BUCKET },
    ['eq', '$key', 'dir/firmware.bin'],
    { 'x-oss-signature-version': 'OSS4-HMAC-SHA256' },
    ['starts-with', '$x-oss-credential', ''],
    ['starts-with', '$x-oss-date', ''],
  ];
  return form;
}

/** Adds a condition to a form's policy. */
export function addCondition(form: Form, condition: unknown): void {
  if (!Array.isArray(form.policy.conditions)) throw new Error('the policy has no conditions');
  form.policy.conditions = [...form.policy.conditions, condition];
}

/** @returns the policy of a form in Base64 */
export function policyOf(form: Form): string {
  return Buffer.from(JSON.stringify(form.policy)).toString('base64');
}

export function signV1(policy: string, secret = BUCKET_KEY.secret): string {
  return createHmac('sha1', secret).update(policy).digest('base64');
}

/** Implemented here, so that the gateway is not tested with its own code. */
export function signV4(policy: string, date = '20260102', region = REGION): string {
  const hmac = (key: string | Buffer, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const key = [date, region, 'oss', 'aliyun_v4_request'].reduce<string | Buffer>(
    hmac,
    `aliyun_v4${BUCKET_KEY.secret}`,
  );
  return hmac(key, policy).toString('hex');
}

/** Writes a form. Signs it, except for fields of the signature that the test has set. */
export function writeForm(form: Form): { body: Buffer; headers: Record<string, string> } {
  const fields = new Map(form.fields);
  const set = (name: string, value: string): void => {
    const given = [...fields.keys()].some((key) => key.toLowerCase() === name.toLowerCase());
    if (!given) fields.set(name, value);
  };
  if (form.sign !== 'none') set('policy', policyOf(form));
  const policy = String(fields.get('policy'));
  if (form.sign === 'v1') {
    set('OSSAccessKeyId', BUCKET_KEY.id);
    set('Signature', signV1(policy));
  }
  if (form.sign === 'v4') set('x-oss-signature', signV4(policy));
  const parts: RawPart[] = [...fields].map(([name, value]) => ({
    headers: [`Content-Disposition: form-data; name="${name}"`],
    body: value,
  }));
  const body = form.finish(
    multipart(
      [...form.before, ...parts, { headers: form.fileHeaders, body: form.file }, ...form.after],
      BOUNDARY,
    ),
  );
  return { body, headers: { 'Content-Type': form.contentType, ...form.requestHeaders } };
}

export function md5Base64(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('base64');
}
