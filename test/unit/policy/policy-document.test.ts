import fc from 'fast-check';
import { encodePolicy, parsePolicy } from '../../../src/policy/policy-document.ts';
import type { Condition, PolicyDocument } from '../../../src/policy/policy-document.ts';

const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64');
const parseText = (json: string): ReturnType<typeof parsePolicy> => parsePolicy(base64(json));

const EXPIRATION = '2024-01-02T04:04:05.000Z';
const withConditions = (conditions: string): string =>
  `{"expiration":"${EXPIRATION}","conditions":${conditions}}`;

function conditionsOf(json: string): readonly Condition[] {
  const parsed = parseText(json);
  if (parsed.kind === 'invalid') throw new Error(parsed.message);
  return parsed.document.conditions;
}

describe('parsePolicy', () => {
  it('reads a policy of the Java SDK, with \\/ and \\\\${filename}', () => {
    const policy =
      'eyJleHBpcmF0aW9uIjoiMjAyMC0wMy0xOVQwMzo0NDowNi40NzZaIiwiY29uZGl0aW9ucyI6W3siYnVja2V0IjoiZ2VuLXBvc3QtcG9saWN5In0sWyJlcSIsIiRrZXkiLCJ1c2VyXC9lcmljXC9cXCR7ZmlsZW5hbWV9Il0sWyJzdGFydHMtd2l0aCIsIiRrZXkiLCJ1c2VyXC9lcmljIl0sWyJzdGFydHMtd2l0aCIsIiR4LW9zcy1tZXRhLXRhZyIsImR1bW15X2V0YWciXSxbImNvbnRlbnQtbGVuZ3RoLXJhbmdlIiwxLDEwMjRdXX0=';
    expect(parsePolicy(policy)).toEqual({
      kind: 'parsed',
      document: {
        expiration: Date.UTC(2020, 2, 19, 3, 44, 6, 476),
        conditions: [
          { kind: 'eq', field: 'bucket', value: 'gen-post-policy' },
          { kind: 'eq', field: 'key', value: 'user/eric/\\${filename}' },
          { kind: 'starts-with', field: 'key', value: 'user/eric' },
          { kind: 'starts-with', field: 'x-oss-meta-tag', value: 'dummy_etag' },
          { kind: 'content-length-range', min: 1, max: 1024 },
        ],
      },
    });
  });

  it.each<[string, Condition]>([
    ['{"bucket":"b"}', { kind: 'eq', field: 'bucket', value: 'b' }],
    ['{"fileName":"F"}', { kind: 'eq', field: 'filename', value: 'F' }],
    ['{"__proto__":"x"}', { kind: 'eq', field: '__proto__', value: 'x' }],
    ['["eq","$Key","K"]', { kind: 'eq', field: 'key', value: 'K' }],
    [
      '["eq","success_action_status","200"]',
      { kind: 'eq', field: 'success_action_status', value: '200' },
    ],
    ['["starts-with","\\$key","a\\${x}"]', { kind: 'starts-with', field: 'key', value: 'a${x}' }],
    ['["starts-with","\\\\$key",""]', { kind: 'starts-with', field: 'key', value: '' }],
    ['["eq","$key","\\\\\\$"]', { kind: 'eq', field: 'key', value: '\\$' }],
    [
      '["in","$content-type",["image\\/jpg","image\\/png"]]',
      { kind: 'in', field: 'content-type', values: ['image/jpg', 'image/png'] },
    ],
    ['["not-in","$cache-control",[]]', { kind: 'not-in', field: 'cache-control', values: [] }],
    ['["content-length-range",0,0]', { kind: 'content-length-range', min: 0, max: 0 }],
    [
      '["content-length-range",0,1048576000]',
      { kind: 'content-length-range', min: 0, max: 1_048_576_000 },
    ],
    [
      '["content-length-range",0,9007199254740991]',
      { kind: 'content-length-range', min: 0, max: Number.MAX_SAFE_INTEGER },
    ],
  ])('reads the condition %s', (json, condition) => {
    expect(conditionsOf(withConditions(`[${json}]`))).toEqual([condition]);
  });

  it.each([
    ['2014-12-01T12:00:00.000Z', Date.UTC(2014, 11, 1, 12)],
    ['2115-01-27T10:56:19Z', Date.UTC(2115, 0, 27, 10, 56, 19)],
    ['2024-02-29T23:59:59.999Z', Date.UTC(2024, 1, 29, 23, 59, 59, 999)],
    // Go's `.999Z` drops zeros at the end.
    ['2026-11-25T14:26:30.5Z', Date.UTC(2026, 10, 25, 14, 26, 30, 500)],
    ['2026-11-25T14:26:30.12Z', Date.UTC(2026, 10, 25, 14, 26, 30, 120)],
    ['2026-11-25T14:26:30.0Z', Date.UTC(2026, 10, 25, 14, 26, 30)],
    ['2026-11-25T14:26:30.1234Z', Date.UTC(2026, 10, 25, 14, 26, 30, 123)],
    ['2026-11-25T14:26:30.12345Z', Date.UTC(2026, 10, 25, 14, 26, 30, 123)],
    // Python's isoformat.
    ['2026-11-25T14:26:30.123456Z', Date.UTC(2026, 10, 25, 14, 26, 30, 123)],
    // .NET's round-trip format.
    ['2026-11-25T14:26:30.1234567Z', Date.UTC(2026, 10, 25, 14, 26, 30, 123)],
    ['2026-11-25T14:26:30.99999999Z', Date.UTC(2026, 10, 25, 14, 26, 30, 999)],
    // Java's Instant.
    ['2026-11-25T14:26:30.123456789Z', Date.UTC(2026, 10, 25, 14, 26, 30, 123)],
  ])('reads the expiration %s', (text, expiration) => {
    const parsed = parseText(`{"expiration":"${text}","conditions":[{"bucket":"b"}]}`);
    expect(parsed).toMatchObject({ kind: 'parsed', document: { expiration } });
  });

  it.each([
    '2023-02-19 13:19:00',
    '2023-02-19T13:19:00',
    '2023-02-19T13:19:00+08:00',
    '2023-02-19T13:19:00.000+0000',
    '2023-02-19T13:19Z',
    '2023-02-19',
    '2023-02-19T13:19:00.Z',
    '2023-02-19T13:19:00,5Z',
    '2023-02-19T13:19:00.1234567890Z',
    '2023-02-30T13:19:00.5Z',
    '2023-02-19t13:19:00z',
    '2023-02-30T00:00:00Z',
    '2023-02-29T00:00:00.000Z',
    '2023-13-01T00:00:00Z',
    '2023-01-01T24:00:00Z',
    '2023-01-01T23:60:00Z',
    '2016-12-31T23:59:60Z',
    '+002023-01-01T00:00:00Z',
    ' 2023-01-01T00:00:00Z',
    '2023-01-01T00:00:00Z\\n',
    'Sun, 19 Feb 2023 13:19:00 GMT',
    '1676812740000',
    'never',
  ])('refuses the expiration %s', (text) => {
    expect(parseText(`{"expiration":"${text}","conditions":[{"bucket":"b"}]}`)).toEqual({
      kind: 'invalid',
      message:
        'Invalid Policy: Invalid expiration: expiration must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z, ' +
        `but found ${JSON.stringify(JSON.parse(`"${text}"`))}.`,
      ec: '0006-00000212',
    });
  });

  it.each([
    ['not Base64', '{"expiration"}', /Base64/, '202'],
    ['Base64 without padding', 'e30', /Base64/, '202'],
    ['Base64 with a line break', 'e3\n0=', /Base64/, '202'],
    ['Base64 with a trailing line break', 'e30=\n', /Base64/, '202'],
    ['Base64 of the URL alphabet', '-_-_', /Base64/, '202'],
    ['Base64 with stray bits', 'e31=', /Base64/, '202'],
    ['Base64 followed by more', 'e30=e30=', /Base64/, '202'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]).toString('base64'), /UTF-8/, '203'],
    ['an encoded surrogate', Buffer.from([0xed, 0xa0, 0x80]).toString('base64'), /UTF-8/, '203'],
    ['nothing', '', /^Invalid Policy: Invalid JSON: /, '204'],
    ['a byte order mark', base64('\ufeff{}'), /^Invalid Policy: Invalid JSON: unknown char/, '204'],
  ])('refuses a policy that is %s', (_what, policy, message, number) => {
    const parsed = parsePolicy(policy);
    expect(parsed).toMatchObject({ kind: 'invalid', ec: `0006-00000${number}` });
    expect(parsed.kind === 'invalid' && parsed.message).toMatch(message);
  });

  it.each([
    ['expiration', 'Invalid Policy: Invalid JSON: unknown char e'],
    [
      withConditions('[["eq","$key","a"] {"bucket":"b"}]'),
      'Invalid Policy: Invalid JSON: , or ] expected',
    ],
    ['[]', 'Invalid Policy: Invalid JSON: Policy must be a JSON object.'],
    ['null', 'Invalid Policy: Invalid JSON: Policy must be a JSON object.'],
    [
      '{"expiration":"x","expiration":"y","conditions":[]}',
      'Invalid Policy: Invalid JSON: duplicate key "expiration", each key may be given once',
    ],
    [
      withConditions('[{"bucket":"a","bucket":"b"}]'),
      'Invalid Policy: Invalid JSON: duplicate key "bucket", each key may be given once',
    ],
    [
      withConditions('[{"$key":"a","\\$key":"b"}]'),
      'Invalid Policy: Invalid JSON: duplicate key "$key", each key may be given once',
    ],
  ])('refuses the JSON %s', (json, message) => {
    expect(parseText(json)).toEqual({ kind: 'invalid', message, ec: '0006-00000204' });
  });

  it.each([
    ['{}', 'Policy must specify expiration and conditions.', '209'],
    ['{"conditions":[["content-length-range",0,1]]}', 'Policy must specify expiration.', '208'],
    [`{"expiration":"${EXPIRATION}"}`, 'Policy must specify conditions.', '207'],
    [
      '{"expiration":1676812740000,"conditions":[{"a":"b"}]}',
      'Invalid expiration: expiration must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.',
      '210',
    ],
    [
      '{"expiration":null,"conditions":[{"a":"b"}]}',
      'Invalid expiration: expiration must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.',
      '210',
    ],
    [
      '{"expiration":"","conditions":[{"a":"b"}]}',
      'Invalid expiration: expiration is empty and must be a time in ISO 8601 GMT, such as 2014-12-01T12:00:00.000Z.',
      '211',
    ],
    [withConditions('123'), 'Invalid conditions: conditions must be an array.', '214'],
    [withConditions('{"bucket":"b"}'), 'Invalid conditions: conditions must be an array.', '214'],
    [withConditions('null'), 'Invalid conditions: conditions must be an array.', '214'],
    [
      withConditions('[]'),
      'Invalid conditions: conditions must have at least one condition.',
      '215',
    ],
  ])('refuses the structure %s', (json, message, number) => {
    expect(parseText(json)).toEqual({
      kind: 'invalid',
      message: `Invalid Policy: ${message}`,
      ec: `0006-00000${number}`,
    });
  });

  const SIMPLE =
    'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.';
  const mode = (found: string): string =>
    `Invalid Condition: a condition must start with a matching mode, one of eq, starts-with, in, not-in, content-length-range, but found ${found}.`;
  const MIN =
    'Invalid content-length-range: min-len must be an integer from 0 to 9007199254740991.';
  const MAX =
    'Invalid content-length-range: max-len must be an integer from 0 to 9007199254740991.';
  const ITEM = 'Invalid Condition: each condition must be an object or an array.';

  it.each([
    ['{}', SIMPLE, '217'],
    ['{"bucket":"a","key":"b"}', SIMPLE, '217'],
    ['{"bucket":1}', 'Invalid Simple-Condition: the value must be a string.', '224'],
    ['{"bucket":["a"]}', 'Invalid Simple-Condition: the value must be a string.', '224'],
    ['{"":"a"}', 'Invalid Simple-Condition: the field name must not be empty.', '218'],
    ['123', ITEM, '222'],
    ['"eq"', ITEM, '222'],
    ['null', ITEM, '222'],
    ['[]', mode('nothing'), '216'],
    ['["$key"]', mode('"$key"'), '216'],
    ['["EQ","$key","a"]', mode('"EQ"'), '216'],
    ['["ends-with","$key","a"]', mode('"ends-with"'), '216'],
    ['["constructor","$key","a"]', mode('"constructor"'), '216'],
    ['[["eq"],"$key","a"]', mode('no string'), '216'],
    ['["eq","$key"]', 'Invalid eq: exactly 3 items expected, but found 2.', '218'],
    [
      '["starts-with","$key","user/user1","test"]',
      'Invalid starts-with: exactly 3 items expected, but found 4.',
      '218',
    ],
    [
      '["content-length-range",1]',
      'Invalid content-length-range: exactly 3 items expected, but found 2.',
      '218',
    ],
    ['["eq","$success_action_status",200]', 'Invalid eq: the value must be a string.', '224'],
    ['["starts-with","$key",null]', 'Invalid starts-with: the value must be a string.', '224'],
    ['["eq",1,"a"]', 'Invalid eq: the field name must be a string.', '224'],
    ['["eq","$","a"]', 'Invalid eq: the field name must not be empty.', '218'],
    [
      '["not-in","cache-control","no-cache"]',
      'Invalid not-in: the value must be an array of strings.',
      '224',
    ],
    ['["in","$a",["b",1]]', 'Invalid in: the value must be an array of strings.', '224'],
    ['["content-length-range","test",10]', MIN, '220'],
    ['["content-length-range","1",10]', MIN, '220'],
    ['["content-length-range",-1,10]', MIN, '220'],
    ['["content-length-range",0.5,10]', MIN, '220'],
    ['["content-length-range",10,"test"]', MAX, '221'],
    ['["content-length-range",0,"10"]', MAX, '221'],
    ['["content-length-range",-2,-1]', MIN, '220'],
    ['["content-length-range",0,9007199254740992]', MAX, '221'],
    ['["content-length-range",0,1e400]', MAX, '221'],
    [
      '["content-length-range",20,10]',
      'Invalid content-length-range: max-len must be greater than or equal to min-len.',
      '219',
    ],
    [
      '["content-length-range",[1],"test"]',
      'Invalid content-length-range: min-len must be an integer.',
      '223',
    ],
    [
      '["content-length-range",1,null]',
      'Invalid content-length-range: max-len must be an integer.',
      '223',
    ],
  ])('refuses the condition %s', (json, message, number) => {
    expect(parseText(withConditions(`[{"bucket":"b"},${json}]`))).toEqual({
      kind: 'invalid',
      message: `Invalid Policy: ${message}`,
      ec: `0006-00000${number}`,
    });
  });

  it.each([
    ['100,000 conditions', withConditions(`[${'["eq","$key","a"],'.repeat(99_999)}{"a":"b"}]`)],
    ['two megabytes in one value', withConditions(`[{"a":"${'x'.repeat(1_500_000)}"}]`)],
    ['values of escapes only', withConditions(`[{"a":"${'\\\\'.repeat(750_000)}"}]`)],
    ['values of \\$ only', withConditions(`[{"a":"${'\\$'.repeat(750_000)}"}]`)],
    [
      '100,000 ignored members',
      `{${numberedMembers()}"conditions":[{"a":"b"}],"expiration":"${EXPIRATION}"}`,
    ],
  ])('reads %s without delay', (_what, json) => {
    expect(parseSoon(base64(json)).kind).toBe('parsed');
  });

  it.each([
    ['100,000 levels of arrays', withConditions('['.repeat(100_000) + ']'.repeat(100_000))],
    ['100,000 open arrays', '['.repeat(100_000)],
    ['100,000 levels of objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    ['a deep ignored member', `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['two megabytes of backslashes', '\\'.repeat(1_500_000)],
    [
      'two megabytes of digits',
      withConditions(`[["content-length-range",0,${'9'.repeat(1_500_000)}]]`),
    ],
    ['100,000 members of a simple condition', withConditions(`[{${numberedMembers()}"a":"b"}]`)],
    ['two megabytes of white space', ' '.repeat(1_500_000)],
  ])('refuses %s without delay', (_what, json) => {
    const parsed = parseSoon(base64(json));
    expect(parsed.kind === 'invalid' && parsed.message.length).toBeLessThan(300);
  });
});

