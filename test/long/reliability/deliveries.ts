import fc from 'fast-check';
import type { Step } from './exchange.ts';
import type { HostileRequest } from './hostile-forms.ts';
import { seldom } from './hostile-text.ts';

/** Ways in which a broken or hostile client sends requests: see `deliver`. */
export interface Delivery {
  readonly kind: string;
  readonly steps: readonly Step[];
  /** The number of responses to wait for. */
  readonly requests: number;
}

type Requests = fc.Arbitrary<HostileRequest>;

/** A position in bytes, as a share of their length. */
const place = fc.integer({ min: 0, max: 1000 }).map((thousandths) => thousandths / 1000);
const shortPause = fc.integer({ min: 0, max: 5 });
const longPause = fc.integer({ min: 0, max: 30 });

/** The maximum number of bytes in one write. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Split at any position, with a pause after each piece. */
function inPieces(requests: Requests): fc.Arbitrary<Delivery> {
  const cuts = fc.array(fc.tuple(place, shortPause), { minLength: 1, maxLength: 6 });
  return fc.tuple(requests, cuts).map(([{ bytes }, positions]) => {
    const ordered = positions
      .map(([share, ms]) => ({ at: Math.floor(share * bytes.length), ms }))
      .sort((a, b) => a.at - b.at);
    const steps = ordered.flatMap(({ at, ms }, n): Step[] => [
      { do: 'send', bytes: bytes.subarray(ordered[n - 1]?.at ?? 0, at) },
      { do: 'wait', ms },
    ]);
    const rest = bytes.subarray(ordered.at(-1)?.at ?? 0);
    return { kind: 'in pieces', steps: [...steps, { do: 'send', bytes: rest }], requests: 1 };
  });
}

/** Reset at some moment: while the request is sent, handled or answered. */
function reset(requests: Requests): fc.Arbitrary<Delivery> {
  const part = fc.oneof(fc.constant(1), place);
  return fc.tuple(requests, part, longPause).map(([{ bytes }, share, ms]) => ({
    kind: 'reset',
    steps: [
      { do: 'send', bytes: bytes.subarray(0, Math.ceil(share * bytes.length)) },
      { do: 'wait', ms },
      { do: 'reset' },
    ],
    requests: 0,
  }));
}

/** Half-closed after the head, at another position, or after the last byte. */
function halfClosed(requests: Requests): fc.Arbitrary<Delivery> {
  const moment = fc.oneof(fc.constant('head'), fc.constant(1), place);
  return fc.tuple(requests, moment, shortPause).map(([{ bytes }, when, ms]) => {
    const end = when === 'head' ? headLength(bytes) : Math.ceil(when * bytes.length);
    return {
      kind: 'half-closed',
      steps: [{ do: 'send', bytes: bytes.subarray(0, end) }, { do: 'wait', ms }, { do: 'finish' }],
      requests: 1,
    };
  });
}

/** Never reads the responses, then resets. */
function unread(requests: Requests): fc.Arbitrary<Delivery> {
  return fc.tuple(pipeline(requests), longPause).map(([bytes, ms]) => ({
    kind: 'unread',
    steps: [
      { do: 'stopReading' },
      { do: 'send', bytes: bytes.bytes },
      { do: 'wait', ms },
      { do: 'reset' },
    ],
    requests: 0,
  }));
}

/** A body in HTTP chunks of one byte each. */
function inOneByteChunks(requests: Requests): fc.Arbitrary<Delivery> {
  return requests.map(({ bytes }) => ({
    kind: 'in one-byte chunks',
    steps: [{ do: 'send', bytes: chunked(bytes) }],
    requests: 1,
  }));
}

/** Several requests in one write, a few times some thousand; waits for all responses, or resets before. */
function pipelined(requests: Requests): fc.Arbitrary<Delivery> {
  const end = fc.oneof(fc.constant(undefined), longPause);
  return fc.tuple(pipeline(requests), end).map(([{ bytes, count }, resetAfter]) => ({
    kind: resetAfter === undefined ? 'pipelined' : 'pipelined, then reset',
    steps: [
      { do: 'send', bytes },
      ...(resetAfter === undefined
        ? []
        : [{ do: 'wait', ms: resetAfter } as const, { do: 'reset' } as const]),
    ],
    requests: resetAfter === undefined ? count : 0,
  }));
}

