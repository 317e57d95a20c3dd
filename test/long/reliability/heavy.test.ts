import { join } from 'node:path';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  BUCKET_KEY,
  bodiesOnDisk,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { grantFrom, post } from '../../support/loop.ts';
import { exchange, readAnswer } from './exchange.ts';
import { formRequest, signPolicy } from './hostile-forms.ts';
import { openFiles, residentBytes } from './process-facts.ts';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
/** The maximum time of the largest request on two busy cores; a quadratic step would take minutes. */
const LIMIT_MS = 10_000;

const GOOD = JSON.stringify({
  expiration: '2099-01-01T00:00:00.000Z',
  conditions: [{ bucket: 'iotx-ota' }],
});

function policyOf(json: string): string {
  return Buffer.from(json).toString('base64');
}

function withConditions(conditions: string): string {
  return `{"expiration":"2099-01-01T00:00:00.000Z","conditions":[${conditions}]}`;
}

function field(name: string, value: string): string {
  return `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

interface HeavyForm {
  readonly policy?: string;
  readonly key?: string;
  readonly fields?: string;
  readonly file?: string;
  readonly fileHead?: string;
  readonly trailers?: string;
}

function form({ policy = policyOf(GOOD), ...rest }: HeavyForm): Buffer {
  const { key = 'k', fields = '', file = 'x', trailers = '' } = rest;
  const fileHead = rest.fileHead ?? 'Content-Disposition: form-data; name="file"';
  return formRequest(
    'b',
    Buffer.from(
      field('key', key) +
        field('policy', policy) +
        field('OSSAccessKeyId', BUCKET_KEY.id) +
        field('Signature', signPolicy(policy)) +
        fields +
        `--b\r\n${fileHead}\r\n\r\n${file}\r\n${trailers}--b--\r\n`,
    ),
  );
}

const now = (): string => new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');

/** A call with a known access key. Each character of the value is one byte. */
function wronglySigned(value: string): Buffer {
  const common = new URLSearchParams({
    Action: 'GenerateOTAUploadURL',
    Version: '2018-01-20',
    AccessKeyId: ACCOUNT_KEY.id,
    Timestamp: now(),
    SignatureNonce: 'n',
    SignatureMethod: 'HMAC-SHA1',
    SignatureVersion: '1.0',
    Signature: 'x',
  });
  const body = `${common.toString()}&p=${value}`;
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
      `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
    'latin1',
  );
}

function signedHeaders(names: string, host: string): Buffer {
  const all = `${names};x-acs-action;x-acs-version;x-acs-date;x-acs-signature-nonce;x-acs-content-sha256`;
  return Buffer.from(
    `POST / HTTP/1.1\r\nHost: ${host}\r\nx-acs-action: GenerateOTAUploadURL\r\n` +
      `x-acs-version: 2018-01-20\r\nx-acs-date: ${now()}\r\nx-acs-signature-nonce: n\r\n` +
      'x-acs-content-sha256: x\r\n' +
      `Authorization: ACS3-HMAC-SHA256 Credential=${ACCOUNT_KEY.id},SignedHeaders=${all},Signature=x\r\n\r\n`,
  );
}

const CONDITION = '["starts-with","$key",""]';
const DEEP = 300_000;
const DISPOSITION = 'content-disposition:';

