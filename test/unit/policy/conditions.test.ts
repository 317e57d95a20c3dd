import {
  findFailedCondition,
  formatCondition,
  sizeRange,
  findUncoveredFields,
} from '../../../src/policy/conditions.ts';
import type { Condition, PolicySubject } from '../../../src/policy/conditions.ts';

const subject: PolicySubject = {
  bucket: 'staging',
  contentType: 'image/jpg',
  fields: new Map([
    ['key', 'user/eric/${filename}'],
    ['empty', ''],
    ['cache-control', 'no-store'],
    ['bucket', 'field-bucket'],
    ['content-type', 'field/type'],
  ]),
};

describe('findFailedCondition', () => {
  it.each<[string, Condition]>([
    ['an exact value', { kind: 'eq', field: 'cache-control', value: 'no-store' }],
    ['an exact empty value', { kind: 'eq', field: 'empty', value: '' }],
    ['the unexpanded key', { kind: 'eq', field: 'key', value: 'user/eric/${filename}' }],
    ['\\$ for $', { kind: 'eq', field: 'key', value: 'user/eric/\\${filename}' }],
    ['a prefix', { kind: 'starts-with', field: 'key', value: 'user/eric/' }],
    ['\\$ in a prefix', { kind: 'starts-with', field: 'key', value: 'user/eric/\\${' }],
    ['an empty prefix', { kind: 'starts-with', field: 'empty', value: '' }],
    ['a member', { kind: 'in', field: 'cache-control', values: ['no-cache', 'no-store'] }],
    ['\\$ in a member', { kind: 'in', field: 'key', values: ['user/eric/\\${filename}'] }],
    ['no member', { kind: 'not-in', field: 'cache-control', values: ['no-cache'] }],
    ['no member of nothing', { kind: 'not-in', field: 'cache-control', values: [] }],
    ['the bucket of the request', { kind: 'eq', field: 'bucket', value: 'staging' }],
    ['the effective type', { kind: 'in', field: 'content-type', values: ['image/jpg'] }],
    ['any size, which is checked elsewhere', { kind: 'content-length-range', min: 5, max: 5 }],
  ])('returns undefined for %s', (_what, condition) => {
    expect(findFailedCondition([condition], subject)).toBeUndefined();
  });

  it.each<[string, Condition]>([
    ['another value', { kind: 'eq', field: 'cache-control', value: 'no-cache' }],
    ['a value in another case', { kind: 'eq', field: 'cache-control', value: 'No-Store' }],
    ['a longer value', { kind: 'eq', field: 'key', value: 'user/eric/' }],
    ['a prefix in another case', { kind: 'starts-with', field: 'key', value: 'User/' }],
    ['another prefix', { kind: 'starts-with', field: 'key', value: 'eric' }],
    ['no member', { kind: 'in', field: 'cache-control', values: ['no-cache'] }],
    ['a member of nothing', { kind: 'in', field: 'cache-control', values: [] }],
    ['a forbidden member', { kind: 'not-in', field: 'cache-control', values: ['a', 'no-store'] }],
    [
      '\\$ in a forbidden member',
      { kind: 'not-in', field: 'key', values: ['user/eric/\\${filename}'] },
    ],
    ['an absent field', { kind: 'eq', field: 'x-oss-date', value: '' }],
    ['an empty prefix of an absent field', { kind: 'starts-with', field: 'absent', value: '' }],
    ['not-in of an absent field', { kind: 'not-in', field: 'absent', values: ['x'] }],
    ['a name of Object.prototype', { kind: 'starts-with', field: 'constructor', value: '' }],
    ['another bucket', { kind: 'eq', field: 'bucket', value: 'other' }],
    ['a form field named bucket', { kind: 'eq', field: 'bucket', value: 'field-bucket' }],
    ['a wildcard bucket', { kind: 'eq', field: 'bucket', value: '*' }],
    ['an empty bucket', { kind: 'eq', field: 'bucket', value: '' }],
    [
      'the field where another type is in effect',
      { kind: 'eq', field: 'content-type', value: 'field/type' },
    ],
  ])('finds %s', (_what, condition) => {
    expect(findFailedCondition([condition], subject)).toBe(condition);
  });

  it('requires all conditions on a field, and returns the first one that is not met', () => {
    const met: Condition = { kind: 'starts-with', field: 'key', value: 'user/' };
    const unmet: Condition = { kind: 'eq', field: 'key', value: 'user/eric/x' };
    const alsoUnmet: Condition = { kind: 'eq', field: 'bucket', value: 'other' };
    expect(findFailedCondition([met, unmet, alsoUnmet], subject)).toBe(unmet);
  });

  it('finds a condition on the type when the form has none', () => {
    const condition: Condition = { kind: 'not-in', field: 'content-type', values: ['a/b'] };
    expect(findFailedCondition([condition], { ...subject, contentType: undefined })).toBe(
      condition,
    );
  });
});

