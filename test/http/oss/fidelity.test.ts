import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { DIFFERENCES } from '../../../src/oss/differences.ts';
import type { DifferenceCode } from '../../../src/oss/differences.ts';
import type { Notice } from '../../../src/oss/fidelity.ts';
import { field } from '../../unit/oss/post-object/multipart.ts';
import type { RawPart } from '../../unit/oss/post-object/multipart.ts';
import { addCondition, validForm } from './post/form.ts';
import type { Form } from './post/form.ts';
import { startOss } from './post/start.ts';
import type { Oss, OssResponse } from './post/start.ts';
import { startTestGateway } from '../../support/gateways.ts';

const DISPOSITION = 'Content-Disposition: form-data; name="file"; filename="a.bin"';
const TYPE = 'Content-Type: application/octet-stream';
const KEY = 'dir/firmware.bin';

/** A request that meets a difference. */
interface Meeting {
  readonly code: DifferenceCode;
  readonly request: string;
  readonly send: (oss: Oss) => Promise<OssResponse>;
  /** What it gets from a lenient gateway. */
  readonly lenient: Partial<OssResponse>;
  /** What it gets from a strict one, as OSS refuses it; absent when both treat it alike. */
  readonly strict?: Partial<OssResponse>;
}

const posting =
  (change: (form: Form) => unknown, path?: string) =>
  (oss: Oss): Promise<OssResponse> => {
    const form = validForm();
    change(form);
    return oss.post(form, path === undefined ? {} : { path });
  };

const fileHeaders = (...headers: string[]) => posting((form) => (form.fileHeaders = [...headers]));

const STORED = { status: 204 };
const refused = (status: number, Code: string, more: Readonly<Record<string, string>> = {}) => ({
  status,
  xml: expect.objectContaining({ Code, ...more }),
});
const MISPLACED = refused(400, 'MalformedPOSTRequest', { EC: '0006-00000109' });
const unrecognized = (ArgumentName: string, ArgumentValue: string) =>
  refused(400, 'InvalidArgument', {
    Message: 'The bucket POST contains unrecognized field name.',
    ...{ ArgumentName, ArgumentValue },
  });

let receiver: Server;

/** A form with a callback to a server on this machine. */
const calling = (settings: Readonly<Record<string, string>> = {}, isCovered = true) =>
  posting((form) => {
    const { port } = receiver.address() as AddressInfo;
    const callback = { callbackUrl: `http://127.0.0.1:${String(port)}`, callbackBody: 'a=1' };
    const text = JSON.stringify({ ...callback, ...settings });
    form.fields.set('callback', Buffer.from(text).toString('base64'));
    if (isCovered) addCondition(form, ['starts-with', '$callback', '']);
  });

const CALLED = { status: 200, body: '{"ok":true}' };
const FORBIDDEN = refused(400, 'InvalidArgument', {
  Message: 'Private address is forbidden to callback.',
});

