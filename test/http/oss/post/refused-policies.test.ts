import { addCondition, validForm, validFormV4 } from './form.ts';
import type { Form } from './form.ts';
import { denied, invalidPolicy, set, raw, itRefuses } from './refusal.ts';
import type { Refusal, Case } from './refusal.ts';

const POLICIES: readonly Case[] = [
  [
    'a policy that is not Base64',
    set('policy', 'not base64!'),
    invalidPolicy('Policy must be encoded in Base64, padded and without line breaks.', '202'),
  ],
  [
    'a policy that is not UTF-8',
    raw(Buffer.from([0xff, 0xfe])),
    invalidPolicy('Policy must be UTF-8 text encoded in Base64.', '203'),
  ],
  [
    'a policy that is not JSON',
    raw('expires'),
    invalidPolicy('Invalid JSON: unknown char e', '204'),
  ],
  [
    'a policy with a comma missing',
    raw('{"expiration":"2026-01-02T03:05:05Z","conditions":[["eq" "$key"]]}'),
    invalidPolicy('Invalid JSON: , or ] expected', '204'),
  ],
  [
    'a policy without expiration',
    (form) => delete form.policy.expiration,
    invalidPolicy('Policy must specify expiration.', '208'),
  ],
  [
    'a policy without conditions',
    (form) => delete form.policy.conditions,
    invalidPolicy('Policy must specify conditions.', '207'),
  ],
  [
    'an empty policy',
    raw('{}'),
    invalidPolicy('Policy must specify expiration and conditions.', '209'),
  ],
  [
    'a policy with an empty condition',
    (form) => addCondition(form, {}),
    invalidPolicy(
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
      '217',
    ),
  ],
  [
    'a policy with two properties in a condition',
    (form) => addCondition(form, { a: 'b', c: 'd' }),
    invalidPolicy(
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
      '217',
    ),
  ],
  [
    'a policy with no condition',
    (form) => (form.policy.conditions = []),
    invalidPolicy('Invalid conditions: conditions must have at least one condition.', '215'),
  ],
  [
    'an expired policy',
    (form) => (form.policy.expiration = '2026-01-02T03:04:04.999Z'),
    denied('Policy expired.', '0006-00000213', {
      ServerTime: '2026-01-02T03:04:05.000Z',
      Expiration: '2026-01-02T03:04:04.999Z',
    }),
  ],
  [
    'a policy that expires now',
    (form) => (form.policy.expiration = '2026-01-02T03:04:05Z'),
    denied('Policy expired.', '0006-00000213'),
  ],
  [
    'an expired policy whose conditions fail too',
    (form) => {
      form.policy.expiration = '2020-01-01T00:00:00Z';
      form.policy.conditions = [{ bucket: 'x' }];
    },
    denied('Policy expired.', '0006-00000213'),
  ],
];

const failed = (condition: string, ec: string, actual?: string): Refusal =>
  denied(
    `Policy Condition failed: ${condition}`,
    ec,
    actual === undefined ? {} : { ActualValue: actual },
  );
const UNMET = '0006-00000227';
const ABSENT = '0006-00000226';

