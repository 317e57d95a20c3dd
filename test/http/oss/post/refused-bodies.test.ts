import { validForm } from './form.ts';
import {
  malformed,
  argument,
  KEY_MISSING,
  TOO_LONG_NAME,
  ONE_FILE,
  set,
  named,
  itRefuses,
} from './refusal.ts';
import type { Case } from './refusal.ts';

const CONTENT_TYPE: readonly Case[] = [
  ...['', 'multipart/form-data, boundary=bOuNdArY'].map((type): Case => [
    `Content-Type ${type || 'absent'}`,
    (form) => {
      form.contentType = type;
    },
    {
      status: 405,
      code: 'MethodNotAllowed',
      message: 'The specified method is not allowed against this resource.',
      xml: { Method: 'POST', ResourceType: 'Bucket' },
    },
  ]),
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/mixed; boundary=bOuNdArY',
    'multipart/form-datax; boundary=bOuNdArY',
  ].map((type): Case => [
    `Content-Type ${type}`,
    (form) => {
      form.contentType = type;
    },
    {
      status: 400,
      code: 'RequestIsNotMultiPartContent',
      message: 'Bucket POST must be of the enclosure-type multipart/form-data.',
    },
  ]),
  ...[
    'multipart/form-data',
    'multipart/form-data;',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary="bOuNdArY',
    'multipart/form-data; boundary=bOuNdArY; boundary=other',
    'multipart/form-data; boundary="b\\\\ö"',
    'multipart/form-data; charset=utf-8',
    'multipart/form-data; boundary=other',
  ].map((type): Case => [
    `Content-Type ${type.slice(0, 60)}`,
    (form) => {
      form.contentType = Buffer.from(type).toString('latin1');
    },
    malformed(),
  ]),
];