const MEETINGS: readonly Meeting[] = [
  {
    code: 'PartHeaderOrder',
    request: 'a file whose Content-Type comes first, as .NET, Dart and aiohttp write it',
    send: fileHeaders(TYPE, DISPOSITION),
    lenient: STORED,
    strict: MISPLACED,
  },
  {
    code: 'PartHeaderOrder',
    request: 'a field whose Content-Type comes first',
    send: posting((form) =>
      form.before.push({
        headers: ['Content-Type: text/plain', 'Content-Disposition: form-data; name="a"'],
        body: '',
      }),
    ),
    lenient: STORED,
    strict: MISPLACED,
  },
  {
    code: 'FilePartHeader',
    request: 'a file announced in Base64',
    send: fileHeaders(DISPOSITION, TYPE, 'Content-Transfer-Encoding: base64'),
    lenient: STORED,
    strict: unrecognized('content-transfer-encoding', 'base64'),
  },
  {
    code: 'FilePartHeader',
    request: 'a file with a header of its own',
    send: fileHeaders(DISPOSITION, TYPE, 'Content-Length: 8', 'X-Version: 1.0'),
    lenient: STORED,
    strict: unrecognized('x-version', '1.0'),
  },
  {
    code: 'FilePartHeader',
    request: 'a file with a length before its type, as Guzzle 7.4 writes it',
    send: fileHeaders(DISPOSITION, 'Content-Length: 8', TYPE),
    lenient: STORED,
    strict: unrecognized('content-length', '8'),
  },
  {
    code: 'FilePartMultipart',
    request: 'a file of a multipart type',
    send: fileHeaders(DISPOSITION, 'Content-Type: multipart/mixed'),
    lenient: STORED,
    strict: refused(400, 'MalformedPOSTRequest'),
  },
  {
    code: 'ExtendedFilename',
    request: 'a file with filename*',
    send: fileHeaders(`Content-Disposition: form-data; name="file"; filename*=UTF-8''a.bin`, TYPE),
    lenient: STORED,
    strict: refused(400, 'FieldItemTooLong', {
      Message: 'Your name of form field is too long.',
      MaxSizeAllowed: '8192',
      ProposedSize: '8',
      EC: '0006-00000110',
    }),
  },
  {
    code: 'QuotedBoundary',
    request: 'a form with its boundary in quotes, as Qt writes it',
    send: posting((form) => (form.contentType = 'multipart/form-data; boundary="bOuNdArY"')),
    lenient: STORED,
    strict: refused(400, 'MalformedPOSTRequest'),
  },
  {
    code: 'PathStyle',
    request: 'a form for the path of the bucket',
    send: posting(() => undefined, '/iotx-ota/'),
    lenient: STORED,
    strict: refused(403, 'SecondLevelDomainForbidden'),
  },
  {
    code: 'PathStyle',
    request: 'a read in path style',
    send: (oss) => oss.send({ path: `/iotx-ota/${KEY}` }),
    lenient: refused(404, 'NoSuchKey'),
    strict: refused(403, 'SecondLevelDomainForbidden'),
  },
  {
    code: 'PrivateCallback',
    request: 'a callback to this machine',
    send: calling(),
    lenient: CALLED,
    strict: FORBIDDEN,
  },
  {
    code: 'UnsignedCallback',
    request: 'a callback',
    send: calling(),
    lenient: CALLED,
    strict: FORBIDDEN,
  },
  {
    code: 'UncoveredCallback',
    request: 'a callback without a condition',
    send: calling({}, false),
    lenient: refused(403, 'AccessDenied'),
  },
  {
    code: 'CallbackHost',
    request: 'a callback with a Host header that is not named',
    send: calling({ callbackUrl: 'http://named.test', callbackHost: 'other.test' }),
    lenient: refused(400, 'InvalidArgument'),
  },
  {
    code: 'StoredHeaders',
    request: 'a form with 8 KiB of user metadata and a type',
    send: posting((form) => form.fields.set('x-oss-meta-a', 'x'.repeat(8180))),
    lenient: refused(400, 'InvalidArgument'),
  },
];

const typedText = (name: string, value: string): RawPart => ({
  headers: [
    `Content-Disposition: form-data; name="${name}"`,
    'Content-Type: text/plain; charset=ISO-8859-1',
    'Content-Transfer-Encoding: 8bit',
  ],
  body: value,
});

/** What clients write that OSS accepts. */
const ACCEPTED: readonly [client: string, before: readonly RawPart[], file: readonly string[]][] = [
  [
    'the Java sample of GenerateOTAUploadURL',
    [typedText('success_action_status', '200')],
    ['Content-Disposition: form-data; name="file"', TYPE, 'Content-Transfer-Encoding: binary'],
  ],
  [
    'OkHttp',
    [
      {
        headers: ['Content-Disposition: form-data; name="a"', 'Content-Length: 1'],
        body: 'b',
      },
    ],
    [DISPOSITION, TYPE, 'Content-Length: 8'],
  ],
  ['curl and browsers', [field('a', 'b')], [DISPOSITION, TYPE]],
  ['python-requests', [field('a', 'b')], [DISPOSITION]],
  ['a client in small letters', [], [DISPOSITION.toLowerCase(), TYPE.toLowerCase()]],
];

