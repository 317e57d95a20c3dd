import fc from 'fast-check';
import { equalInConstantTime } from '../../../src/signatures/constant-time.ts';
import { signPostV1, signPostV4 } from '../../../src/signatures/post.ts';
import { aliOss } from '../../support/ali-oss.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const JAVA_SDK_SECRET = 'B'.repeat(30);
const SCOPE = { date: '20240102', region: 'cn-hangzhou' };

const policies = fc.base64String({ minLength: 4, maxLength: 400 });
const secrets = fc.string({ minLength: 1 });

/** A position in a text of any length, and another character for it. */
const change = fc.record({ position: fc.nat(), by: fc.integer({ min: 1, max: 127 }) });

function changed(text: string, { position, by }: { position: number; by: number }): string {
  const at = position % text.length;
  const code = (text.charCodeAt(at) + by) % 128;
  return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
}

describe('signPostV1', () => {
  it.each([
    [
      'the Java SDK, eq and starts-with',
      JAVA_SDK_SECRET,
      'eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiZ2VuLXBvc3QtcG9saWN5In0sWyJlcSIsIiRrZXkiLCJ1c2VyXC9lcmljXC9cXCR7ZmlsZW5hbWV9Il0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1bW15X2V0YWciXSxbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwxLDEwMjRdXX0=',
      '9fs2TRS2W2k5hV8mLsvqZBnlC2M=',
    ],
    [
      'the Java SDK, in and not-in',
      JAVA_SDK_SECRET,
      base64(
        String.raw`{"expiration":"2020-03-19T03:44:06.476Z","conditions":[{"bucket":"gen-post-policy"},["starts-with","$key","user\/eric"],["starts-with","$x-oss-meta-tag","dummy_etag"],["content-length-range",1,1024],["in","$content-type",["image\/jpg","image\/png"]],["not-in","$cache-control",["no-cache"]]]}`,
      ),
      '/yrk/7alTmdIh9a3YOkkIcKYlbA=',
    ],
    [
      'an upload to a folder',
      'sk',
      base64(
        '{"expiration":"2024-01-02T04:04:05.000Z","conditions":[{"bucket":"examplebucket"},["starts-with","$key","firmware/"],["content-length-range",1,1024]]}',
      ),
      'qSIGIJB6MxUCKZAWcrq5IgrqpZ4=',
    ],
    [
      "the platform's own shape",
      'testsecret',
      'eyJleHBpcmF0aW9uIjoiMjAxOS0xMS0wNFQwNjoyMjo1NC42MDdaIiwiY29uZGl0aW9ucyI6W1siY29udGVudC1sZW5ndGgtcmFuZ2UiLDAsMTA0ODU3NjAwMF0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJvdGEvIl1dfQ==',
      'STPJcoEy8P6xnJB/8rUN7poVpuk=',
    ],
  ])('reproduces %s', (_what, secret, policy, signature) => {
    expect(signPostV1(secret, policy)).toBe(signature);
  });

  it('agrees with calculatePostSignature of ali-oss', () => {
    fc.assert(
      fc.property(
        fc.object(),
        fc.stringMatching(/^[A-Za-z0-9]{1,40}$/),
        (policy, accessKeySecret) => {
          const client = aliOss({
            accessKeyId: 'ak',
            accessKeySecret,
            bucket: 'bucket',
            region: 'oss-cn-hangzhou',
          });
          const signed = client.calculatePostSignature(policy);
          expect(signPostV1(accessKeySecret, signed.policy)).toBe(signed.Signature);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('signPostV4', () => {
  it('reproduces a computed vector', () => {
    const policy = base64(
      '{"expiration":"2024-01-02T04:04:05.000Z","conditions":[{"bucket":"examplebucket"},{"x-oss-signature-version":"OSS4-HMAC-SHA256"},{"x-oss-credential":"ak/20240102/cn-hangzhou/oss/aliyun_v4_request"},{"x-oss-date":"20240102T030405Z"},["starts-with","$key","firmware/"],["content-length-range",1,1024]]}',
    );
    expect(signPostV4('sk', SCOPE, policy)).toBe(
      'ebf9ffdffb1c122cfb0a2b324032ff3516e875ad3f03fd234b0ac13fcaa9c205',
    );
  });

  it('agrees with signPostObjectPolicyV4 of ali-oss', () => {
    const options = { accessKeyId: 'ak', accessKeySecret: 'sk', bucket: 'bucket' };
    const client = aliOss({ ...options, region: 'oss-cn-hangzhou' });
    const days = fc.integer({ min: 0, max: 40_000 });
    fc.assert(
      fc.property(fc.object(), days, (policy, day) => {
        const time = new Date(day * 86_400_000);
        const date = time.toISOString().slice(0, 10).replaceAll('-', '');
        const expected = client.signPostObjectPolicyV4(policy, time);
        const text = base64(JSON.stringify(policy));
        expect(signPostV4('sk', { date, region: 'cn-hangzhou' }, text)).toBe(expected);
      }),
    );
  });

  it('depends on day and region', () => {
    const signatures = [
      signPostV4('sk', SCOPE, 'e30='),
      signPostV4('sk', { ...SCOPE, date: '20240103' }, 'e30='),
      signPostV4('sk', { ...SCOPE, region: 'cn-shanghai' }, 'e30='),
      signPostV4('sk2', SCOPE, 'e30='),
    ];
    expect(new Set(signatures).size).toBe(4);
  });
});

describe.each([
  ['V1', (secret: string, policy: string): string => signPostV1(secret, policy)],
  ['V4', (secret: string, policy: string): string => signPostV4(secret, SCOPE, policy)],
])('a form signed with %s', (_version, sign) => {
  it('is accepted unchanged, and refused with any byte of policy or signature changed', () => {
    fc.assert(
      fc.property(secrets, policies, change, (secret, policy, by) => {
        const signature = sign(secret, policy);
        const accepted = (givenPolicy: string, givenSignature: string): boolean =>
          equalInConstantTime(sign(secret, givenPolicy), givenSignature);
        expect(accepted(policy, signature)).toBe(true);
        expect(accepted(changed(policy, by), signature)).toBe(false);
        expect(accepted(policy, changed(signature, by))).toBe(false);
      }),
    );
  });
});
