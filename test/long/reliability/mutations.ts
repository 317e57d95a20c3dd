import { once } from 'node:events';
import { createServer } from 'node:net';
import fc from 'fast-check';
import type { FormToPost } from '../../support/form-dialects.ts';
import { RECORDED_DIALECTS } from '../../support/form-dialects.ts';
import type { HostileRequest } from './hostile-forms.ts';
import { seldom } from './hostile-text.ts';

/** Bytes that are inserted into requests at wrong positions. */
const TOKENS = [
  ...['\r\n', '\r', '\n', '\r\n\r\n', '--', '\0', '"', ';', '=', ':', '%', '\u00ff\u00fe', '\t'],
  ...['Content-Disposition: form-data; name="file"', 'Content-Disposition: form-data; name=""'],
  ...['Content-Disposition: form-data; name="__proto__"', 'name="a[b][c][d][e]"', 'filename=""'],
  ...[
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: chunked\r\n',
    '0\r\n\r\n',
  ],
  ...[
    '--b',
    '--b--',
    '\r\n--b\r\n',
    'POST / HTTP/1.1\r\n',
    'HTTP/1.1 200 OK\r\n',
    'f'.repeat(70_000),
  ],
].map((text) => Buffer.from(text, 'latin1'));

type Mutation = (bytes: Buffer) => Buffer;

function splice(bytes: Buffer, at: number, removed: number, put: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + removed)]);
}

const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 0, max: 255 })).map(
    ([where, value]): Mutation =>
      (bytes) =>
        splice(bytes, Math.floor(where * bytes.length), 1, Buffer.from([value])),
  ),
  fc.tuple(place, fc.constantFrom(...TOKENS)).map(
    ([where, token]): Mutation =>
      (bytes) =>
        splice(bytes, Math.floor(where * bytes.length), 0, token),
  ),
  fc.tuple(place, fc.constantFrom(...TOKENS)).map(
    ([where, token]): Mutation =>
      (bytes) =>
        splice(bytes, Math.floor(where * bytes.length), token.length, token),
  ),
  fc.tuple(place, fc.integer({ min: 1, max: 200 })).map(
    ([where, length]): Mutation =>
      (bytes) =>
        splice(bytes, Math.floor(where * bytes.length), length, Buffer.alloc(0)),
  ),
  fc
    .tuple(place, place, fc.integer({ min: 1, max: 400 }))
    .map(([from, to, length]): Mutation => (bytes) => {
      const start = Math.floor(from * bytes.length);
      return splice(bytes, Math.floor(to * bytes.length), 0, bytes.subarray(start, start + length));
    }),
  place.map(
    (where): Mutation =>
      (bytes) =>
        bytes.subarray(0, Math.floor(where * bytes.length)),
  ),
);

/** Changes requests at a few positions, usually in the body; the Content-Length is rarely wrong. */
export function mutated(originals: fc.Arbitrary<HostileRequest>): fc.Arbitrary<HostileRequest> {
  return fc
    .record({
      original: originals,
      mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
      anywhere: seldom(8, fc.constant(true), fc.constant(false)),
      repair: seldom(8, fc.constant(false), fc.constant(true)),
    })
    .map(({ original: { kind, bytes }, mutations, anywhere, repair }) => {
      const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
      // A call without a body has all its parameters in the first line.
      const from = anywhere || bodyAt === bytes.length ? 0 : bodyAt;
      const rest = mutations.reduce((before, mutate) => mutate(before), bytes.subarray(from));
      const changed = Buffer.concat([bytes.subarray(0, from), rest]);
      return { kind: `${kind}, mutated`, bytes: repair ? repairLength(changed) : changed };
    });
}

function repairLength(bytes: Buffer): Buffer {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return bytes;
  const head = bytes
    .toString('latin1', 0, end)
    .replace(/content-length: *\d+/i, `Content-Length: ${String(bytes.length - end - 4)}`);
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes.subarray(end)]);
}

/** Captures what the clients of the form dialects send. */
export async function recordDialects(form: Omit<FormToPost, 'host'>): Promise<HostileRequest[]> {
  const recorded: Buffer[][] = [];
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    recorded.push(chunks);
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const end = chunk.toString('latin1').endsWith('--\r\n');
      if (end) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const dialect of RECORDED_DIALECTS) {
    await dialect.post({ ...form, host: `http://127.0.0.1:${String(port)}` });
  }
  server.close();
  return recorded.map((chunks, n) => ({
    kind: RECORDED_DIALECTS[n]?.name ?? '',
    bytes: Buffer.concat(chunks),
  }));
}