/** Time that is not linear would be minutes. It is that of the processor, so that a busy machine changes nothing. */
function parseSoon(policy: string): ReturnType<typeof parsePolicy> {
  const before = process.cpuUsage();
  const parsed = parsePolicy(policy);
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000);
  return parsed;
}

function numberedMembers(): string {
  return Array.from({ length: 100_000 }, (_, index) => `"m${index}":0,`).join('');
}

describe('encodePolicy', () => {
  it('writes the expiration first, bucket as an object and the rest as arrays', () => {
    const policy = encodePolicy({
      expiration: Date.UTC(2024, 0, 2, 4, 4, 5),
      conditions: [
        { kind: 'eq', field: 'bucket', value: 'examplebucket' },
        { kind: 'starts-with', field: 'key', value: 'firmware/' },
        { kind: 'eq', field: 'success_action_status', value: '200' },
        { kind: 'in', field: 'content-type', values: ['a/b', 'c/d'] },
        { kind: 'content-length-range', min: 1, max: 1024 },
      ],
    });
    expect(Buffer.from(policy, 'base64').toString('utf8')).toBe(
      '{"expiration":"2024-01-02T04:04:05.000Z","conditions":[{"bucket":"examplebucket"},["starts-with","$key","firmware/"],["eq","$success_action_status","200"],["in","$content-type",["a/b","c/d"]],["content-length-range",1,1024]]}',
    );
    // The platform's page shows this much of its own policy.
    expect(policy).toMatch(/^eyJleHBpcmF/);
  });

  it('throws on an expiration that is not a time', () => {
    expect(() => encodePolicy({ expiration: NaN, conditions: [] })).toThrow(RangeError);
  });
});

