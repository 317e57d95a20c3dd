import { md5Base64, validForm } from './form.ts';
import { argument, KEY_MISSING, set, named, itRefuses } from './refusal.ts';
import type { Refusal, Case } from './refusal.ts';

const NAME_INVALID = 'The specified object is not valid.';
const objectName = (message: string): Refusal => ({
  status: 400,
  code: 'InvalidObjectName',
  message,
});
const KEYS: readonly Case[] = [
  ['no key', (form) => form.fields.delete('key'), argument('key', KEY_MISSING)],
  [
    'the key after the file',
    (form) => {
      form.fields.delete('key');
      form.after.push(named('key', 'dir/firmware.bin'));
    },
    argument('key', KEY_MISSING),
  ],
  ['an empty key', set('key', ''), objectName('The Object name can not be empty.')],
  [
    'a key of 1024 bytes',
    set('key', 'k'.repeat(1024)),
    objectName('The Length of Object name must be less than 1024.'),
  ],
  [
    'a key of 342 letters that are 1026 bytes',
    set('key', '字'.repeat(342)),
    objectName('The Length of Object name must be less than 1024.'),
  ],
  ['a key that begins with a slash', set('key', '/a'), objectName(NAME_INVALID)],
  ['a key that begins with a backslash', set('key', '\\a'), objectName(NAME_INVALID)],
  ['a key with a NUL', set('key', 'a\0b'), objectName(NAME_INVALID)],
  ["a key of the gateway's own", set('key', '_gateway/health'), objectName(NAME_INVALID)],
  [
    'a bad key of a form with a wrong signature',
    (form) => {
      form.fields.set('key', '/a').set('Signature', 'x');
    },
    objectName(NAME_INVALID),
  ],
];

const EXPANDED_KEYS: readonly Case[] = (
  [
    [
      'a file name makes the key too long',
      'x'.repeat(1022),
      'a/${filename}',
      'The Length of Object name must be less than 1024.',
    ],
    ['a file name makes the key empty', '', '${filename}', 'The Object name can not be empty.'],
    ["a file name makes the key the gateway's own", '_gateway', '${filename}', NAME_INVALID],
    ['a file name has a NUL', 'a\0', '${filename}', NAME_INVALID],
    ['a file name is not UTF-8', '\u{FFFD}', '${filename}', NAME_INVALID],
  ] as const
).map(([name, filename, key, message]): Case => [
  name,
  (form) => {
    form.fields.set('key', key);
    form.policy.conditions = [['starts-with', '$key', '']];
    form.fileHeaders = [`Content-Disposition: form-data; name="file"; filename="${filename}"`];
  },
  objectName(message),
]);

const bad = (name: string, message: string, value?: string): Refusal =>
  argument(name, message, undefined, value);
const unfit = (name: string): Refusal =>
  bad(name, `The form field ${name} holds characters that no header can carry.`);
const large = (name: string): Refusal =>
  bad(name, 'The total size of the headers stored with an object exceeds 8192 bytes.');
const HEADERS: readonly Case[] = [
  ...[
    'Cache-Control',
    'Content-Disposition',
    'Content-Encoding',
    'Expires',
    'x-oss-meta-a',
    'x-oss-content-type',
  ].flatMap((name): Case[] => {
    const stored = name === 'x-oss-content-type' ? 'content-type' : name.toLowerCase();
    return [
      [`CR LF in ${name}`, set(name, 'a\r\nSet-Cookie: b'), unfit(stored)],
      [`NUL in ${name}`, set(name, 'a\0b'), unfit(stored)],
    ];
  }),
  ['a space in the name of metadata', set('x-oss-meta-a b', 'c'), unfit('x-oss-meta-a b')],
  ['a colon in the name of metadata', set('x-oss-meta-a:b', 'c'), unfit('x-oss-meta-a:b')],
  ...[
    'Cache-Control',
    'Content-Disposition',
    'Content-Encoding',
    'Expires',
    'x-oss-meta-a',
    'x-oss-content-type',
  ].map((name): Case => {
    const stored = name === 'x-oss-content-type' ? 'content-type' : name.toLowerCase();
    return [
      `more than 8 KiB in ${name}`,
      set(name, 'x'.repeat(8193 - stored.length)),
      large(stored),
    ];
  }),
  [
    'more than 8 KiB in the id of a key',
    (form) => {
      form.fields.set('x-oss-server-side-encryption', 'KMS');
      form.fields.set('x-oss-server-side-encryption-key-id', 'x'.repeat(8192));
    },
    large('x-oss-server-side-encryption-key-id'),
  ],
  [
    'more than 8 KiB in headers that are small each, counted as they are sent',
    (form) => {
      form.fields.set('Cache-Control', 'é'.repeat(2000)).set('Expires', 'é'.repeat(2000));
      form.fields.set('x-oss-meta-a', 'é'.repeat(80));
    },
    large('x-oss-meta-a'),
  ],
  [
    'an unknown ACL',
    set('x-oss-object-acl', 'everyone'),
    bad('x-oss-object-acl', 'no such object access control exists', 'everyone'),
  ],
  ...['public-read', 'public-read-write'].map((acl): Case => [
    `ACL ${acl}`,
    set('x-oss-object-acl', acl),
    {
      status: 403,
      code: 'AccessDenied',
      message: `The object ACL ${acl} is not allowed: the bucket cannot be read publicly (OTA_GATEWAY_PUBLIC_READ).`,
    },
  ]),
  [
    'a public ACL in the header of the request',
    (form) => {
      form.requestHeaders['x-oss-object-acl'] = 'public-read';
    },
    {
      status: 403,
      code: 'AccessDenied',
      message:
        'The object ACL public-read is not allowed: the bucket cannot be read publicly (OTA_GATEWAY_PUBLIC_READ).',
    },
  ],
  [
    'an unknown storage class',
    set('x-oss-storage-class', 'Cold'),
    bad(
      'x-oss-storage-class',
      'The storage class must be one of Standard, IA, Archive, ColdArchive, DeepColdArchive.',
      'Cold',
    ),
  ],
  [
    'an unknown encryption',
    set('x-oss-server-side-encryption', 'DES'),
    {
      status: 400,
      code: 'InvalidEncryptionAlgorithmError',
      message:
        'The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.',
    },
  ],
  [
    'an unknown data encryption',
    (form) => {
      form.fields
        .set('x-oss-server-side-encryption', 'KMS')
        .set('x-oss-server-side-data-encryption', 'AES');
    },
    {
      status: 400,
      code: 'InvalidEncryptionAlgorithmError',
      message:
        'The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.',
    },
  ],
  [
    'a key id without KMS',
    set('x-oss-server-side-encryption-key-id', 'k'),
    bad(
      'x-oss-server-side-encryption-key-id',
      'x-oss-server-side-encryption-key-id needs x-oss-server-side-encryption to be KMS.',
    ),
  ],
  ...['nonsense', '/relative', 'ftp://a/b', 'javascript:alert(1)'].map((url): Case => [
    `redirect to ${url}`,
    set('success_action_redirect', url),
    bad('success_action_redirect', 'success_action_redirect must be an http or https URL.', url),
  ]),
  [
    'a Content-MD5 that is not Base64',
    (form) => {
      form.requestHeaders['Content-MD5'] = 'nonsense';
    },
    {
      status: 400,
      code: 'InvalidDigest',
      message: 'The Content-MD5 you specified was invalid.',
      ec: '0017-00000502',
    },
  ],
  [
    'a Content-MD5 in hexadecimal',
    (form) => {
      form.requestHeaders['Content-MD5'] = '5d41402abc4b2a76b9719d911017c592';
    },
    {
      status: 400,
      code: 'InvalidDigest',
      message: 'The Content-MD5 you specified was invalid.',
      ec: '0017-00000502',
    },
  ],
  [
    'a Content-MD5 of the file alone',
    (form) => {
      form.requestHeaders['Content-MD5'] = md5Base64(Buffer.from('firmware'));
    },
    {
      status: 400,
      code: 'InvalidDigest',
      message: 'The Content-MD5 you specified was invalid.',
      ec: '0017-00000503',
    },
  ],
];

