import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import busboy from 'busboy';
import fc from 'fast-check';
import { formParts } from '../../../../src/oss/post-object/multipart.ts';

interface Part {
  readonly name: string;
  readonly bytes: Buffer;
}

const BOUNDARY = 'b0undary';

/** Writes parts with a file name, so that busboy streams them without buffering or decoding. */
function writeForm(parts: readonly Part[]): Buffer {
  const pieces = parts.flatMap(({ name, bytes }) => [
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="f"\r\n` +
        'Content-Type: application/octet-stream\r\n\r\n',
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

function cut(body: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let n = 0; at < body.length; n += 1) {
    const size = sizes[n % sizes.length] ?? 1;
    chunks.push(body.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

async function readWithBusboy(chunks: readonly Buffer[]): Promise<Part[]> {
  const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
  const parser = busboy({ headers });
  const parts: Promise<Part>[] = [];
  parser.on('file', (name, stream) => {
    parts.push(buffer(stream).then((bytes) => ({ name, bytes })));
  });
  await new Promise((resolve, reject) => {
    Readable.from(chunks, { objectMode: false })
      .pipe(parser)
      .on('close', resolve)
      .on('error', reject);
  });
  return Promise.all(parts);
}

async function readWithOurs(chunks: readonly Buffer[]): Promise<Part[]> {
  const parts: Part[] = [];
  for await (const { body, headers } of formParts(Readable.from(chunks), BOUNDARY)) {
    const [, name = ''] =
      /name="([^"]*)"/.exec(headers.get('content-disposition')?.[0] ?? '') ?? [];
    parts.push({ name, bytes: await buffer(Readable.from(body)) });
  }
  return parts;
}

/** Bytes that often resemble a boundary. */
const boundaryLikeBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc
        .constantFrom(
          '\r',
          '\n',
          '\r\n',
          '\r\n--',
          `\r\n--${BOUNDARY.slice(0, -1)}`,
          '--',
          BOUNDARY,
        )
        .map(Buffer.from),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces))
  .filter((bytes) => !bytes.includes(`--${BOUNDARY}`));

describe('formParts and busboy', () => {
  it('read the same parts from every well-formed body, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ name: fc.stringMatching(/^[a-z]{1,8}$/), bytes: boundaryLikeBytes }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 6 }),
        async (parts, sizes) => {
          const chunks = cut(writeForm(parts), sizes);
          const ours = await readWithOurs(chunks);
          expect(ours).toEqual(parts);
          expect(ours).toEqual(await readWithBusboy(chunks));
        },
      ),
      { numRuns: 500 },
    );
  });
});
