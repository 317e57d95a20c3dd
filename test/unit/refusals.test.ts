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
    const evidence = { policy: `${long}1`, stringToSign: `${long}2`, ...fields, cors, date: long };
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

  it('has no U+0000 in its operation and its key, by which it is found', () => {
    const request = { ...REQUEST, operation: 'Get\0', keys: ['a\0b'] };
    const facts = { headers: {}, status: 400, message: 'text', evidence: {} };
    const { key, operation } = createRefusal(request, facts);
    expect([operation, key]).toEqual(['Get\u{fffd}', 'a\u{fffd}b']);
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

  it.each([
    'iotx-ota.127.0.0.1:9472/ota/a.bin?Expires=1&OSSAccessKeyId=LTAI&Signature=RIGHT',
    ' "http://h/a.bin?Expires=1&OSSAccessKeyId=LTAI&Signature=RIGHT',
    '//host/x?Signature=RIGHT',
    'see http://h/x?Signature=RIGHT',
    'http://h/x%3FExpires%3D1%26Signature%3DRIGHT',
    'http%3A%2F%2Fh%2Fx%3FSignature%3DRIGHT',
    'http%253A%252F%252Fh%252Fx%253Fsignature%253DRIGHT',
    'http://h/x?x-oss-credential=LTAI%2F20240101&x-oss-signature=RIGHT',
    'X-OSS-SIGNATURE=RIGHT',
    'x-oss-security-token=RIGHT',
    'x%2Doss%2Dsignature%3dRIGHT',
    'SecurityToken%3DRIGHT',
    'Expires=1&SIGNATURE=RIGHT',
    'Signature: RIGHT',
    '{"Key":"a","Signature":"RIGHT"}',
    '{"Signature"%3A "RIGHT"}',
    `${'a'.repeat(195)}&Signature=RIGHT`,
  ])('has nothing of a signature that stands in a text: %j', (text) => {
    const fields = keptFields(new Map(['key', 'firmwareurl', text].map((name) => [name, text])));
    const details = { ArgumentName: 'x-oss-meta-a', ArgumentValue: text, Key: text };
    const cors = { origin: text, method: text, headers: text };
    const names = { date: text, fileName: text, fileType: text };
    const request = { ...REQUEST, operation: text, keys: [text], peer: '192.0.2.1' };
    const kept = createRefusal(request, {
      ...{ headers: { 'user-agent': text }, status: 403, message: `The value ${text} is wrong.` },
      accessKeyId: text,
      evidence: { ...fields, details, cors, ...names, stringToSign: `GET\n\n${text}\n&a=b` },
    });
    expect(JSON.stringify(kept)).not.toMatch(/RIGHT/);
    expect(kept.evidence.stringToSign).toMatch(/a=b$/);
    const policy = encode(JSON.stringify({ conditions: [['eq', '$a', text]] }));
    expect(evidenceOf({ policy }).policy).toBeUndefined();
  });

  it('has a signature only when it is wrong', () => {
    const facts = { headers: {}, status: 403, message: '', evidence: { signature: 'sent' } };
    const kept = (reason: 'signature_mismatch' | 'ordered_fault') =>
      createRefusal({ ...REQUEST, reason }, facts).evidence.signature;
    expect(kept('signature_mismatch')).toBe('sent');
    expect(kept('ordered_fault')).toBeUndefined();
  });

  it('has ordinary texts as they were sent', () => {
    const texts = { key: 'ota/a?b.bin', firmwarename: 'a pump', 'x-oss-meta-a': 'signature' };
    expect(keptFields(new Map(Object.entries(texts)))).toEqual({ fields: texts });
  });
});