/** A request, and the status and code of its response. */
const CASES: readonly (readonly [name: string, request: () => Buffer, answer: string])[] = [
  ['a small form', () => form({}), '204 '],
  [
    'a policy of just 2 MiB',
    () => form({ policy: 'A'.repeat(2 * MIB) }),
    '400 InvalidPolicyDocument',
  ],
  [
    'a policy of more than 2 MiB',
    () => form({ policy: 'A'.repeat(2 * MIB + 4) }),
    '400 FieldItemTooLong',
  ],
  [
    'a policy of 50,000 conditions',
    () => form({ policy: policyOf(withConditions(Array(50_000).fill(CONDITION).join())) }),
    '204 ',
  ],
  [
    'a policy of 100,000 conditions, which is too long',
    () => form({ policy: policyOf(withConditions(Array(100_000).fill(CONDITION).join())) }),
    '400 FieldItemTooLong',
  ],
  [
    'a policy of 100,000 short conditions',
    () => form({ policy: policyOf(withConditions(Array(100_000).fill('{"key":"k"}').join())) }),
    '204 ',
  ],
  [
    'arrays in arrays',
    () => form({ policy: policyOf(withConditions('['.repeat(DEEP) + ']'.repeat(DEEP))) }),
    '400 InvalidPolicyDocument',
  ],
  [
    'objects in objects, never closed',
    () => form({ policy: policyOf('{"a":'.repeat(DEEP)) }),
    '400 InvalidPolicyDocument',
  ],
  [
    'a million escapes',
    () => form({ policy: policyOf(withConditions(`["eq","$key","${'\\$'.repeat(700_000)}"]`)) }),
    '403 AccessDenied',
  ],
  [
    'a condition with 300,000 values',
    () =>
      form({
        policy: policyOf(withConditions(`["in","$key",[${Array(300_000).fill('"a"').join()}]]`)),
      }),
    '403 AccessDenied',
  ],
  [
    'a list of values that is searched for each of many conditions',
    () => {
      const values = Array(1000).fill('"a"').join();
      return form({
        policy: policyOf(withConditions(Array(300).fill(`["not-in","$key",[${values}]]`).join())),
      });
    },
    '204 ',
  ],
  [
    'a key of many placeholders',
    () => form({ key: '${filename}'.repeat(180_000) }),
    '400 InvalidObjectName',
  ],
  [
    'ten thousand parts',
    () =>
      form({
        fields: Array.from({ length: 10_000 }, (_, n) => field(`f${String(n)}`, '')).join(''),
      }),
    '400 MalformedPOSTRequest',
  ],
  [
    'nine megabytes of fields',
    () =>
      form({
        fields: Array.from({ length: 9 }, (_, n) => field(`f${String(n)}`, 'v'.repeat(MIB))).join(
          '',
        ),
      }),
    '400 MaxPOSTPreDataLengthExceededError',
  ],
  [
    'a megabyte of headers of one part',
    () =>
      form({ fileHead: `X: ${'f'.repeat(MIB)}\r\nContent-Disposition: form-data; name="file"` }),
    '400 MalformedPOSTRequest',
  ],
  [
    'a name of nine kilobytes',
    () => form({ fields: field('n'.repeat(9000), '') }),
    '400 FieldItemTooLong',
  ],
  [
    'headers of a part that begin many names, and never end',
    () => {
      const names = `${'name='.repeat(1600)};`;
      const headers = `${DISPOSITION.repeat(820)}${names}${names}`.padEnd(33_000, ';');
      return formRequest('b', Buffer.from(`--b\r\n${headers}`));
    },
    '400 MalformedPOSTRequest',
  ],
  [
    'a name that is deeply nested',
    () => form({ fields: field(`a${'[b]'.repeat(2000)}`, '1') }),
    '204 ',
  ],
  ['the name __proto__', () => form({ fields: field('__proto__', '{"x":1}') }), '204 '],
  ['no name', () => form({ fields: field('', '1') }), '400 MalformedPOSTRequest'],
  ['a boundary look-alike every few bytes', () => form({ file: '\r\n--'.repeat(400_000) }), '204 '],
  [
    'a boundary look-alike that is one byte longer, every few bytes',
    () => form({ file: '\r\n--bx'.repeat(300_000) }),
    '204 ',
  ],
  [
    'a megabyte after the closing boundary',
    () => form({ trailers: `--b--\r\n${'e'.repeat(MIB)}` }),
    '400 MalformedPOSTRequest',
  ],
  [
    'a hundred kilobytes of trailers',
    () => form({ trailers: field('t', 'v'.repeat(100_000)) }),
    '400 MalformedPOSTRequest',
  ],
  [
    'metadata of nine kilobytes',
    () => form({ fields: field('x-oss-meta-a', 'v'.repeat(9000)) }),
    '400 InvalidArgument',
  ],
  [
    'a line break in a redirect',
    () => form({ fields: field('success_action_redirect', 'http://h/\r\nX-Injected: yes') }),
    '303 ',
  ],
  [
    'a line break in metadata',
    () => form({ fields: field('x-oss-meta-a', 'a\r\nX-Injected: yes') }),
    '400 InvalidArgument',
  ],
  [
    'a call of two megabytes',
    () => {
      const body = `Action=GenerateOTAUploadURL&Version=2018-01-20&x=${'v'.repeat(2 * MIB)}`;
      return Buffer.from(
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
          `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
      );
    },
    '413 RequestBodyTooLarge',
  ],
  [
    'a call of a hundred thousand parameters',
    () => {
      const body = `Action=GenerateOTAUploadURL&Version=2018-01-20&${'a=&'.repeat(300_000)}`;
      return Buffer.from(
        `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n` +
          `Content-Length: ${String(body.length)}\r\n\r\n${body}`,
      );
    },
    '400 InvalidParameter',
  ],
  [
    'a wrongly signed call of a megabyte that is no UTF-8',
    () => wronglySigned('\xff'.repeat(MIB - 1000)),
    '413 RequestBodyTooLarge',
  ],
  [
    'a wrongly signed call that grows in its canonical form',
    () => wronglySigned('%FF'.repeat(40_000)),
    '400 InvalidParameter',
  ],
  [
    'a call that signs its host ten thousand times',
    () => signedHeaders(`host${';host'.repeat(7000)}`, 'h'.repeat(20_000)),
    '400 SignatureDoesNotMatch',
  ],
  [
    'eight megabytes of spaces after boundaries',
    () =>
      form({
        fields: Array.from({ length: 300 }, (_, n) =>
          field(`f${String(n)}`, '').replace('--b', `--b${' '.repeat(28_000)}`),
        ).join(''),
      }),
    '400 MalformedPOSTRequest',
  ],
  [
    'a redirect of a megabyte',
    () => form({ fields: field('success_action_redirect', `http://h/${'"'.repeat(MIB)}`) }),
    '400 InvalidArgument',
  ],
  [
    'a request line of 70 kilobytes',
    () => Buffer.from(`GET /?${'q'.repeat(70_000)} HTTP/1.1\r\nHost: h\r\n\r\n`),
    '431 ',
  ],
  [
    'ten thousand headers',
    () => Buffer.from(`GET /x HTTP/1.1\r\nHost: h\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
    '403 AccessDenied',
  ],
];

describe('a heavy request:', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;
  let before: { files: number; memory: number };

  beforeAll(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'));
    await exchange(gateway.port, form({}));
    // The gateway keeps some files open after its first small and its first large file.
    for (const bytes of [patternBytes(1000), patternBytes(2 * MIB)]) {
      expect(await post(await grantFrom(gateway.url), bytes)).toMatchObject({ status: 200 });
    }
    before = { files: openFiles(gateway.pid), memory: residentBytes(gateway.pid) };
  });

  afterAll(async () => {
    await gateway.stop();
    await folder.remove();
  });

  it.each(CASES)('%s', async (_name, request, expected) => {
    const bytes = request();
    const from = Date.now();
    const { received, hung } = await exchange(gateway.port, bytes, LIMIT_MS);
    const took = Date.now() - from;
    const answer = readAnswer(received);
    const [, xml, json] = /<Code>([^<]*)|"Code":"([^"]*)/.exec(answer?.body ?? '') ?? [];
    expect(`${String(answer?.status)} ${xml ?? json ?? ''}`).toBe(expected);
    expect(answer?.head).not.toMatch(/^x-injected/im);
    expect(hung).toBe(false);
    expect(took).toBeLessThan(LIMIT_MS);
  });

  it('leaves nothing open or staged, and no memory, after all of them', async () => {
    expect((await bodiesOnDisk(gateway.dataDir)).staging).toEqual([]);
    expect(openFiles(gateway.pid)).toBeLessThanOrEqual(before.files + 5);
    expect(residentBytes(gateway.pid)).toBeLessThan(before.memory + 300 * MIB);
    expect(gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });
});
