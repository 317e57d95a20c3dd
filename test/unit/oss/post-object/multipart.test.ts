import fc from 'fast-check';
import { formParts } from '../../../../src/oss/post-object/multipart.ts';
import { BOUNDARY, chunksOf, field, multipart, splitAt, streamOf } from './multipart.ts';
import type { RawPart } from './multipart.ts';

interface ReadPart {
  readonly headers: Record<string, readonly string[]>;
  readonly body: Buffer;
}

/** Reads every part. Joins the chunks only at the end, so that a parser that reuses their memory fails the test. */
async function readAll(chunks: Iterable<Buffer>, boundary = BOUNDARY): Promise<ReadPart[]> {
  const parts: { headers: ReadPart['headers']; chunks: Buffer[] }[] = [];
  for await (const part of formParts(streamOf(chunks), boundary)) {
    const body: Buffer[] = [];
    for await (const chunk of part.body) body.push(chunk);
    parts.push({ headers: Object.fromEntries(part.headers), chunks: body });
  }
  return parts.map(({ headers, chunks: body }) => ({ headers, body: Buffer.concat(body) }));
}

async function bodiesOf(chunks: Iterable<Buffer>, boundary = BOUNDARY): Promise<Buffer[]> {
  return (await readAll(chunks, boundary)).map((part) => part.body);
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

const BODIES: readonly (readonly [name: string, body: Buffer])[] = [
  ['empty', Buffer.alloc(0)],
  ['one byte', Buffer.from('x')],
  ['every byte', EVERY_BYTE],
  ['every byte backwards', Buffer.from(EVERY_BYTE).reverse()],
  ['CR LF at the edges', Buffer.from('\r\n\r\nmiddle\r\n\r\n')],
  ['CR LF only', Buffer.from('\r\n')],
  ['CR at the end', Buffer.from('body\r')],
  ['LF at the end', Buffer.from('body\n')],
  ['dashes', Buffer.from('--')],
  ['the boundary without a line before it', Buffer.from(`x--${BOUNDARY}\r\n`)],
  ['a line of dashes and half the boundary', Buffer.from(`\r\n--${BOUNDARY.slice(0, 4)}`)],
  ['the boundary less its last letter', Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}\r\n`)],
  ['the boundary in another case', Buffer.from(`\r\n--${BOUNDARY.toLowerCase()}\r\n`)],
  ['half boundaries in a row', Buffer.from('\r\n--bO\r\n--bOuN\r\n--bOuNdArX\r\n-')],
  [
    'a header block',
    Buffer.from('\r\nContent-Disposition: form-data; name="key"\r\n\r\nvalue\r\n'),
  ],
  ['the boundary and another letter', Buffer.from(`\r\n--${BOUNDARY}X\r\n\r\n--${BOUNDARY}X`)],
  ['the boundary and one dash', Buffer.from(`\r\n--${BOUNDARY}-\r\n`)],
  ['the boundary and a lone CR', Buffer.from(`\r\n--${BOUNDARY}\rX`)],
  ['LF and the boundary', Buffer.from(`\n--${BOUNDARY}\n`)],
];

describe('formParts', () => {
  it.each(BODIES)('yields a body unchanged, wherever the chunks are cut: %s', async (_, body) => {
    const bytes = multipart([field('a', 'A'), field('file', body), field('b', 'B')]);
    const expected = [Buffer.from('A'), body, Buffer.from('B')];
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(await bodiesOf(splitAt(bytes, at))).toEqual(expected);
    }
    for (const size of [1, 2, 3, 5, 7, 11, 13, 64]) {
      expect(await bodiesOf(chunksOf(bytes, size))).toEqual(expected);
    }
  });

  it('reads every written form, however it is cut', async () => {
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(13, 10, 45, 98, 66));
    const body = fc.array(byte, { maxLength: 80 }).map((bytes) => Buffer.from(bytes));
    const boundary = fc
      .array(fc.constantFrom('b', 'B', '-', '0'), { minLength: 1, maxLength: 70 })
      .map((letters) => letters.join(''));
    await fc.assert(
      fc.asyncProperty(
        fc.array(body, { maxLength: 4 }),
        boundary,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 50 }),
        async (bodies, delimiter, cuts) => {
          const parts = bodies.map((value, index) => field(String(index), value));
          const bytes = multipart(parts, delimiter);
          fc.pre(
            bodies.every(
              (value) => !`\r\n${value.toString('latin1')}\r\n`.includes(`\r\n--${delimiter}`),
            ),
          );
          expect(await bodiesOf(cutBy(bytes, cuts), delimiter)).toEqual(bodies);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('yields a part without waiting for the next chunk', async () => {
    const bytes = multipart([field('key', 'k'), field('file', 'x')]);
    const untilFileHeaders = bytes.indexOf('\r\n\r\nx') + 4;
    async function* stuck(): AsyncGenerator<Buffer, void, undefined> {
      yield bytes.subarray(0, untilFileHeaders);
      await new Promise(() => undefined);
    }
    const parts = formParts(stuck(), BOUNDARY);
    const names = [];
    while (names.length < 2) {
      const { value } = await parts.next();
      names.push(value?.headers.get('content-disposition'));
    }
    expect(names).toEqual([['form-data; name="key"'], ['form-data; name="file"']]);
  });

  it('skips the unread rest of a part', async () => {
    const bytes = multipart([field('a', 'A'.repeat(1000)), field('b', 'B')]);
    for (const size of [1, 100, 5000]) {
      const seen: string[] = [];
      for await (const part of formParts(streamOf(chunksOf(bytes, size)), BOUNDARY)) {
        seen.push(part.headers.get('content-disposition')?.[0] ?? '');
        for await (const chunk of part.body) if (chunk.length > 0) break;
      }
      expect(seen).toEqual(['form-data; name="a"', 'form-data; name="b"']);
    }
  });

  it('reads the body only as fast as its caller reads', async () => {
    const bytes = multipart([field('file', Buffer.alloc(1_000_000))]);
    let taken = 0;
    async function* counted(): AsyncGenerator<Buffer, void, undefined> {
      for (const chunk of chunksOf(bytes, 1000)) {
        taken += 1;
        yield chunk;
      }
    }
    for await (const part of formParts(counted(), BOUNDARY)) {
      let read = 0;
      for await (const chunk of part.body) {
        read += chunk.length;
        await new Promise(setImmediate);
        expect(taken * 1000 - read).toBeLessThan(3000);
      }
    }
  });

  it('finds the next part when a chunk ends with the boundary', async () => {
    // The Dicer of @fastify/busboy 3.2 waits forever here, after a chunk that fills its buffer.
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n\r\n`;
    const body = Buffer.alloc(16 * 1024 * 4 - 1, 'x');
    const chunks = [head, body, '\r', `\r\n--${BOUNDARY}`, '--\r\n'].map((chunk) =>
      Buffer.from(chunk),
    );
    expect(await bodiesOf(chunks)).toEqual([Buffer.concat([body, Buffer.from('\r')])]);
  });

  it('returns all headers of a part', async () => {
    const part: RawPart = {
      headers: [
        'content-DISPOSITION:form-data; name="ключ"',
        'Content-Transfer-Encoding: 8bit',
        'X-Twice: 1',
        'x-twice: 2',
      ],
      body: 'v',
    };
    const bytes = multipart([part]);
    for (let at = 0; at <= bytes.length; at += 1) {
      const [read] = await readAll(splitAt(bytes, at));
      expect(read?.headers).toEqual({
        'content-disposition': [Buffer.from('form-data; name="ключ"').toString('latin1')],
        'content-transfer-encoding': ['8bit'],
        'x-twice': ['1', '2'],
      });
    }
  });

  const HEAD = 'Content-Disposition: form-data; name="a"';
  it.each([
    [
      'headers and at once the next boundary',
      `--${BOUNDARY}\r\n${HEAD}\r\n\r\n--${BOUNDARY}--\r\n`,
      1,
    ],
    ['spaces after a boundary', `--${BOUNDARY} \t\r\n${HEAD}\r\n\r\nvalue\r\n--${BOUNDARY}-- `, 1],
    ['a part without headers', `--${BOUNDARY}\r\n\r\nvalue\r\n--${BOUNDARY}--`, 1],
    [
      'folded headers',
      `--${BOUNDARY}\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n\r\n--${BOUNDARY}--`,
      1,
    ],
    ['no parts', `--${BOUNDARY}--\r\n`, 0],
    ['no line end after the closing boundary', `--${BOUNDARY}--`, 0],
    ['something before the first boundary', `preamble\r\n--${BOUNDARY}--`, 0],
    [
      'something after the closing boundary',
      `${multipart([field('a', 'A')]).toString()}\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="b"\r\n\r\nB\r\n--${BOUNDARY}--`,
      1,
    ],
  ])('accepts %s', async (_, text, count) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(await readAll(splitAt(bytes, at))).toHaveLength(count);
    }
  });

  it.each([
    ['an empty body', ''],
    ['no boundary anywhere', 'just text'],
    ['another boundary', '--other\r\n\r\n--other--\r\n'],
    ['a cut boundary', `--${BOUNDARY.slice(0, 5)}`],
    ['nothing after the first boundary', `--${BOUNDARY}`],
    ['one dash after the first boundary', `--${BOUNDARY}-`],
    ['a cut header', `--${BOUNDARY}\r\nContent-Dis`],
    ['headers without an empty line', `--${BOUNDARY}\r\n${HEAD}\r\n--${BOUNDARY}--\r\n`],
    [
      'a header line without a colon',
      `--${BOUNDARY}\r\n${HEAD}\r\nnothing\r\n\r\n\r\n--${BOUNDARY}--`,
    ],
    ['a header with a space in its name', `--${BOUNDARY}\r\nX Y: z\r\n\r\n\r\n--${BOUNDARY}--`],
    ['a lone LF in a header', `--${BOUNDARY}\r\n${HEAD}\nX: y\r\n\r\n\r\n--${BOUNDARY}--`],
    ['a lone CR in a header', `--${BOUNDARY}\r\n${HEAD}\rX: y\r\n\r\n\r\n--${BOUNDARY}--`],
    [
      'letters after spaces after a boundary',
      `--${BOUNDARY} X\r\n${HEAD}\r\n\r\n\r\n--${BOUNDARY}--`,
    ],
    ['a boundary after a boundary', `--${BOUNDARY}\r\n--${BOUNDARY}--\r\n`],
    ['no body', `--${BOUNDARY}\r\n${HEAD}\r\n\r\n`],
    ['a cut body', `--${BOUNDARY}\r\n${HEAD}\r\n\r\nvalue`],
    [
      'a cut boundary after a body',
      `--${BOUNDARY}\r\n${HEAD}\r\n\r\nvalue\r\n--${BOUNDARY.slice(0, 5)}`,
    ],
    ['no closing boundary', `--${BOUNDARY}\r\n${HEAD}\r\n\r\nvalue\r\n--${BOUNDARY}\r\n`],
    ['one dash of the closing boundary', `--${BOUNDARY}\r\n${HEAD}\r\n\r\nvalue\r\n--${BOUNDARY}-`],
    [
      'a lone LF before the closing boundary',
      `--${BOUNDARY}\r\n${HEAD}\r\n\r\nvalue\n--${BOUNDARY}--`,
    ],
  ])('refuses %s, wherever the chunks are cut', async (_, text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      await expect(readAll(splitAt(bytes, at))).rejects.toMatchObject({
        code: 'MalformedPOSTRequest',
      });
    }
    await expect(readAll(chunksOf(bytes, 1))).rejects.toMatchObject({
      code: 'MalformedPOSTRequest',
    });
  });

  it('refuses a form that is cut at any place', async () => {
    const bytes = multipart([field('a', 'A'), field('file', 'bytes\r\n--b')]);
    const end = bytes.lastIndexOf(`${BOUNDARY}--`) + BOUNDARY.length + 2;
    for (let at = 0; at < end; at += 1) {
      await expect(readAll([bytes.subarray(0, at)])).rejects.toMatchObject({
        code: 'MalformedPOSTRequest',
      });
    }
  });

  it.each([
    ['before the first boundary', ''],
    ['in the headers of a part', `--${BOUNDARY}\r\nX: `],
    ['in the header lines of a part', `--${BOUNDARY}\r\n${'X-Y: z\r\n'.repeat(10)}X: `],
    ['after a boundary', `--${BOUNDARY} `],
    ['after the closing boundary', `--${BOUNDARY}--\r\n`],
  ])('refuses endless bytes %s', async (_, start) => {
    let taken = 0;
    async function* flood(): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from(start);
      for (; ; taken += 10_000) yield Buffer.alloc(10_000, 'x');
    }
    const parts = formParts(flood(), BOUNDARY);
    await expect(parts.next()).rejects.toMatchObject({ code: 'MalformedPOSTRequest' });
    expect(taken).toBeLessThan(100_000);
  });

  it.each([1, 2, 3, 1000, 100_000])(
    'skips spaces and tabs after boundaries, in chunks of %i bytes',
    async (size) => {
      const padding = ' \t'.repeat(2000);
      const bytes = Buffer.from(
        ['A', '', 'B'].map((value) => `--${BOUNDARY}${padding}\r\n\r\n${value}\r\n`).join('') +
          `--${BOUNDARY}--`,
      );
      expect((await bodiesOf(chunksOf(bytes, size))).map(String)).toEqual(['A', '', 'B']);
    },
  );

  it('limits the total spaces after boundaries', async () => {
    const padded = (count: number, length: number): Buffer =>
      Buffer.from(
        `--${BOUNDARY}${' '.repeat(length)}\r\n\r\n\r\n`.repeat(count) + `--${BOUNDARY}--`,
      );
    expect(await bodiesOf([padded(64, 1024)])).toHaveLength(64);
    await expect(readAll([padded(65, 1024)])).rejects.toMatchObject({
      code: 'MalformedPOSTRequest',
    });
  });

  it.each([
    ['headers', `--${BOUNDARY}\r\nX: ${'x'.repeat(30_000)}\r\n\r\n\r\n--${BOUNDARY}--`],
    ['values', multipart([field('a', `\r\n--${BOUNDARY.slice(0, -1)}`.repeat(3000))]).toString()],
    ['padding', `--${BOUNDARY}${' '.repeat(30_000)}\r\n\r\n\r\n--${BOUNDARY}--`],
    ['a preamble', '\r\n-'.repeat(10_000) + multipart([field('a', 'A')]).toString()],
  ])('copies few bytes of a body in small chunks: %s', async (_, text) => {
    const bytes = Buffer.from(text);
    for (const size of [1, 10]) {
      const chunks = chunksOf(bytes, size);
      let allocated = 0;
      const { allocUnsafe, concat } = Buffer;
      const spies = [
        jest.spyOn(Buffer, 'allocUnsafe').mockImplementation((length) => {
          allocated += length;
          return allocUnsafe(length);
        }),
        jest.spyOn(Buffer, 'concat').mockImplementation((list, length) => {
          const whole = concat(list, length);
          allocated += whole.length;
          return whole;
        }),
      ];
      try {
        for await (const part of formParts(streamOf(chunks), BOUNDARY)) await sizeOf(part.body);
      } finally {
        for (const spy of spies) spy.mockRestore();
      }
      expect(allocated).toBeLessThan(20 * bytes.length);
    }
  });

  it('does not copy large chunks without a delimiter', async () => {
    const chunks = [
      Buffer.from(`--${BOUNDARY}\r\n\r\nx`),
      ...Array.from({ length: 4 }, () => Buffer.alloc(64 * 1024, 'x')),
      Buffer.from(`\r\n--${BOUNDARY}--`),
    ];
    const memories = new Set<ArrayBufferLike>(chunks.map((chunk) => chunk.buffer));
    for await (const part of formParts(streamOf(chunks), BOUNDARY)) {
      for await (const chunk of part.body) expect(memories.has(chunk.buffer)).toBe(true);
    }
  });

  it('rethrows an error of the body, while reading headers and parts', async () => {
    const lost = new Error('lost');
    async function* broken(text: string): AsyncGenerator<Buffer, void, undefined> {
      yield Buffer.from(text);
      throw lost;
    }
    for (const text of [
      '',
      `--${BOUNDARY}\r\n`,
      multipart([field('a', 'A')])
        .toString()
        .slice(0, -14),
    ]) {
      const read = async (): Promise<void> => {
        for await (const part of formParts(broken(text), BOUNDARY)) {
          await sizeOf(part.body);
        }
      };
      await expect(read()).rejects.toBe(lost);
    }
  });

  it('reads only up to the requested part of ten thousand', async () => {
    const part = Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n`,
    );
    let written = 0;
    async function* tenThousand(): AsyncGenerator<Buffer, void, undefined> {
      for (; written < 10_000; written += 1) yield part;
      yield Buffer.from(`--${BOUNDARY}--\r\n`);
    }
    const parts = formParts(tenThousand(), BOUNDARY);
    for (let read = 0; (await parts.next()).done !== true; read += 1) {
      expect(written - read).toBeLessThan(2);
    }
    expect(written).toBe(10_000);
  });
});

function* cutBy(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function sizeOf(body: AsyncIterable<Buffer>): Promise<number> {
  let size = 0;
  for await (const chunk of body) size += chunk.length;
  return size;
}
