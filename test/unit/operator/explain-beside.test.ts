import { createHmac } from 'node:crypto';
import { explain } from '../../../src/operator/explain/explain.ts';
import { storyShape } from '../../../src/operator/shapes.ts';
import type { StoryShape } from '../../../src/operator/shapes.ts';
import type { RefusalRecord } from '../../../src/refusals/refusal-record.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';

const AT = Date.UTC(2024, 0, 1);
const SECRET = 'bucket-secret';
const bucketKey = createBucketKey('BUCKET9f2c', SECRET);
const context = {
  ...{ bucket: 'iotx-ota', policyTtl: 60_000, maxUpload: 1000 },
  keys: [
    {
      ...({ id: bucketKey.accessKeyId, kind: 'bucket', hmac: bucketKey.hmac } as const),
      signV4: bucketKey.signPostV4,
    },
  ],
};
const sha1 = (text: string, encoding: 'base64' | 'hex' = 'base64'): string =>
  createHmac('sha1', SECRET).update(text).digest(encoding);

function storyOf(facts: Partial<RefusalRecord>): StoryShape {
  const story = explain(
    {
      ...{ requestId: 'R1', at: AT, dialect: 'oss', operation: 'PostObject', repeats: 0 },
      ...{ code: 'SignatureDoesNotMatch', status: 403, reason: 'signature_mismatch' },
      ...{ message: 'Text.', evidence: {} },
      ...facts,
    },
    context,
  );
  expect(storyShape.parse(story)).toEqual(story);
  return story;
}

describe('beside the story of a wrong signature', () => {
  const policy = Buffer.from('{"expiration":"2024"}').toString('base64');

  it('stands what the client has signed instead, and the first difference', () => {
    const signature = sha1(`${policy}\n`);
    expect(storyOf({ evidence: { policy, signature } }).compare).toEqual({
      ...{ what: 'string to sign', client: `${policy}\n`, gateway: policy },
      firstDifference: policy.length,
    });
    const json = sha1('{"expiration":"2024"}');
    expect(storyOf({ evidence: { policy, signature: json } }).compare).toMatchObject({
      ...{ client: '{"expiration":"2024"}', firstDifference: 0 },
    });
  });

  it('stands the same text twice when only its signature was written in another way', () => {
    expect(storyOf({ evidence: { policy, signature: sha1(policy, 'hex') } }).compare).toEqual({
      ...{ what: 'string to sign', client: policy, gateway: policy },
    });
  });

  it('stands only the text of the gateway when no mistake is found, or its signature is gone', () => {
    const compare = { what: 'string to sign', gateway: policy };
    expect(storyOf({ evidence: { policy, signature: 'other' } }).compare).toEqual(compare);
    expect(storyOf({ evidence: { policy } }).compare).toEqual(compare);
  });

  it('stands no guess about a text that is not kept whole', () => {
    const cut = { policy, signature: sha1(`${policy}\n`), cut: ['policy'] };
    expect(storyOf({ evidence: cut }).compare).toEqual({ what: 'string to sign', gateway: policy });
  });

  it('stand no invisible characters, but line breaks', () => {
    const stringToSign = 'GET\n\n\nDate\u202e\n/b/o';
    expect(storyOf({ operation: 'GetObject', evidence: { stringToSign } }).compare).toEqual({
      ...{ what: 'string to sign', gateway: 'GET\n\n\nDate\\u202e\n/b/o' },
    });
  });

  it('stands nothing when the record has no text, or the request was refused for another reason', () => {
    expect(storyOf({})).not.toHaveProperty('compare');
    const other = storyOf({ reason: 'condition_failed', evidence: { policy } });
    expect(other).not.toHaveProperty('compare');
  });
});

describe('beside the story of a wrong time', () => {
  const clocksOf = (date?: string): StoryShape['clocks'] =>
    storyOf({ reason: 'clock_skew', evidence: { date } }).clocks;
  const gateway = '2024-01-01T00:00:00.000Z';

  it.each([
    ['Mon, 01 Jan 2024 00:20:00 GMT', '2024-01-01T00:20:00.000Z', 1_200_000],
    ['20231231T234000Z', '2023-12-31T23:40:00.000Z', -1_200_000],
  ])('stand both clocks for %s, and how far the client is ahead', (date, client, difference) => {
    expect(clocksOf(date)).toEqual({ client, gateway, difference });
  });

  it('stands a time that cannot be read as it was sent', () => {
    expect(clocksOf('soon\u202e')).toEqual({ client: 'soon\\u202e', gateway });
  });

  it('stands no clock when the client has sent no time', () => {
    expect(clocksOf()).toBeUndefined();
  });
});
