import { createHmac } from 'node:crypto';
import { explain } from '../../../src/operator/explain/explain.ts';
import { knownAccountKey } from '../../../src/operator/explain/known-mistakes.ts';
import type { KnownKey } from '../../../src/operator/explain/known-mistakes.ts';
import { storyShape } from '../../../src/operator/shapes.ts';
import { encodePolicy } from '../../../src/policy/policy-document.ts';
import { REFUSAL_REASONS } from '../../../src/refusals/refusal-reason.ts';
import { keptFields } from '../../../src/refusals/refusal-record.ts';
import type { RefusalRecord } from '../../../src/refusals/refusal-record.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';

const AT = Date.UTC(2024, 0, 1, 0, 1, 5);
const BUCKET_SECRET = 'bucket-secret';
const ACCOUNT_SECRET = 'account-secret';
const bucketKey = createBucketKey('BUCKET9f2c', BUCKET_SECRET);
const keys: KnownKey[] = [
  {
    ...{ id: bucketKey.accessKeyId, kind: 'bucket', hmac: bucketKey.hmac },
    signV4: bucketKey.signPostV4,
  },
  knownAccountKey({ id: 'ACCOUNT0001', secret: ACCOUNT_SECRET }),
];
const context = { bucket: 'iotx-ota', keys, policyTtl: 60_000, maxUpload: 1_048_576_000 };
const policy = encodePolicy({
  expiration: Date.UTC(2024, 0, 1, 0, 1),
  conditions: [
    { kind: 'eq', field: 'bucket', value: 'iotx-ota' },
    { kind: 'eq', field: 'key', value: 'ota/5915/a.bin' },
    { kind: 'content-length-range', min: 0, max: 1_048_576_000 },
  ],
});

function refusal(facts: Partial<RefusalRecord>): RefusalRecord {
  return {
    ...{ requestId: '0F87FFBB2E0A838FA174F1E5', at: AT, dialect: 'oss', operation: 'PostObject' },
    ...{ code: 'AccessDenied', status: 403, reason: 'condition_failed', message: 'Text.' },
    ...{ repeats: 0, evidence: {} },
    ...facts,
  };
}

function textOf(facts: Partial<RefusalRecord>): string {
  const { lines } = explain(refusal(facts), context);
  return lines
    .map(({ details = [], mark, text }) => [mark, text, ...details].join(' | '))
    .join('\n');
}

describe('the story of a refusal', () => {
  it.each(REFUSAL_REASONS)('says what to do when the reason is %s', (reason) => {
    const story = explain(refusal({ reason }), context);
    expect(storyShape.parse(story)).toEqual(story);
    expect(story.headline).toContain('PostObject was refused with 403 AccessDenied');
    expect(story.toPass.length).toBeGreaterThan(10);
  });

  it('shows each condition, and what was sent for the one that is not met', () => {
    const evidence = { policy, fields: { key: 'ota/5915/A.bin' } };
    expect(textOf({ evidence, announced: 52_428_800 })).toBe(
      [
        'info | Text.',
        'info | 1 of 3 conditions is not met:',
        'met | ["eq", "$bucket", "iotx-ota"]',
        'notMet | ["eq", "$key", "ota/5915/a.bin"] | sent key = "ota/5915/A.bin"; first difference at character 10: "A" instead of "a"',
        'info | ["content-length-range", 0, 1048576000] | the body has 52,428,800 bytes',
        'info | the request has announced 52,428,800 bytes',
        'info | fields before the file: key',
      ].join('\n'),
    );
  });

  it('does not judge a value that is not kept whole', () => {
    const fields = keptFields(new Map([['key', 'k'.repeat(1024)]]));
    const text = textOf({ evidence: { policy, ...fields } });
    expect(text).toContain('the value of key is not kept whole');
    expect(text).not.toContain('notMet');
  });

  it('names a field that a condition needs and that was not sent', () => {
    expect(textOf({ evidence: { policy, fields: {} } })).toContain('key was not sent');
  });

  it('says how long after its end a form arrived', () => {
    expect(textOf({ reason: 'policy_expired', evidence: { policy } })).toContain(
      'arrived 2024-01-01T00:01:05.000Z, 5.0 s after that',
    );
  });

  it('has a rule that would allow the preflight', () => {
    const evidence = { cors: { origin: 'https://a.example', method: 'POST' } };
    expect(textOf({ reason: 'cors', evidence })).toContain(
      '[{"allowedOrigins":["https://a.example"],"allowedMethods":["POST"],"allowedHeaders":[]}]',
    );
  });

  it('says that the key of an account was sent where that of the bucket is expected', () => {
    const text = textOf({ reason: 'unknown_access_key', accessKeyId: 'ACCOUNT0001' });
    expect(text).toContain('this is the key of an account; the key of the bucket is expected');
    expect(text).toContain('key of the bucket: ...9f2c');
  });
});

const sha1 = (secret: string, text: string): Buffer =>
  createHmac('sha1', secret).update(text).digest();

/** Base64 with the characters that are percent-encoded. */
const form = Buffer.from(`{"a":"${'b?>'.repeat(31)}"}`).toString('base64');

describe('a known mistake', () => {
  const right = sha1(BUCKET_SECRET, form);
  it.each([
    [sha1(ACCOUNT_SECRET, form).toString('base64'), 'secret of account key ...0001, where'],
    [right.toString('hex'), 'in hexadecimal instead of Base64'],
    [sha1(BUCKET_SECRET, `${form}\n`).toString('base64'), 'line break at its end'],
    [
      sha1(BUCKET_SECRET, Buffer.from(form, 'base64').toString()).toString('base64'),
      'of the JSON instead of its Base64',
    ],
    [sha1(BUCKET_SECRET, encodeURIComponent(form)).toString('base64'), 'percent-encoded'],
    [sha1(`${BUCKET_SECRET}&`, form).toString('base64'), 'with an "&" after the secret'],
    [sha1(`${BUCKET_SECRET} `, form).toString('base64'), 'with a space after the secret'],
    [
      createHmac('sha256', BUCKET_SECRET).update(form).digest('base64'),
      'with SHA-256 instead of SHA-1',
    ],
    ['nothing like it', 'none of the known mistakes'],
  ])('of a form is found: %s', (signature, expected) => {
    const evidence = { signature, stringToSign: form };
    expect(textOf({ reason: 'signature_mismatch', evidence })).toContain(expected);
  });

  it('of a call is found: the missing "&"', () => {
    const signature = sha1(ACCOUNT_SECRET, 'GET&%2F&').toString('base64');
    const evidence = { signature, stringToSign: 'GET&%2F&' };
    const text = textOf({ dialect: 'iot', reason: 'signature_mismatch', evidence });
    expect(text).toContain('without the "&" after the secret');
  });

  it.each([
    [ACCOUNT_SECRET, 'hex', /secret of account key \.\.\.0001\./],
    [`${ACCOUNT_SECRET}&`, 'hex', /with an "&" after the secret\./],
    [ACCOUNT_SECRET, 'base64', /in Base64 instead of hexadecimal\./],
  ] as const)('of a call of signature V3 is found: %s in %s', (secret, encoding, expected) => {
    const stringToSign = 'ACS3-HMAC-SHA256\n0123';
    const signature = createHmac('sha256', secret).update(stringToSign).digest(encoding);
    const evidence = { signature, stringToSign };
    const text = textOf({ dialect: 'iot', reason: 'signature_mismatch', evidence });
    expect(text).toMatch(expected);
    expect(text).not.toContain('instead of SHA-1');
  });
});