const callback = (settings: object | string): string =>
  Buffer.from(typeof settings === 'string' ? settings : JSON.stringify(settings)).toString(
    'base64',
  );
const LOCAL = { callbackUrl: 'http://127.0.0.1:1/', callbackBody: 'a=b' };
const CALLBACKS: readonly Case[] = (
  [
    ['not Base64', 'no base64', 'The callback configuration is not base64 encoded.'],
    ['not JSON', callback('nothing'), 'The callback configuration is not json format.'],
    ['a JSON array', callback('[]'), 'The callback configuration is not json format.'],
    ['no body', callback({ callbackUrl: LOCAL.callbackUrl }), 'The callback body is empty.'],
    ['an empty body', callback({ ...LOCAL, callbackBody: '' }), 'The callback body is empty.'],
    [
      'a body that is not a text',
      callback({ ...LOCAL, callbackBody: 1 }),
      'The callback body is empty.',
    ],
    [
      'an unknown body type',
      callback({ ...LOCAL, callbackBodyType: 'text/plain' }),
      'The body type of callback is not supported.',
    ],
    ['no URL', callback({ callbackBody: 'a' }), 'The callback url configuration is invalid.'],
    [
      'a URL of another scheme',
      callback({ ...LOCAL, callbackUrl: 'ftp://127.0.0.1/' }),
      'The callback url configuration is invalid.',
    ],
    [
      'an invalid URL',
      callback({ ...LOCAL, callbackUrl: 'http://' }),
      'The callback url configuration is invalid.',
    ],
    [
      'a host with a line break',
      callback({ ...LOCAL, callbackHost: 'a\r\nb: c' }),
      'The callback url configuration is invalid.',
    ],
    [
      'six URLs',
      callback({ ...LOCAL, callbackUrl: Array(6).fill('http://127.0.0.1').join(';') }),
      'The number of callback url exceed max value.',
    ],
    [
      'more than 5 KiB',
      callback({ ...LOCAL, callbackBody: 'x'.repeat(5000) }),
      'The length of callback exceed max value.',
    ],
    ...[
      'http://10.0.0.1/',
      'http://192.168.1.1/',
      'http://169.254.169.254/',
      'https://example.com/',
      'http://localhost.example.com/',
      'http://[::ffff:127.0.0.1]/',
      '10.1.2.3/x',
    ].map(
      (url) =>
        [
          `the address ${url}`,
          callback({ ...LOCAL, callbackUrl: url }),
          'Private address is forbidden to callback.',
        ] as const,
    ),
    [
      'a forbidden address after an allowed one',
      callback({ ...LOCAL, callbackUrl: 'http://127.0.0.1;http://10.0.0.1' }),
      'Private address is forbidden to callback.',
    ],
  ] as const
).map(([name, value, message]): Case => [
  `a callback with ${name}`,
  set('callback', value),
  bad('callback', message),
]);

itRefuses([
  ['key', validForm, KEYS],
  ['key with the name of its file', validForm, EXPANDED_KEYS],
  ['headers', validForm, HEADERS],
  ['callback', validForm, CALLBACKS],
]);
