import { createRefusal, keptFields } from '../../src/refusals/refusal-record.ts';
import type { Evidence } from '../../src/refusals/refusal-record.ts';

const REQUEST = {
  requestId: 'R',
  at: 0,
  dialect: 'oss',
  operation: 'PostObject',
  code: 'AccessDenied',
  reason: 'condition_failed',
  account: undefined,
  peer: undefined,
  traceId: undefined,
  keys: [],
} as const;

const evidenceOf = (evidence: Evidence): Evidence =>
  createRefusal(REQUEST, { headers: {}, status: 403, message: 'text', evidence }).evidence;

const encode = (text: string): string => Buffer.from(text).toString('base64');

describe('the record of a refusal', () => {
  it('has a bound, whatever was sent', () => {
    const long = '\u0001'.repeat(1_000_000);
    const fields = keptFields(
      new Map(Array.from({ length: 100 }, (_, n) => [`${String(n)}${long}`, long])),
    );
    const cors = { origin: long, method: long, headers: long };
    const evidence = { policy: `${long}1`, stringToSign: `${long}2`, fields, cors, date: long };
    const kept = createRefusal(REQUEST, {
      ...{ headers: { 'user-agent': long }, status: 403, ec: 'ec', message: long },
      ...{ accessKeyId: long, evidence: { ...evidence, fileName: long, fileType: long } },
    });
    expect(JSON.stringify(kept).length).toBeLessThan(40 * 1024);
  });

  it('has no policy that has the token of a temporary key', () => {
    const policy = encode('{"conditions":[{"x-oss-security-token":"secret-token"}]}');
    const kept = evidenceOf({ policy, stringToSign: policy });
    expect(kept).toMatchObject({ policy: undefined, stringToSign: undefined });
  });

  it('has the text to sign of a form only once', () => {
    const policy = encode('{"conditions":[]}');
    expect(evidenceOf({ policy, stringToSign: policy })).toMatchObject({
      policy,
      stringToSign: undefined,
    });
  });

  it.each([
    'GET\n\n\n1\n/iotx-ota/a?security-token=TOKEN',
    'PUT\n\n\n1\nx-oss-security-token:TOKEN\n/iotx-ota/a',
    'GET&%2F&Action%3DX%26SecurityToken%3DTOKEN%26Version%3D1',
  ])('has the text to sign without a token: %j', (stringToSign) => {
    expect(evidenceOf({ stringToSign }).stringToSign).toBe(stringToSign.replace('TOKEN', '...'));
  });
});
