import { addCondition, BUCKET, BUCKET_KEY, md5Base64, NOW, policyOf } from './form.ts';
import { REGION, signV1, signV4, validForm, validFormV4, writeForm } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import type { Oss } from './start.ts';

const KEY = 'dir/firmware.bin';
/** Digests of `firmware`, computed with another tool. */
const MD5 = '74B5B5E9570EFC5C0553BB327CD41940';
const CRC64 = '5737800006686197648';

type Case = readonly [name: string, change: (form: Form) => unknown];

const set =
  (name: string, value: string | Buffer) =>
  (form: Form): void => {
    form.fields.set(name, value);
  };
const after = (name: string, body = 'x') => ({
  headers: [`Content-Disposition: form-data; name="${name}"`],
  body,
});
const condition = (value: unknown) => (form: Form) => {
  addCondition(form, value);
};

const ACCEPTED: readonly Case[] = [
  ['no change', () => undefined],
  [
    'a Content-Type in capitals',
    (form) => (form.contentType = 'MULTIPART/FORM-DATA; BOUNDARY=bOuNdArY'),
  ],
  ['a quoted boundary', (form) => (form.contentType = 'multipart/form-data; boundary="bOuNdArY"')],
  [
    'a boundary after another parameter',
    (form) => (form.contentType = 'multipart/form-data; charset=utf-8; boundary=bOuNdArY'),
  ],
  [
    'bytes before the first boundary',
    (form) => (form.finish = (body) => Buffer.concat([Buffer.from('\r\n'), body])),
  ],
  [
    'bytes after the closing boundary',
    (form) => (form.finish = (body) => Buffer.concat([body, Buffer.from('\r\n--bOuNdArY\r\n')])),
  ],
  [
    'no line break after the closing boundary',
    (form) => (form.finish = (body) => body.subarray(0, -2)),
  ],
  ['a submit button after the file', (form) => form.after.push(after('submit', 'Upload to OSS'))],
  [
    'several ignored fields after the file',
    (form) =>
      form.after.push(
        after('submit'),
        after('name'),
        after('success_action_status', '200'),
        after('__proto__'),
      ),
  ],
  ['64 KiB after the file', (form) => form.after.push(after('submit', 'x'.repeat(65_536)))],
  [
    'unknown fields',
    (form) => {
      for (const name of [
        'name',
        'submit',
        '__proto__',
        'constructor',
        'a[b][c]',
        'x'.repeat(8192),
        ' ',
        'ключ',
        'nul\0',
      ])
        form.fields.set(name, name);
    },
  ],
  ['a submit button in another charset', set('submit', Buffer.from([0xc9, 0xcf, 0xb4, 0xab]))],
  ['a value of 2 MiB', set('note', Buffer.alloc(2_097_152, 'x'))],
  [
    'nearly 8 MiB of values',
    (form) => {
      for (const n of [1, 2, 3]) form.fields.set(`n${String(n)}`, Buffer.alloc(2_097_152, 'x'));
      form.fields.set('n4', Buffer.alloc(2_090_000, 'x'));
    },
  ],
  [
    '998 parts before the file',
    (form) => form.before.push(...Array.from({ length: 995 }, (_, n) => after(`n${String(n)}`))),
  ],
  [
    'fields in capitals',
    (form) => {
      form.fields.clear();
      form.fields
        .set('KEY', KEY)
        .set('POLICY', policyOf(form))
        .set('OSSACCESSKEYID', BUCKET_KEY.id)
        .set('SIGNATURE', signV1(policyOf(form)));
    },
  ],
  ['signature in small letters', (form) => form.fields.set('signature', signV1(policyOf(form)))],
  ['an empty security token', set('x-oss-security-token', '')],
  ['a security token', set('x-oss-security-token', 'token')],
  [
    'stray fields of version 4',
    (form) => form.fields.set('x-oss-date', 'x').set('x-oss-credential', 'y'),
  ],
  [
    'an Authorization header, which is ignored',
    (form) => (form.requestHeaders['Authorization'] = 'OSS nobody:nothing'),
  ],
  [
    'a Content-MD5 of the whole body',
    (form) => (form.requestHeaders['Content-MD5'] = md5Base64(writeForm(form).body)),
  ],
  [
    'an expiration without milliseconds',
    (form) => (form.policy.expiration = '2026-01-02T03:04:06Z'),
  ],
  [
    'an expiration a millisecond ahead',
    (form) => (form.policy.expiration = '2026-01-02T03:04:05.001Z'),
  ],
  [
    'a policy that has only a size',
    (form) => (form.policy.conditions = [['content-length-range', 0, 8]]),
  ],
  ['a policy that has only a bucket', (form) => (form.policy.conditions = [{ bucket: BUCKET }])],
  [
    'a size at the lower end',
    (form) => (form.policy.conditions = [['content-length-range', 8, 9]]),
  ],
  ['a prefix of the key', condition(['starts-with', '$key', 'dir/'])],
  ['a condition without a dollar', condition(['eq', 'key', KEY])],
  ['a condition in capitals', condition(['eq', '$KEY', KEY])],
  ['a key that is on the list', condition(['in', '$key', ['other', KEY]])],
  ['a key that is not on the list', condition(['not-in', '$key', ['other']])],
  [
    'a condition on any other field',
    (form) => {
      form.fields.set('fileName', 'a');
      addCondition(form, { fileName: 'a' });
    },
  ],
  [
    'a condition on the type of the file',
    condition(['in', '$content-type', ['application/octet-stream']]),
  ],
  [
    'a condition on the Content-Type field',
    (form) => {
      form.fileHeaders = ['Content-Disposition: form-data; name="file"'];
      form.fields.set('Content-Type', 'image/png');
      addCondition(form, { 'Content-Type': 'image/png' });
    },
  ],
  [
    'a condition on x-oss-content-type',
    (form) => {
      form.fields.set('x-oss-content-type', 'image/png');
      addCondition(form, { 'content-type': 'image/png' });
    },
  ],
  [
    'a dollar with a backslash before it',
    (form) => {
      form.fields.set('note', '$1');
      addCondition(form, { note: '\\$1' });
    },
  ],
  ['an ACL of default', set('x-oss-object-acl', 'default')],
  [
    'an ACL field that takes precedence over the header',
    (form) => {
      form.fields.set('x-oss-object-acl', 'private');
      form.requestHeaders['x-oss-object-acl'] = 'public-read';
    },
  ],
  [
    'a file typed as text',
    (form) =>
      (form.fileHeaders = [
        'Content-Disposition: form-data; name="file"',
        'Content-Type: text/plain; charset=utf-8',
      ]),
  ],
  [
    'a file with the field name FILE',
    (form) => (form.fileHeaders = ['Content-Disposition: form-data; name="FILE"']),
  ],
  [
    'a file whose name is not a token, without quotes',
    (form) =>
      (form.fileHeaders = ['Content-Disposition: form-data; name=file; filename=a/b c.bin']),
  ],
  [
    'a file with an empty name',
    (form) => (form.fileHeaders = ['Content-Disposition: form-data; name="file"; filename=""']),
  ],
  [
    'a file with filename*',
    (form) =>
      (form.fileHeaders = [
        `Content-Disposition: form-data; name="file"; filename*=UTF-8''a%20b.bin`,
      ]),
  ],
  [
    'a file with other headers',
    (form) => form.fileHeaders.push('Content-Transfer-Encoding: binary', 'X-Any: thing'),
  ],
  [
    'headers in small letters',
    (form) =>
      (form.fileHeaders = ['content-disposition: form-data; name="file"', 'content-type: a/b']),
  ],
  [
    'a folded header',
    (form) => (form.fileHeaders = ['Content-Disposition: form-data;', ' name="file"']),
  ],
];