beforeAll(async () => {
  receiver = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json').end('{"ok":true}');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

describe.each(['lenient', 'strict'] as const)('a gateway with %s fidelity', (fidelity) => {
  const logged: unknown[] = [];
  let oss: Oss;

  beforeEach(async () => {
    logged.length = 0;
    const logger = {
      debug: jest.fn(),
      warn: jest.fn(),
      error: jest.fn(),
      info: (details: object) => logged.push(details),
    };
    // A gateway for each test, because one logs at most ten notices in a second.
    oss = await startOss({
      fidelity,
      publicRead: true,
      unsignedCallbacks: false,
      callbackHosts: ['named.test'],
      parts: { logger },
    });
  });
  afterEach(() => oss.close());

  const noticesOf = (response: OssResponse): string[] => {
    const header = response.headers['x-ota-gateway-notice'];
    return typeof header === 'string' ? header.split(', ') : [];
  };

  it.each(MEETINGS)('treats $request by its row $code', async ({ code, lenient, send, strict }) => {
    const response = await send(oss);
    const isRefused = fidelity === 'strict' && strict !== undefined;
    expect(response).toMatchObject(isRefused ? strict : lenient);
    if (isRefused) {
      if (code !== 'UnsignedCallback' && code !== 'PrivateCallback') {
        expect(response.xml['Difference']).toBe(code);
      }
      expect(noticesOf(response)).toEqual([]);
      expect(oss.gateway.notices()).toEqual([]);
      expect(await oss.stored(KEY)).toBeUndefined();
      return;
    }
    expect(noticesOf(response)).toContain(code);
    const requestId = response.headers['x-oss-request-id'];
    const { behavior, oss: real } = DIFFERENCES[code];
    const notice: Notice = expect.objectContaining({ code, behavior, oss: real, requestId });
    expect(oss.gateway.notices()).toContainEqual(notice);
    expect(logged).toContainEqual({ requestId, notice: code });
  });

  it.each(ACCEPTED)('accepts a form of %s without a notice', async (_client, before, file) => {
    const form = validForm();
    form.before.push(...before);
    form.fileHeaders = [...file];
    const response = await oss.post(form);
    expect([200, 204]).toContain(response.status);
    expect(String(await oss.read(KEY))).toBe('firmware');
    expect(noticesOf(response)).toEqual([]);
    expect(oss.gateway.notices()).toEqual([]);
  });
});

it('has a request for every difference', () => {
  const codes = new Set(MEETINGS.map(({ code }) => code));
  expect([...codes].sort()).toEqual(Object.keys(DIFFERENCES).sort());
});

it('lists all notices of one request once', async () => {
  const oss = await startOss();
  const form = validForm();
  form.fileHeaders = [TYPE, `${DISPOSITION}; filename*=UTF-8''a`];
  form.contentType = 'multipart/form-data; boundary="bOuNdArY"';
  form.before.push({ headers: ['X-A: b', 'Content-Disposition: form-data; name="a"'], body: '' });
  const { headers } = await oss.post(form, { path: '/iotx-ota' });
  expect(headers['x-ota-gateway-notice']).toBe(
    'PathStyle, QuotedBoundary, PartHeaderOrder, ExtendedFilename',
  );
  expect(oss.gateway.notices()).toHaveLength(4);
  await oss.gateway.reset();
  expect(oss.gateway.notices()).toEqual([]);
  await oss.close();
});

it('keeps the last 1000 notices', async () => {
  await using gateway = await startTestGateway();
  for (let read = 0; read < 1001; read += 1) await gateway.fetch(`/iotx-ota/${String(read)}`);
  const notices = gateway.notices();
  expect(notices).toHaveLength(1000);
  expect(new Set(notices.map(({ requestId }) => requestId)).size).toBe(1000);
});