const text = fc.string({ unit: 'binary', maxLength: 20 });
const awkward = fc.oneof(
  text,
  fc.stringMatching(/^[\\$"{}\ud800/]{0,8}$/),
  fc.constantFrom('${filename}', '\\${filename}', '\\\\$', '\ud800'),
);
const field = awkward
  .map((name) => name.toLowerCase().replace(/^[\\$]+/, ''))
  .filter((name) => name !== '' && !name.includes('\\$'));
const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ kind: fc.constantFrom('eq', 'starts-with'), field, value: awkward }),
  fc.record({ kind: fc.constantFrom('in', 'not-in'), field, values: fc.array(awkward) }),
  fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map(([a, b]): Condition => ({
    kind: 'content-length-range',
    min: Math.min(a, b),
    max: Math.max(a, b),
  })),
  awkward.map((value): Condition => ({ kind: 'eq', field: 'bucket', value })),
);
const documents: fc.Arbitrary<PolicyDocument> = fc.record({
  expiration: fc.integer({ min: Date.UTC(1970, 0, 1), max: Date.UTC(9999, 11, 31) }),
  conditions: fc.array(condition, { minLength: 1 }),
});

describe('encodePolicy and parsePolicy', () => {
  it('agree on every document', () => {
    fc.assert(
      fc.property(documents, (document) => {
        expect(parsePolicy(encodePolicy(document))).toEqual({ kind: 'parsed', document });
      }),
      { numRuns: 1000 },
    );
  });

  it('parse any text without throwing', () => {
    fc.assert(
      fc.property(fc.oneof(text, text.map(base64), fc.json().map(base64)), (policy) => {
        expect(['parsed', 'invalid']).toContain(parsePolicy(policy).kind);
      }),
    );
  });
});