const SHAPE: readonly Case[] = [
  ['an empty body', (form) => (form.finish = () => Buffer.alloc(0)), malformed()],
  ['a body without a boundary', (form) => (form.finish = () => Buffer.from('hello')), malformed()],
  ['no closing boundary', (form) => (form.finish = (body) => body.subarray(0, -14)), malformed()],
  [
    'a closing boundary cut by a byte',
    (form) => (form.finish = (body) => body.subarray(0, -3)),
    malformed(),
  ],
  [
    'a body cut in the file',
    (form) => (form.finish = (body) => body.subarray(0, -20)),
    malformed(),
  ],
  ['a body cut in a field', (form) => (form.finish = (body) => body.subarray(0, 70)), malformed()],
  ['a body cut in a header', (form) => (form.finish = (body) => body.subarray(0, 30)), malformed()],
  [
    'a part without headers',
    (form) => form.before.push({ headers: [], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a part without Content-Disposition',
    (form) => form.before.push({ headers: ['Content-Type: text/plain'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a part without a name',
    (form) => form.before.push({ headers: ['Content-Disposition: form-data'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  ['a part with an empty name', (form) => form.before.push(named('')), malformed('0006-00000109')],
  [
    'a part with two names',
    (form) =>
      form.before.push({ headers: ['Content-Disposition: form-data; name=a; name=b'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a part with an open quote',
    (form) => form.before.push({ headers: ['Content-Disposition: form-data; name="a'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a part with two dispositions',
    (form) =>
      form.before.push({
        headers: [
          'Content-Disposition: form-data; name=a',
          'Content-Disposition: form-data; name=b',
        ],
        body: 'x',
      }),
    malformed('0006-00000109'),
  ],
  [
    'a part that is an attachment',
    (form) =>
      form.before.push({ headers: ['Content-Disposition: attachment; name="a"'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a header line without a colon',
    (form) =>
      form.before.push({
        headers: ['Content-Disposition: form-data; name="a"', 'nothing'],
        body: 'x',
      }),
    malformed('0006-00000109'),
  ],
  [
    'a lone LF in a header',
    (form) =>
      form.before.push({ headers: ['Content-Disposition: form-data;\nname="a"'], body: 'x' }),
    malformed('0006-00000109'),
  ],
  [
    'a NUL in a header name',
    (form) =>
      form.before.push({
        headers: ['Content-Disposition: form-data; name="a"', 'x\0y: z'],
        body: 'x',
      }),
    malformed('0006-00000109'),
  ],
  [
    'headers of 40,000 bytes',
    (form) =>
      form.before.push({
        headers: ['Content-Disposition: form-data; name="a"', `X: ${'x'.repeat(40_000)}`],
        body: 'x',
      }),
    malformed(),
  ],
  [
    'four thousand headers',
    (form) =>
      form.before.push({
        headers: [
          'Content-Disposition: form-data; name="a"',
          ...Array.from({ length: 4000 }, (_, n) => `X-${String(n)}: ${'y'.repeat(10)}`),
        ],
        body: 'x',
      }),
    malformed(),
  ],
  [
    'a thousand parts before the file',
    (form) => form.before.push(...Array.from({ length: 1000 }, (_, n) => named(`n${String(n)}`))),
    {
      status: 400,
      code: 'MalformedPOSTRequest',
      message: 'The body of your POST request has more than 1000 parts.',
    },
  ],
  [
    'ten thousand parts before the file',
    (form) =>
      form.before.push(...Array.from({ length: 10_000 }, (_, n) => named(`n${String(n)}`, ''))),
    {
      status: 400,
      code: 'MalformedPOSTRequest',
      message: 'The body of your POST request has more than 1000 parts.',
    },
  ],
  [
    'a thousand and one parts after the file',
    (form) =>
      form.after.push(...Array.from({ length: 1001 }, (_, n) => named(`n${String(n)}`, ''))),
    {
      status: 400,
      code: 'MalformedPOSTRequest',
      message: 'The body of your POST request has more than 1000 parts.',
    },
  ],
  [
    '64 KiB before the first boundary',
    (form) =>
      (form.finish = (body) =>
        Buffer.concat([Buffer.alloc(65_537, 'x'), Buffer.from('\r\n'), body])),
    malformed(),
  ],
  [
    'more than 64 KiB after the closing boundary',
    (form) => (form.finish = (body) => Buffer.concat([body, Buffer.alloc(66_000)])),
    malformed(),
  ],
  [
    'more than 64 KiB of trailers',
    (form) => form.after.push(named('submit', 'x'.repeat(65_537))),
    malformed('0006-00000103'),
  ],
];

const FILES: readonly Case[] = [
  [
    'no file',
    (form) => (form.fileHeaders = ['Content-Disposition: form-data; name="fill"; filename="a"']),
    {
      status: 400,
      code: 'IncorrectNumberOfFilesInPOSTRequest',
      message: ONE_FILE,
      ec: '0006-00000107',
    },
  ],
  [
    'no parts at all',
    (form) => (form.finish = () => Buffer.from('--bOuNdArY--\r\n')),
    {
      status: 400,
      code: 'IncorrectNumberOfFilesInPOSTRequest',
      message: ONE_FILE,
      ec: '0006-00000107',
    },
  ],
  [
    'two files',
    (form) => form.after.push(named('file')),
    { status: 400, code: 'IncorrectNumberOfFilesInPOSTRequest', message: ONE_FILE },
  ],
  [
    'two files, one in capitals',
    (form) => form.after.push(named('FILE')),
    { status: 400, code: 'IncorrectNumberOfFilesInPOSTRequest', message: ONE_FILE },
  ],
  [
    'a second file after an ignored field',
    (form) => form.after.push(named('submit'), named('file')),
    { status: 400, code: 'IncorrectNumberOfFilesInPOSTRequest', message: ONE_FILE },
  ],
  ...[
    'key',
    'policy',
    'Signature',
    'OSSAccessKeyId',
    'x-oss-signature',
    'x-oss-credential',
    'x-oss-security-token',
    'SIGNATURE',
  ].map((name): Case => [
    `${name} again after the file`,
    (form) => form.after.push(named(name)),
    malformed('0006-00000103'),
  ]),
  [
    'a trailer without a name',
    (form) => form.after.push({ headers: ['Content-Type: text/plain'], body: '' }),
    malformed('0006-00000109'),
  ],
  [
    'the file first',
    (form) => {
      form.before.push(named('file'));
    },
    argument('key', KEY_MISSING),
  ],
];

const FIELD_LIMITS: readonly Case[] = [
  [
    'a field name of 8193 bytes',
    set('n'.repeat(8193), 'v'),
    {
      status: 400,
      code: 'FieldItemTooLong',
      message: TOO_LONG_NAME,
      ec: '0006-00000110',
      xml: { MaxSizeAllowed: '8192', ProposedSize: '8193' },
    },
  ],
  [
    'a field name of 20,000 bytes',
    set('n'.repeat(20_000), 'v'),
    {
      status: 400,
      code: 'FieldItemTooLong',
      message: TOO_LONG_NAME,
      ec: '0006-00000110',
      xml: { MaxSizeAllowed: '8192', ProposedSize: '20000' },
    },
  ],
  ...[33_000, 1_000_000].map((length): Case => [
    `a field name of ${String(length)} bytes, more than the headers of a part may have`,
    set('n'.repeat(length), 'v'),
    {
      status: 400,
      code: 'FieldItemTooLong',
      message: TOO_LONG_NAME,
      ec: '0006-00000110',
      xml: { MaxSizeAllowed: '8192' },
    },
  ]),
  [
    'a header that only looks like a long field name, in too many headers of a part',
    (form) => {
      const header = `X-Note: content-disposition: form-data; name="${'n'.repeat(33_000)}"`;
      form.before.push({ headers: [header, 'Content-Disposition: form-data; name="a"'], body: '' });
    },
    malformed(),
  ],
  [
    'a field name of 2731 letters that are 8193 bytes',
    set('字'.repeat(2731), 'v'),
    {
      status: 400,
      code: 'FieldItemTooLong',
      message: TOO_LONG_NAME,
      ec: '0006-00000110',
      xml: { ProposedSize: '8193' },
    },
  ],
  [
    'a value of 2 MiB and a byte',
    set('note', Buffer.alloc(2_097_153, 'x')),
    {
      status: 400,
      code: 'FieldItemTooLong',
      message: 'Your value of form field is too long.',
      ec: '0006-00000111',
      xml: { MaxSizeAllowed: '2097152', ProposedSize: '2097153' },
    },
  ],
  [
    '8 MiB of values and a byte',
    (form) => {
      for (const n of [1, 2, 3, 4]) form.fields.set(`n${String(n)}`, Buffer.alloc(2_097_152, 'x'));
    },
    {
      status: 400,
      code: 'MaxPOSTPreDataLengthExceededError',
      message: 'Your POST request fields preceding the upload file were too large.',
      ec: '0006-00000112',
    },
  ],
  [
    'the same field twice',
    (form) => {
      form.before.push(named('note', 'one'), named('note', 'two'));
    },
    argument('note', 'The form field note is specified more than once.', undefined, 'two'),
  ],
  [
    'the same field twice in another case',
    (form) => {
      form.before.push(named('Key', 'x'));
    },
    argument('key', 'The form field key is specified more than once.'),
  ],
  [
    'two policies',
    (form) => {
      form.before.push(named('policy', 'e30='));
    },
    argument('policy', 'The form field policy is specified more than once.'),
  ],
  [
    'a key that is not UTF-8',
    set('key', Buffer.from([0x61, 0xff])),
    argument('key', 'The form field key is not encoded in UTF-8.'),
  ],
  [
    'a header field that is not UTF-8',
    set('Content-Disposition', Buffer.from([0xc3])),
    argument('Content-Disposition', 'The form field Content-Disposition is not encoded in UTF-8.'),
  ],
];

itRefuses([
  ['content type', validForm, CONTENT_TYPE],
  ['shape', validForm, SHAPE],
  ['files', validForm, FILES],
  ['fields', validForm, FIELD_LIMITS],
]);
