import fc from 'fast-check';
import { readForm } from '../../../../src/oss/post-object/read-form.ts';
import { plentyOfMemory } from '../../../support/memory.ts';
import { BOUNDARY, chunksOf, field, multipart, splitAt, streamOf } from './multipart.ts';
import type { RawPart } from './multipart.ts';

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
const BINARY = Buffer.concat([
  Buffer.from('\r\n--\r\n'),
  EVERY_BYTE,
  Buffer.from(`\r\n--${BOUNDARY.slice(0, -1)}\r\n--${BOUNDARY}X\r\n`),
]);

interface ReadForm {
  readonly fields: Record<string, string>;
  readonly filename: string | undefined;
  readonly contentType: string;
  readonly bytes: Buffer;
}

async function readWhole(chunks: Iterable<Buffer>): Promise<ReadForm> {
  const { fields, file } = await readForm(streamOf(chunks), BOUNDARY, undefined, plentyOfMemory());
  const bytes: Buffer[] = [];
  for await (const chunk of file.bytes) bytes.push(chunk);
  const { filename, contentType } = file;
  return { fields: Object.fromEntries(fields), filename, contentType, bytes: Buffer.concat(bytes) };
}

/** How a client writes the fields and the file. */
interface Dialect {
  readonly field: (name: string, value: string) => RawPart;
  readonly file: readonly string[];
  readonly after?: readonly RawPart[];
  readonly read: Pick<ReadForm, 'filename' | 'contentType'>;
}

const disposition = (name: string): string => `Content-Disposition: form-data; name="${name}"`;
const plain = (name: string, value: string): RawPart => field(name, value);

const DIALECTS: Readonly<Record<string, Dialect>> = {
  'httpmime 4.5, the sample of GenerateOTAUploadURL': {
    field: (name, value) => ({
      headers: [
        disposition(name),
        'Content-Type: text/plain; charset=ISO-8859-1',
        'Content-Transfer-Encoding: 8bit',
      ],
      body: value,
    }),
    file: [
      disposition('file'),
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: binary',
    ],
    read: { filename: undefined, contentType: 'application/octet-stream' },
  },
  'python-requests with files= alone': {
    field: (name, value) => ({
      headers: [`${disposition(name)}; filename="${name}"`],
      body: value,
    }),
    file: [`${disposition('file')}; filename="file"`],
    read: { filename: 'file', contentType: '' },
  },
  'python-requests with data= and files=': {
    field: plain,
    file: [`${disposition('file')}; filename="firmware.bin"`],
    read: { filename: 'firmware.bin', contentType: '' },
  },
  'browsers, fetch and curl -F file=@': {
    field: plain,
    file: [`${disposition('file')}; filename="firmware.bin"`, 'Content-Type: application/x-bin'],
    after: [field('submit', 'Upload to OSS')],
    read: { filename: 'firmware.bin', contentType: 'application/x-bin' },
  },
  'curl -F file=text': {
    field: plain,
    file: [disposition('file')],
    read: { filename: undefined, contentType: '' },
  },
  'a file typed as text': {
    field: plain,
    file: [disposition('file'), 'Content-Type: text/plain; charset=utf-8'],
    read: { filename: undefined, contentType: 'text/plain; charset=utf-8' },
  },
};