const ACCEPTED_V4: readonly Case[] = [
  ['no change', () => undefined],
  ['a date 15 minutes ahead', dated('20260102T031905Z')],
  ['a date 7 days ago', dated('20251226T030405Z')],
  ['a security token', set('x-oss-security-token', 'token')],
  [
    'stray fields of version 1',
    (form) => form.fields.set('OSSAccessKeyId', 'x').set('Signature', 'y'),
  ],
];

function dated(date: string) {
  return (form: Form): void => {
    const day = date.slice(0, 8);
    form.fields
      .set('x-oss-date', date)
      .set('x-oss-credential', `bucketid/${day}/${REGION}/oss/aliyun_v4_request`)
      .set('x-oss-signature', signV4(policyOf(form), day));
  };
}

describe('PostObject', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss();
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    expect(await oss.uncommitted()).toBe(0);
    await oss.close();
  });

  const expectStored = async (form: Form): Promise<void> => {
    const response = await oss.post(form);
    expect(response).toMatchObject({ status: 204, body: '' });
    expect(response.headers).toMatchObject({
      server: 'AliyunOSS',
      date: 'Fri, 02 Jan 2026 03:04:05 GMT',
      etag: `"${MD5}"`,
      'x-oss-hash-crc64ecma': CRC64,
      'content-md5': Buffer.from(MD5, 'hex').toString('base64'),
      'x-oss-server-time': '0',
    });
    expect(response.headers['x-oss-request-id']).toMatch(/^[0-9A-F]{24}$/);
    expect(response.headers).not.toHaveProperty('content-length');
    expect(response.headers).not.toHaveProperty('content-type');
    expect((await oss.read(KEY)).toString()).toBe('firmware');
    const stored = await oss.stored(KEY);
    expect(stored?.object).toMatchObject({ size: 8, md5: MD5.toLowerCase(), storedAt: NOW });
  };

  it.each(ACCEPTED)('accepts a form of version 1 with %s', async (_, change) => {
    const form = validForm();
    change(form);
    await expectStored(form);
  });

  it.each(ACCEPTED_V4)('accepts a form of version 4 with %s', async (_, change) => {
    const form = validFormV4();
    change(form);
    await expectStored(form);
  });

  it.each([
    ['by path style', `/${BUCKET}`, undefined],
    ['by path style with a slash', `/${BUCKET}/`, undefined],
    ['by virtual host', '/', `${BUCKET}.oss.example`],
    ['with a query of an API call', '/?Action=GenerateOTAUploadURL', undefined],
  ])('accepts a form %s', async (_, path, host) => {
    const response = await oss.post(validForm(), { path, ...(host !== undefined && { host }) });
    expect(response.status).toBe(204);
  });

  it('accepts a V4 form dated by the wall clock when the clock of the gateway was moved', async () => {
    const form = validFormV4();
    form.policy.expiration = '2030-01-01T00:00:00Z';
    oss.clock.advance({ days: 30 });
    const wall = await startOss({ parts: { wallClock: { now: () => NOW } } });
    wall.clock.advance({ days: 30 });
    try {
      expect((await oss.post(form)).xml).toMatchObject({ Code: 'RequestTimeTooSkewed' });
      expect((await wall.post(form)).status).toBe(204);
    } finally {
      oss.clock.advance({ days: -30 });
      await wall.close();
    }
  });

  it('accepts a form whose policy expires while the body is sent', async () => {
    const { body, headers } = writeForm(validForm());
    const socket = await oss.dial();
    const lines = Object.entries({
      ...headers,
      Host: 'h',
      'Content-Length': body.length,
      Connection: 'close',
    });
    socket.write(
      `POST / HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${String(value)}\r\n`).join('')}\r\n`,
    );
    socket.write(body.subarray(0, -20));
    await new Promise((resolve) => setTimeout(resolve, 100));
    oss.clock.advance({ minutes: 5 });
    socket.write(body.subarray(-20));
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    oss.clock.advance({ minutes: -5 });
    expect(text).toMatch(/^HTTP\/1\.1 204 /);
  });
});
