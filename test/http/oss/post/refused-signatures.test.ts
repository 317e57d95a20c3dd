import { addCondition, policyOf, signV1, signV4, validForm, validFormV4, REGION } from './form.ts';
import type { Form } from './form.ts';
import { argument, denied, SIGNATURE_MESSAGE, set, itRefuses } from './refusal.ts';
import type { Refusal, Case } from './refusal.ts';

const ANONYMOUS: Refusal = {
  status: 403,
  code: 'AccessDenied',
  message: 'Anonymous user has no right to access this bucket.',
};
const NO_ID = 'Post request accessKeyId is empty.';
const NO_SIGNATURE = 'Post request signature is empty.';
const NO_POLICY = 'Post request policy is empty.';
const mismatch = (form: () => Form, provided: string): Refusal => ({
  status: 403,
  code: 'SignatureDoesNotMatch',
  message: SIGNATURE_MESSAGE,
  ec: '0002-00000705',
  xml: { OSSAccessKeyId: 'bucketid', SignatureProvided: provided, StringToSign: policyOf(form()) },
});

const AUTH_V1: readonly Case[] = [
  ['no field of the signature', (form) => (form.sign = 'none'), ANONYMOUS],
  [
    'only a security token',
    (form) => {
      form.sign = 'none';
      form.fields.set('x-oss-security-token', 't');
    },
    ANONYMOUS,
  ],
  [
    'only a policy',
    (form) => {
      form.sign = 'none';
      form.fields.set('policy', policyOf(form));
    },
    argument('OSSAccessKeyId', NO_ID, '0002-00000706'),
  ],
  [
    'only an access key',
    (form) => {
      form.sign = 'none';
      form.fields.set('OSSAccessKeyId', 'bucketid');
    },
    argument('policy', NO_POLICY, '0002-00000702'),
  ],
  [
    'only a signature',
    (form) => {
      form.sign = 'none';
      form.fields.set('Signature', 'x');
    },
    argument('OSSAccessKeyId', NO_ID, '0002-00000706'),
  ],
  [
    'no signature',
    (form) => {
      form.sign = 'none';
      form.fields.set('policy', policyOf(form)).set('OSSAccessKeyId', 'bucketid');
    },
    argument('Signature', NO_SIGNATURE, '0002-00000703'),
  ],
  [
    'an empty access key',
    set('OSSAccessKeyId', ''),
    argument('OSSAccessKeyId', NO_ID, '0002-00000707'),
  ],
  [
    'an empty signature',
    set('Signature', ''),
    argument('Signature', NO_SIGNATURE, '0002-00000704'),
  ],
  ['an empty policy', set('policy', ''), argument('policy', NO_POLICY, '0002-00000702')],
  [
    'an unknown access key',
    set('OSSAccessKeyId', 'nobody'),
    {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The OSS Access Key Id you provided does not exist in our records.',
      xml: { OSSAccessKeyId: 'nobody' },
    },
  ],
  [
    "an account's access key",
    set('OSSAccessKeyId', 'testid'),
    {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The OSS Access Key Id you provided does not exist in our records.',
    },
  ],
  [
    'an access key in another case',
    set('OSSAccessKeyId', 'BUCKETID'),
    {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The OSS Access Key Id you provided does not exist in our records.',
    },
  ],
  ['a wrong signature', set('Signature', 'wrong'), mismatch(validForm, 'wrong')],
  [
    'a signature with another secret',
    set('Signature', signV1(policyOf(validForm()), 'other')),
    mismatch(validForm, signV1(policyOf(validForm()), 'other')),
  ],
  [
    'a signature with a space after it',
    set('Signature', `${signV1(policyOf(validForm()))} `),
    mismatch(validForm, `${signV1(policyOf(validForm()))} `),
  ],
  [
    'a signature of the decoded policy',
    set('Signature', signV1(JSON.stringify(validForm().policy))),
    mismatch(validForm, signV1(JSON.stringify(validForm().policy))),
  ],
  [
    'a version 4 signature in the field of version 1',
    set('Signature', signV4(policyOf(validForm()))),
    mismatch(validForm, signV4(policyOf(validForm()))),
  ],
  [
    'a signature of another policy',
    (form) => {
      form.fields.set('Signature', signV1(policyOf(form)));
      addCondition(form, ['starts-with', '$key', '']);
    },
    { status: 403, code: 'SignatureDoesNotMatch', message: SIGNATURE_MESSAGE },
  ],
  [
    'a wrong signature of what is no policy',
    (form) => {
      form.fields.set('policy', '<&>');
      form.fields.set('Signature', 'x');
    },
    {
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: SIGNATURE_MESSAGE,
      xml: { StringToSign: '<&>' },
    },
  ],
  [
    'a wrong signature of a policy with characters that XML cannot carry',
    (form) => {
      form.fields.set('policy', 'a\u0000b').set('Signature', 'x');
    },
    {
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: SIGNATURE_MESSAGE,
      xml: { StringToSign: 'a\u{FFFD}b' },
    },
  ],
];