describe('readForm', () => {
  describe.each(Object.entries(DIALECTS))('for the form of %s', (_, dialect) => {
    const write = (file: Buffer): Buffer =>
      multipart([
        dialect.field('key', 'dir/固件.bin'),
        dialect.field('Policy', 'e30='),
        dialect.field('empty', ''),
        { headers: dialect.file, body: file },
        ...(dialect.after ?? []),
      ]);
    const fields = { key: 'dir/固件.bin', policy: 'e30=', empty: '' };

    it.each([
      ['binary', BINARY],
      ['empty', Buffer.alloc(0)],
    ])('reads fields and a file that is %s, wherever the chunks are cut', async (__, file) => {
      const bytes = write(file);
      const expected = { fields, ...dialect.read, bytes: file };
      for (let at = 0; at < bytes.length; at += 1) {
        expect(await readWhole(splitAt(bytes, at))).toEqual(expected);
      }
      for (const size of [1, 2, 3, 17]) {
        expect(await readWhole(chunksOf(bytes, size))).toEqual(expected);
      }
    });

    it('refuses the form wherever it is cut', async () => {
      const bytes = write(Buffer.from('firmware'));
      const end = bytes.lastIndexOf(`${BOUNDARY}--`) + BOUNDARY.length + 2;
      for (let at = 0; at < end; at += 1) {
        await expect(readWhole(splitAt(bytes.subarray(0, at), at >> 1))).rejects.toMatchObject({
          code: 'MalformedPOSTRequest',
        });
      }
    });
  });

  it.each([
    ['form-data; name=file', undefined],
    ['form-data; name="file"; filename=""', ''],
    ['form-data; name="file"; filename=a.bin', 'a.bin'],
    ['FORM-DATA; NAME="FILE"; FILENAME="A.bin"', 'A.bin'],
    ['form-data;name="file";filename="a;b.bin";', 'a;b.bin'],
    ['form-data; filename="a.bin"; name="file"', 'a.bin'],
    ['form-data; name="file"; filename="a\\"b.bin"', 'a"b.bin'],
    ['form-data; name="file"; filename="C:\\dir\\a.bin"', 'C:\\dir\\a.bin'],
    ['form-data; name="file"; filename="a%22%0d%0A.bin"', 'a"\r\n.bin'],
    ['form-data; name="file"; filename="a%2F%41.bin"', 'a%2F%41.bin'],
    ['form-data; name="file"; filename="a\\\\b.bin"', 'a\\\\b.bin'],
    // curl and got: a name that ends with a backslash.
    ['form-data; name="file"; filename="report\\"', 'report\\'],
    ['form-data; filename="report\\"; name="file"', 'report\\'],
    [`form-data; name="file"; filename="report\\"; filename*=UTF-8''a.bin`, 'a.bin'],
    // Guzzle: quotes as they are.
    ['form-data; name="file"; filename="lamp "A" v1.bin"', 'lamp "A" v1.bin'],
    ['form-data; name="file"; filename="lamp "A""', 'lamp "A"'],
    ['form-data; name="file"; filename="""', '"'],
    // A name that is well formed is read as the standards say.
    ['form-data; name="file"; filename="a"; b"', 'a'],
    ['form-data; name="file"; filename="a" b; c "d"; size=1', 'a" b; c "d'],
    ['form-data; filename="lamp "A""; name="file";', 'lamp "A"'],
    ['form-data; name="file"; filename="open', 'open'],
    ['form-data; name="file"; filename="', ''],
    ['form-data; name="file"; filename=lamp "A".bin', 'lamp "A".bin'],
    ['form-data; name="file"; filename=a"b; size=1', 'a"b'],
    ['form-data; name="file"; filename="a\nb\rc\0d\u0001.bin"', 'a\nb\rc\0d\u0001.bin'],
    ['form-data; name="file"; filename="a"; filename="b"', 'a'],
    ['form-data; name="file"; filename', undefined],
    ['form-data; filename; name="file"', undefined],
    ['form-data;; name="file"; ; filename="a"', 'a'],
    ['form-data; name="file"; "quoted"; filename="a"', 'a'],
    ['form-data; name="file"; title="x "y" z"; filename="a"', 'a'],
    ['form-data; name="file"; filename="固.bin"', '固.bin'],
    [`form-data; name="file"; filename*=UTF-8''%E5%9B%BA%20.bin`, '固 .bin'],
    [`form-data; name="file"; filename*=utf-8'en'a.bin; filename="b.bin"`, 'a.bin'],
    [`form-data; name="file"; filename*=iso-8859-1''%E4.bin`, 'ä.bin'],
    [`form-data; name="file"; filename*=gbk''%B9; filename="b.bin"`, 'b.bin'],
    [`form-data; name="file"; filename*=nonsense; filename="b.bin"`, 'b.bin'],
    [`form-data; name="file"; filename*=UTF-8''%zz; filename="b.bin"`, 'b.bin'],
  ])('finds the file and its name in %s', async (header, filename) => {
    const part = { headers: [`Content-Disposition: ${header}`], body: 'x' };
    expect(await readWhole([multipart([part])])).toMatchObject({
      filename,
      bytes: Buffer.from('x'),
    });
  });

  it.each([
    'form-data; name="fi"le"',
    'form-data; name="file',
    'form-data; name="file\\"',
    'form-data; name=fi"le',
    'form-data; name="file" x; filename="a"',
    'form-data; name="fi\nle"; filename="a"',
    'form-data; name="fi\rle"; filename="a"',
    'form-data;\nname="file"',
    'form-data; filename="a"; name="file"; name="key"',
    'form-data; name="file"; filename="a"; NAME="key"',
    'form-data; filename="a; name="file"',
    'form-data; filename="a name="file"',
    'form-data x; name="file"',
  ])('refuses a part without one well-formed name: %j', async (header) => {
    const part = { headers: [`Content-Disposition: ${header}`], body: 'x' };
    await expect(readWhole([multipart([part])])).rejects.toMatchObject({
      code: 'MalformedPOSTRequest',
      ec: '0006-00000109',
    });
  });

  it('accepts any file name', async () => {
    const unit = fc.oneof(
      fc.string({ unit: fc.constantFrom('"', '\\', ';', '=', ' ', '\t', '\n', '\0', '%', '2') }),
      fc.constantFrom('name=', 'filename=', '; x="', '\u00e9'),
    );
    const names = fc.array(unit, { maxLength: 12 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        // That would be a second name.
        fc.pre(!/;\s*name\s*=/.test(name));
        const disposition = `Content-Disposition: form-data; name="file"; filename="${name}"`;
        const form = multipart([{ headers: [disposition], body: BINARY }]);
        expect((await readWhole([form])).bytes).toEqual(BINARY);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads fields with unusual names as fields', async () => {
    const names = ['__proto__', 'constructor', 'a[b][c]', 'file ', 'files', 'x'.repeat(8192)];
    const form = multipart([...names.map((name) => field(name, name)), field('file', '')]);
    const { fields } = await readForm(streamOf([form]), BOUNDARY, undefined, plentyOfMemory());
    expect([...fields.keys()]).toEqual(names);
  });

  it('returns the exact size of the file from Content-Length when nothing follows it', async () => {
    for (const size of [0, 1, 1000, 100_000]) {
      const form = multipart([field('key', 'k'), field('file', Buffer.alloc(size))]);
      for (const chunk of [1, 100, 70_000]) {
        const { file } = await readForm(
          streamOf(chunksOf(form, chunk)),
          BOUNDARY,
          form.length,
          plentyOfMemory(),
        );
        expect(file.announcedSize).toBe(size);
      }
    }
    const form = multipart([field('file', '')]);
    expect(
      (await readForm(streamOf([form]), BOUNDARY, undefined, plentyOfMemory())).file.announcedSize,
    ).toBe(undefined);
  });

  it('returns the form before the file begins', async () => {
    const form = multipart([field('key', 'k'), field('file', 'x')]);
    async function* stuck(): AsyncGenerator<Buffer, void, undefined> {
      yield form.subarray(0, form.indexOf('\r\n\r\nx') + 4);
      await new Promise(() => undefined);
    }
    expect((await readForm(stuck(), BOUNDARY, undefined, plentyOfMemory())).fields.get('key')).toBe(
      'k',
    );
  });

  it('does not repeat a token in an error', async () => {
    const token = (value: string): RawPart => field('x-oss-security-token', value);
    await expect(
      readWhole([multipart([token('one'), token('secret'), field('file', '')])]),
    ).rejects.toMatchObject({
      elements: { ArgumentName: 'x-oss-security-token', ArgumentValue: '' },
    });
  });
});