interface Pipeline {
  readonly bytes: Buffer;
  readonly count: number;
}

function pipeline(requests: Requests): fc.Arbitrary<Pipeline> {
  const times = seldom(
    30,
    fc.integer({ min: 100, max: 1000 }),
    seldom(4, fc.integer({ min: 2, max: 20 }), fc.constant(1)),
  );
  return fc
    .tuple(fc.array(requests, { minLength: 2, maxLength: 6 }), times)
    .map(([some, asked]) => {
      const all = Buffer.concat(some.map(({ bytes }) => bytes));
      const most = Math.max(1, Math.floor(MOST_BYTES / all.length));
      const rounds = Math.min(asked, most);
      return {
        bytes: Buffer.concat(Array<Buffer>(rounds).fill(all)),
        count: some.length * rounds,
      };
    });
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'QUERY'];
const TARGETS = [
  ...['*', '/', '//', '///', '//h', '//[', '/\\', '?', '/?', '#', 'x', '[::1]', ':', '@', 'a:b'],
  ...['http://[', 'http://', 'http:///', 'http://h', 'http://h:99999/x', 'http://[::1/x'],
  ...['http://u:p@h/x', 'https://h/?Action=x', 'HTTP://H/', 'ftp://h/x', 'file:///etc/passwd'],
  ...['http://127.0.0.1/_gateway/health/live', 'http://h\\@x/', 'http://%zz/', 'javascript:1'],
  ...['/%', '/%zz', '/%ff', '/%00', '/%2e%2e%2f', '/iotx-ota', '/iotx-ota/%', '/_gateway/%zz'],
  ...['/_gateway//', '/_gateway/health/%zz', '/?%', '/?%zz=%zz', '/?Action=%zz', '/..', '/../..'],
  ...['h:443', '127.0.0.1:80', '\u00e9', '/\u00ff'],
];

/** Request targets that are invalid or not paths. */
const oddTarget: fc.Arbitrary<Delivery> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    target: fc.constantFrom(...TARGETS),
    host: fc.constantFrom('127.0.0.1', '[', 'a b', '', '[::1', 'h:x', 'iotx-ota.h'),
    body: fc.constantFrom('', 'Action=x', '--b\r\n'),
    type: fc.constantFrom('application/x-www-form-urlencoded', 'multipart/form-data; boundary=b'),
  })
  .map(({ method, target, host, body, type }) => {
    const head =
      `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\n` +
      `Content-Length: ${String(body.length)}\r\n\r\n`;
    const bytes = Buffer.from(head + body, 'latin1');
    return { kind: 'an odd target', steps: [{ do: 'send', bytes }], requests: 1 };
  });

/** Requests that are delivered in hostile ways. */
export function hostileDelivery(requests: Requests): fc.Arbitrary<Delivery> {
  return fc.oneof(
    { weight: 3, arbitrary: pipelined(requests) },
    { weight: 3, arbitrary: reset(requests) },
    { weight: 2, arbitrary: halfClosed(requests) },
    { weight: 2, arbitrary: inPieces(requests) },
    { weight: 1, arbitrary: unread(requests) },
    { weight: 1, arbitrary: inOneByteChunks(requests) },
    { weight: 2, arbitrary: oddTarget },
  );
}

/** Up to the empty line, or all of it. */
function headLength(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n');
  return end === -1 ? bytes.length : end + 4;
}

/** The same request with its body in chunks of one byte. */
function chunked(bytes: Buffer): Buffer {
  const bodyAt = headLength(bytes);
  const head = bytes
    .toString('latin1', 0, bodyAt)
    .replace(/content-length: *\d+/i, 'Transfer-Encoding: chunked');
  const chunks = Array.from(bytes.subarray(bodyAt), (byte) =>
    Buffer.from([0x31, 0x0d, 0x0a, byte, 0x0d, 0x0a]),
  );
  return Buffer.concat([Buffer.from(head, 'latin1'), ...chunks, Buffer.from('0\r\n\r\n')]);
}
