import fc from 'fast-check';
import { findFailedCondition, sizeRange } from '../../../src/policy/conditions.ts';
import { encodePolicy, parsePolicy } from '../../../src/policy/policy-document.ts';
import { uploadPolicy } from '../../../src/policy/upload-policy.ts';

const OPTIONS = {
  bucket: 'iotx-ota',
  key: 'ota/377754e42556b94217f4b5ed0182738d/ckljbc70k0001268jjf7z3icu.bin',
  expiration: Date.UTC(2019, 10, 4, 6, 22, 54, 607),
  maxBytes: 1_048_576_000,
};

describe('uploadPolicy', () => {
  it('allows this bucket, exactly this key, and files up to the limit', () => {
    const text = Buffer.from(encodePolicy(uploadPolicy(OPTIONS)), 'base64').toString('utf8');
    expect(text).toBe(
      '{"expiration":"2019-11-04T06:22:54.607Z","conditions":[{"bucket":"iotx-ota"},["eq","$key","ota/377754e42556b94217f4b5ed0182738d/ckljbc70k0001268jjf7z3icu.bin"],["content-length-range",0,1048576000]]}',
    );
  });

  it('is met by the form that it was made for, and not by another key or bucket', () => {
    const { conditions } = uploadPolicy(OPTIONS);
    const failed = (bucket: string, key: string): unknown =>
      findFailedCondition(conditions, {
        bucket,
        fields: new Map([['key', key]]),
        contentType: undefined,
      });
    expect(failed(OPTIONS.bucket, OPTIONS.key)).toBeUndefined();
    expect(failed(OPTIONS.bucket, `${OPTIONS.key}x`)).toEqual(conditions[1]);
    expect(failed('other', OPTIONS.key)).toEqual(conditions[0]);
    expect(sizeRange(conditions)).toEqual({ min: 0, max: 1_048_576_000 });
  });

  it('is the same after encoding and parsing', () => {
    const options = fc.record({
      bucket: fc.string(),
      key: fc.string({ unit: 'binary' }),
      expiration: fc.integer({ min: 0, max: Date.UTC(9999, 0, 1) }),
      maxBytes: fc.maxSafeNat(),
    });
    fc.assert(
      fc.property(options, (given) => {
        const document = uploadPolicy(given);
        expect(parsePolicy(encodePolicy(document))).toEqual({ kind: 'parsed', document });
      }),
    );
  });
});
