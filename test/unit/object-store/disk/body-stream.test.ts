import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { BodyStream } from '../../../../src/object-store/disk/body-stream.ts';
import type { ByteRange } from '../../../../src/uploads/ports.ts';
import { patternBytes } from '../../../support/bytes.ts';

const BYTES = patternBytes(1_000_003);
const CHUNK = 65_536;

let folder: string;
let file: FileHandle;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'body-stream-'));
  await writeFile(join(folder, 'body'), BYTES);
});

afterAll(() => rm(folder, { recursive: true }));

beforeEach(async () => {
  file = await open(join(folder, 'body'));
});

/** A closed handle has no descriptor. */
const isClosed = (): boolean => file.fd === -1;

/** Reads a stream, and overwrites and recycles each chunk. @returns the bytes, and the number of buffers */
async function readAndRecycle(stream: BodyStream): Promise<{ bytes: Buffer; buffers: number }> {
  const copies: Buffer[] = [];
  const buffers = new Set<ArrayBufferLike>();
  const reader = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      setImmediate(() => {
        copies.push(Buffer.from(chunk));
        buffers.add(chunk.buffer);
        chunk.fill(0xee);
        stream.recycle(chunk);
        done();
      });
    },
  });
  await pipeline(stream, reader);
  return { bytes: Buffer.concat(copies), buffers: buffers.size };
}

describe.each<[string, ByteRange | undefined]>([
  ['a whole file', undefined],
  ['its first byte', { start: 0, end: 0 }],
  ['its last byte', { start: 1_000_002, end: 1_000_002 }],
  ['a range that ends with a chunk', { start: 10, end: 10 + 3 * CHUNK - 1 }],
  ['a range that ends within a chunk', { start: CHUNK + 1, end: 999_999 }],
  ['a range that the file does not have', { start: 999_999, end: 2_000_000 }],
])('%s', (_, range) => {
  const expected = BYTES.subarray(range?.start, range === undefined ? undefined : range.end + 1);

  it('is read exactly without recycling', async () => {
    expect((await buffer(new BodyStream(file, range, CHUNK))).equals(expected)).toBe(true);
    expect(isClosed()).toBe(true);
  });

  it('is read exactly with two buffers at most when chunks are recycled', async () => {
    const { buffers, bytes } = await readAndRecycle(new BodyStream(file, range, CHUNK));
    expect(bytes.equals(expected)).toBe(true);
    expect(buffers).toBeLessThanOrEqual(2);
    expect(isClosed()).toBe(true);
  });
});

it('closes the file when the reader stops, even during a read', async () => {
  const stream = new BodyStream(file, undefined, CHUNK);
  stream.read();
  stream.destroy();
  await once(stream, 'close');
  expect(isClosed()).toBe(true);
});

it('emits the error of a failed read', async () => {
  const stream = new BodyStream(file, undefined, CHUNK);
  await file.close();
  await expect(buffer(stream)).rejects.toThrow('file closed');
});

it('does not recycle a chunk of another stream', async () => {
  const stream = new BodyStream(file, undefined, CHUNK);
  stream.recycle(new Uint8Array(3));
  expect((await buffer(stream)).equals(BYTES)).toBe(true);
});