const CONDITIONS: readonly Case[] = [
  [
    'another bucket',
    (form) => addCondition(form, { bucket: 'other' }),
    failed('["eq", "$bucket", "other"]', UNMET, 'iotx-ota'),
  ],
  [
    'another key',
    (form) => addCondition(form, ['eq', '$key', 'other']),
    failed('["eq", "$key", "other"]', UNMET),
  ],
  [
    'another prefix',
    (form) => addCondition(form, ['starts-with', '$key', 'user/eric/']),
    failed('["starts-with", "$key", "user/eric/"]', UNMET),
  ],
  [
    'a key that is not on the list',
    (form) => addCondition(form, ['in', '$key', ['a', 'b']]),
    failed('["in", "$key", ["a", "b"]]', UNMET),
  ],
  [
    'a key that is on the list',
    (form) => addCondition(form, ['not-in', '$key', ['dir/firmware.bin']]),
    failed('["not-in", "$key", ["dir/firmware.bin"]]', UNMET),
  ],
  [
    'an absent field',
    (form) => addCondition(form, ['eq', '$x-oss-meta-a', 'b']),
    failed('["eq", "$x-oss-meta-a", "b"]', ABSENT),
  ],
  [
    'an absent field with any value',
    (form) => addCondition(form, ['starts-with', '$note', '']),
    failed('["starts-with", "$note", ""]', ABSENT),
  ],
  [
    'an absent field, named without a dollar',
    (form) => addCondition(form, ['eq', 'success_action_status', '200']),
    failed('["eq", "$success_action_status", "200"]', ABSENT),
  ],
  [
    'a value in another case',
    (form) => {
      form.fields.set('note', 'A');
      addCondition(form, { note: 'a' });
    },
    failed('["eq", "$note", "a"]', UNMET, 'A'),
  ],
  [
    'the expanded key instead of the raw one',
    (form) => {
      form.fields.set('key', 'dir/${filename}');
    },
    failed('["eq", "$key", "dir/firmware.bin"]', UNMET),
  ],
  [
    'the type of the file',
    (form) => addCondition(form, ['in', '$content-type', ['image/jpg', 'image/png']]),
    failed(
      '["in", "$content-type", ["image/jpg", "image/png"]]',
      UNMET,
      'application/octet-stream',
    ),
  ],
  [
    'the type of the file, though the Content-Type field has it',
    (form) => {
      form.fields.set('Content-Type', 'image/png');
      addCondition(form, { 'content-type': 'image/png' });
    },
    failed('["eq", "$content-type", "image/png"]', UNMET, 'application/octet-stream'),
  ],
  [
    'the type of the file, though x-oss-content-type is another',
    (form) => {
      form.fields.set('x-oss-content-type', 'text/html');
      addCondition(form, { 'content-type': 'application/octet-stream' });
    },
    failed('["eq", "$content-type", "application/octet-stream"]', UNMET, 'text/html'),
  ],
  [
    'no type at all',
    (form) => {
      form.fileHeaders = ['Content-Disposition: form-data; name="file"'];
      addCondition(form, { 'content-type': 'a/b' });
    },
    failed('["eq", "$content-type", "a/b"]', ABSENT),
  ],
];

const TOO_LARGE = 'Your proposed upload exceeds the maximum allowed size.';
const TOO_SMALL = 'Your proposed upload smaller than the minimum allowed size.';
const range =
  (min: number, max: number) =>
  (form: Form): void => {
    form.policy.conditions = [['content-length-range', min, max]];
  };

const SIZES: readonly Case[] = [
  [
    'a file larger than the policy allows',
    range(0, 7),
    {
      status: 400,
      code: 'EntityTooLarge',
      message: TOO_LARGE,
      ec: '0006-00000003',
      xml: { MaxSizeAllowed: '7', ProposedSize: '8' },
    },
  ],
  [
    'a file smaller than the policy allows',
    range(9, 20),
    {
      status: 400,
      code: 'EntityTooSmall',
      message: TOO_SMALL,
      ec: '0006-00000004',
      xml: { MinSizeAllowed: '9', ProposedSize: '8' },
    },
  ],
  [
    'an empty file where one byte is needed',
    (form) => {
      range(1, 20)(form);
      form.file = '';
    },
    {
      status: 400,
      code: 'EntityTooSmall',
      message: TOO_SMALL,
      ec: '0006-00000004',
      xml: { ProposedSize: '0' },
    },
  ],
  [
    'a file larger than the second range allows',
    (form) => {
      range(0, 100)(form);
      addCondition(form, ['content-length-range', 0, 5]);
    },
    { status: 400, code: 'EntityTooLarge', message: TOO_LARGE, xml: { MaxSizeAllowed: '5' } },
  ],
  [
    'a file larger than the operator allows',
    (form) => {
      range(0, 10_000_000)(form);
      form.file = Buffer.alloc(100_001);
    },
    {
      status: 400,
      code: 'EntityTooLarge',
      message: TOO_LARGE,
      xml: { MaxSizeAllowed: '100000', ProposedSize: '100001' },
    },
  ],
  [
    'a file larger than the operator allows, of a policy without a range',
    (form) => {
      form.policy.conditions = [['starts-with', '$key', '']];
      form.file = Buffer.alloc(1_000_000);
    },
    {
      status: 400,
      code: 'EntityTooLarge',
      message: TOO_LARGE,
      xml: { MaxSizeAllowed: '100000', ProposedSize: '1000000' },
    },
  ],
];

itRefuses([
  ['policy', validForm, POLICIES],
  ['policy in version 4', validFormV4, POLICIES.filter(([name]) => name.startsWith('an expired'))],
  ['conditions', validForm, CONDITIONS],
  ['size', validForm, SIZES],
]);
