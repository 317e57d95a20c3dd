import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { OssError } from '../../../../src/oss/errors.ts';
import { checkForm } from '../../../../src/oss/post-object/check-form.ts';
import type { FormRules } from '../../../../src/oss/post-object/check-form.ts';
import { createBucketKey } from '../../../../src/signatures/bucket-key.ts';

const NOW = Date.UTC(2024, 0, 2, 3, 4, 5);

function rulesWith(
  accessKeyId: string,
  secret: string,
  change: Partial<FormRules> = {},
): FormRules {
  return {
    bucket: 'examplebucket',
    bucketKey: createBucketKey(accessKeyId, secret),
    region: 'cn-hangzhou',
    now: NOW,
    wallNow: NOW,
    unsignedCallbacks: false,
    ...change,
  };
}

function formOf(fields: Readonly<Record<string, string>>, filename?: string) {
  const entries = Object.entries(fields).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  async function* none(): AsyncGenerator<Buffer, void, undefined> {
    // The file is not read.
  }
  const file = { filename, contentType: '', announcedSize: undefined, bytes: none() };
  return { fields: new Map(entries), file };
}

/** @returns the code of the refusal */
function refusal(fields: Readonly<Record<string, string>>, rules: FormRules): string | undefined {
  try {
    checkForm(formOf(fields), rules);
    return undefined;
  } catch (error) {
    if (error instanceof OssError) return error.code;
    throw error;
  }
}

const POLICY_V1 =
  '{"expiration":"2024-01-02T04:04:05.000Z","conditions":[{"bucket":"examplebucket"},["starts-with","$key","firmware/"],["content-length-range",1,1024]]}';
const POLICY_V4 =
  '{"expiration":"2024-01-02T04:04:05.000Z","conditions":[{"bucket":"examplebucket"},{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"ak/20240102/cn-hangzhou/oss/aliyun_v4_request"},{"x-oss-date":"20240102T030405Z"},["starts-with","$key","firmware/"],["content-length-range",1,1024]]}';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const FORM_V1 = {
  key: 'firmware/v1.bin',
  OSSAccessKeyId: 'ak',
  policy: base64(POLICY_V1),
  Signature: 'qSIGIJB6MxUCKZAWcrq5IgrqpZ4=',
};
const FORM_V4 = {
  key: 'firmware/v1.bin',
  'x-oss-signature-version': 'OSS4-HMAC-SHA256',
  'x-oss-credential': 'ak/20240102/cn-hangzhou/oss/aliyun_v4_request',
  'x-oss-date': '20240102T030405Z',
  policy: base64(POLICY_V4),
  'x-oss-signature': 'ebf9ffdffb1c122cfb0a2b324032ff3516e875ad3f03fd234b0ac13fcaa9c205',
};
const RULES = rulesWith('ak', 'sk');

describe('checkForm', () => {
  it.each([
    ['1', FORM_V1],
    ['4', FORM_V4],
  ])('accepts the vector of version %s', (_, fields) => {
    expect(checkForm(formOf(fields), RULES)).toEqual({
      key: 'firmware/v1.bin',
      contentType: undefined,
      size: { min: 1, max: 1024 },
    });
  });

  it("accepts the first vector of the Java SDK's post policy test, and fills in the file name", () => {
    const policy =
      'eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiZ2VuLXBvc3QtcG9saWN5In0sWyJlcSIsIiRrZXkiLCJ1c2VyXC9lcmljXC9cXCR7ZmlsZW5hbWV9Il0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1bW15X2V0YWciXSxbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwxLDEwMjRdXX0=';
    const fields = {
      key: 'user/eric/${filename}',
      'x-oss-meta-tag': 'dummy_etag_xxx',
      OSSAccessKeyId: 'ak',
      policy,
      Signature: '9fs2TRS2W2k5hV8mLsvqZBnlC2M=',
    };
    const rules = rulesWith('ak', 'B'.repeat(30), {
      bucket: 'gen-post-policy',
      now: Date.UTC(2020, 2, 19, 3, 44, 6, 475),
    });
    expect(checkForm(formOf(fields, 'a.png'), rules).key).toBe('user/eric/a.png');
    expect(refusal(fields, { ...rules, now: Date.UTC(2020, 2, 19, 3, 44, 6, 476) })).toBe(
      'AccessDenied',
    );
  });

  it.each([
    ['1', FORM_V1, 'signature'],
    ['4', FORM_V4, 'x-oss-signature'],
  ])(
    'refuses a form of version %s when any letter of its policy or signature is changed',
    (_, fields, signature) => {
      for (const name of ['policy', signature]) {
        const field = Object.entries(fields).find(([key]) => key.toLowerCase() === name);
        const [key = '', value = ''] = field ?? [];
        for (let at = 0; at < value.length; at += 1) {
          const changed = `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`;
          expect(refusal({ ...fields, [key]: changed }, RULES)).toBe('SignatureDoesNotMatch');
          expect(refusal({ ...fields, [key]: value.slice(0, at) }, RULES)).toBe(
            at === 0 ? 'InvalidArgument' : 'SignatureDoesNotMatch',
          );
        }
      }
    },
  );

  it('does not parse a policy with a wrong signature', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, unit: 'binary' }),
        fc.string({ minLength: 1 }),
        (policy, Signature) => {
          expect(refusal({ ...FORM_V1, policy, Signature }, RULES)).toBe('SignatureDoesNotMatch');
        },
      ),
    );
  });

  it('refuses a signed text that is not a policy', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1 }), fc.json().map(base64)), (policy) => {
        const Signature = createHmac('sha1', 'sk').update(policy).digest('base64');
        expect(refusal({ ...FORM_V1, policy, Signature }, RULES)).toBe('InvalidPolicyDocument');
      }),
    );
  });

  const DAY = 24 * 60 * 60_000;
  it.each([
    ['both clocks', 0, 0, undefined],
    ["the gateway's clock", 0, 400 * DAY, undefined],
    ['the wall clock', -400 * DAY, 0, undefined],
    ['neither clock: it is ahead of both', -15 * 60_000 - 1, -DAY, 'RequestTimeTooSkewed'],
    ["the gateway's clock: it is exactly 15 minutes ahead", -15 * 60_000, -DAY, undefined],
    [
      'neither clock: it is ahead of one, and older than 7 days by the other',
      -DAY,
      7 * DAY + 1,
      'RequestTimeTooSkewed',
    ],
    ['the wall clock: it is exactly 7 days old', -DAY, 7 * DAY, undefined],
  ])('checks a date of version 4 that is fresh by %s', (_, now, wall, code) => {
    expect(refusal(FORM_V4, { ...RULES, now: NOW + now, wallNow: NOW + wall })).toBe(code);
  });

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['the key before the signature', { key: '/', Signature: '' }, 'InvalidObjectName'],
    ['a missing key before a missing signature', { Signature: '' }, 'InvalidArgument'],
    [
      'an incomplete signature before an unknown access key',
      { key: 'k', OSSAccessKeyId: 'x', Signature: '' },
      'InvalidArgument',
    ],
    [
      'an unknown access key before a wrong signature',
      { key: 'k', OSSAccessKeyId: 'x' },
      'InvalidAccessKeyId',
    ],
    [
      'a wrong signature before an invalid policy',
      { key: 'k', policy: '!' },
      'SignatureDoesNotMatch',
    ],
  ])('refuses %s', (_, change, code) => {
    const { OSSAccessKeyId, policy, Signature } = FORM_V1;
    expect(refusal({ OSSAccessKeyId, policy, Signature, ...change }, RULES)).toBe(code);
  });
});