describe('formatCondition', () => {
  it.each<[string, Condition]>([
    [
      '["starts-with", "$key", "user/eric/"]',
      { kind: 'starts-with', field: 'key', value: 'user/eric/' },
    ],
    ['["eq", "$bucket", "x"]', { kind: 'eq', field: 'bucket', value: 'x' }],
    [
      '["eq", "$success_action_status", "200"]',
      { kind: 'eq', field: 'success_action_status', value: '200' },
    ],
    [
      '["in", "$content-type", ["image/jpg", "image/png"]]',
      { kind: 'in', field: 'content-type', values: ['image/jpg', 'image/png'] },
    ],
    [
      '["not-in", "$cache-control", ["no-cache"]]',
      { kind: 'not-in', field: 'cache-control', values: ['no-cache'] },
    ],
    ['["content-length-range", 1, 10]', { kind: 'content-length-range', min: 1, max: 10 }],
    ['["eq", "$key", "a\\"b\\u0000"]', { kind: 'eq', field: 'key', value: 'a"b\0' }],
  ])('prints %s', (text, condition) => {
    expect(formatCondition(condition)).toBe(text);
  });
});

describe('sizeRange', () => {
  const range = (min: number, max: number): Condition => ({
    kind: 'content-length-range',
    min,
    max,
  });
  const other: Condition = { kind: 'eq', field: 'key', value: 'k' };

  it.each([
    ['no condition', [], { min: 0, max: undefined }],
    ['no range', [other], { min: 0, max: undefined }],
    ['one range', [other, range(1, 10)], { min: 1, max: 10 }],
    ['a range of zero', [range(0, 0)], { min: 0, max: 0 }],
    ['overlapping ranges', [range(1, 10), range(5, 20)], { min: 5, max: 10 }],
    ['nested ranges', [range(5, 6), other, range(1, 10)], { min: 5, max: 6 }],
    ['disjoint ranges', [range(1, 2), range(5, 6)], { min: 5, max: 2 }],
  ])('intersects %s', (_what, conditions, expected) => {
    expect(sizeRange(conditions)).toEqual(expected);
  });
});

describe('findUncoveredFields', () => {
  const names = ['x-oss-signature-version', 'x-oss-credential', 'X-OSS-Date'];

  it('returns the names that no condition mentions', () => {
    const conditions: Condition[] = [
      { kind: 'eq', field: 'x-oss-date', value: 'd' },
      { kind: 'in', field: 'x-oss-signature-version', values: [] },
      { kind: 'content-length-range', min: 0, max: 1 },
    ];
    expect(findUncoveredFields(conditions, names)).toEqual(['x-oss-credential']);
  });

  it('returns all names for a policy about other fields', () => {
    expect(findUncoveredFields([{ kind: 'eq', field: 'key', value: 'k' }], names)).toEqual(names);
  });
});