const CREDENTIAL_SHAPE =
  'The credential must be <AccessKeyId>/<YYYYMMDD>/<region>/oss/aliyun_v4_request.';
const credential = (text: string) => set('x-oss-credential', text);
const SKEWED = 'The difference between the request time and the current time is too large.';
const dated =
  (date: string) =>
  (form: Form): void => {
    form.fields
      .set('x-oss-date', date)
      .set('x-oss-credential', `bucketid/${date.slice(0, 8)}/${REGION}/oss/aliyun_v4_request`)
      .set('x-oss-signature', signV4(policyOf(form), date.slice(0, 8)));
  };

const AUTH_V4: readonly Case[] = [
  [
    'no version',
    (form) => form.fields.delete('x-oss-signature-version'),
    argument(
      'x-oss-signature-version',
      'Post request x-oss-signature-version is empty.',
      '0002-00000701',
    ),
  ],
  [
    'version OSS2',
    set('x-oss-signature-version', 'OSS2'),
    argument(
      'x-oss-signature-version',
      'The signature version must be OSS4-HMAC-SHA256.',
      '0002-00000701',
      'OSS2',
    ),
  ],
  [
    'a version in small letters',
    set('x-oss-signature-version', 'oss4-hmac-sha256'),
    argument(
      'x-oss-signature-version',
      'The signature version must be OSS4-HMAC-SHA256.',
      '0002-00000701',
    ),
  ],
  [
    'no credential',
    (form) => form.fields.delete('x-oss-credential'),
    argument('x-oss-credential', NO_ID, '0002-00000706'),
  ],
  [
    'no date',
    (form) => form.fields.delete('x-oss-date'),
    argument('x-oss-date', 'Post request x-oss-date is empty.', '0002-00000709'),
  ],
  [
    'no signature',
    (form) => {
      form.fields.set('policy', policyOf(form));
      form.sign = 'none';
    },
    argument('x-oss-signature', NO_SIGNATURE, '0002-00000703'),
  ],
  [
    'an empty signature',
    set('x-oss-signature', ''),
    argument('x-oss-signature', NO_SIGNATURE, '0002-00000704'),
  ],
  [
    'no policy',
    (form) => {
      form.sign = 'none';
      form.fields.set('x-oss-signature', 'x');
    },
    argument('policy', NO_POLICY, '0002-00000702'),
  ],
  ...[
    'bucketid',
    'bucketid/20260102/cn-shanghai/oss',
    'bucketid/20260102/cn-shanghai/oss/aws4_request',
    'bucketid/20260102/cn-shanghai/s3/aliyun_v4_request',
    'bucketid/2026-01-02/cn-shanghai/oss/aliyun_v4_request',
    '/20260102/cn-shanghai/oss/aliyun_v4_request',
    'bucketid/20260102/cn-shanghai/oss/aliyun_v4_request/',
  ].map((text): Case => [
    `credential ${text}`,
    credential(text),
    argument('x-oss-credential', CREDENTIAL_SHAPE, '0002-00000710', text),
  ]),
  [
    'an unknown access key',
    credential('nobody/20260102/cn-shanghai/oss/aliyun_v4_request'),
    {
      status: 403,
      code: 'InvalidAccessKeyId',
      message: 'The OSS Access Key Id you provided does not exist in our records.',
      xml: { OSSAccessKeyId: 'nobody' },
    },
  ],
  [
    'a credential of another day',
    credential('bucketid/20260103/cn-shanghai/oss/aliyun_v4_request'),
    argument(
      'x-oss-credential',
      'The date of the credential must be the day of x-oss-date, 20260102T030405Z.',
      '0002-00000709',
    ),
  ],
  [
    'another region',
    credential('bucketid/20260102/cn-hangzhou/oss/aliyun_v4_request'),
    argument('x-oss-credential', 'The region of the credential must be cn-shanghai.'),
  ],
  [
    'a region with oss- before it',
    credential('bucketid/20260102/oss-cn-shanghai/oss/aliyun_v4_request'),
    argument('x-oss-credential', 'The region of the credential must be cn-shanghai.'),
  ],
  ...['2026-01-02T03:04:05Z', '20260102T030405', '20260102', '20260132T000000Z', 'now'].map(
    (text): Case => [
      `date ${text}`,
      set('x-oss-date', text),
      argument('x-oss-date', 'The date must be YYYYMMDDTHHMMSSZ.', '0002-00000709', text),
    ],
  ),
  [
    'a date more than 15 minutes ahead',
    dated('20260102T031906Z'),
    {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: SKEWED,
      xml: {
        RequestTime: '2026-01-02T03:19:06.000Z',
        ServerTime: '2026-01-02T03:04:05.000Z',
        MaxAllowedSkewMilliseconds: '900000',
      },
    },
  ],
  [
    'a date more than 7 days ago',
    dated('20251226T030404Z'),
    {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: SKEWED,
      xml: { RequestTime: '2025-12-26T03:04:04.000Z' },
    },
  ],
  ['a wrong signature', set('x-oss-signature', 'wrong'), mismatch(validFormV4, 'wrong')],
  [
    'a signature in capitals',
    set('x-oss-signature', signV4(policyOf(validFormV4())).toUpperCase()),
    mismatch(validFormV4, signV4(policyOf(validFormV4())).toUpperCase()),
  ],
  [
    'a signature for another day',
    set('x-oss-signature', signV4(policyOf(validFormV4()), '20260101')),
    mismatch(validFormV4, signV4(policyOf(validFormV4()), '20260101')),
  ],
  [
    'a signature for another region',
    set('x-oss-signature', signV4(policyOf(validFormV4()), '20260102', 'cn-hangzhou')),
    mismatch(validFormV4, signV4(policyOf(validFormV4()), '20260102', 'cn-hangzhou')),
  ],
  [
    'a version 1 signature beside a wrong one of version 4',
    (form) => {
      form.fields
        .set('OSSAccessKeyId', 'bucketid')
        .set('Signature', signV1(policyOf(form)))
        .set('x-oss-signature', 'wrong');
    },
    mismatch(validFormV4, 'wrong'),
  ],
  ...['x-oss-signature-version', 'x-oss-credential', 'x-oss-date'].map((name, index): Case => [
    `a policy that does not mention ${name}`,
    (form) => {
      if (Array.isArray(form.policy.conditions))
        form.policy.conditions = form.policy.conditions.filter((_, place) => place !== index + 2);
    },
    denied(`Extra input fields: ${name}`, '0006-00000228'),
  ]),
  [
    'a policy that mentions no field of the signature',
    (form) => (form.policy.conditions = [{ bucket: 'iotx-ota' }]),
    denied(
      'Extra input fields: x-oss-signature-version, x-oss-credential, x-oss-date',
      '0006-00000228',
    ),
  ],
  [
    'a policy with another x-oss-date',
    (form) => addCondition(form, { 'x-oss-date': '20260102T030406Z' }),
    denied('Policy Condition failed: ["eq", "$x-oss-date", "20260102T030406Z"]', '0006-00000227'),
  ],
];

itRefuses([
  ['signature of version 1', validForm, AUTH_V1],
  ['signature of version 4', validFormV4, AUTH_V4],
]);
