import { patternBytes } from '../../support/bytes.ts';
import type { FileSource } from './jobs.ts';

/** A file that every client posts. */
export interface FileCase {
  /** Completes a sentence: stores ... */
  readonly what: string;
  readonly bytes: Buffer;
  readonly filename: string;
  readonly how: FileSource;
}

const MIB = 1024 * 1024;
const PLAIN = 'plain.bin';
/** Not a multiple of any buffer. */
const ODD = patternBytes(65_537);

/** Lines that look like the boundaries of the clients, and like a part of a form. */
const LOOKALIKE = Buffer.from(
  [
    '',
    '--',
    '--------------------------',
    '--------------------------0123456789abcdef',
    '------formdata-undici-0',
    '--form-data-encoder-',
    '--axios-1.0.0-boundary-',
    '--0123456789abcdef0123456789abcdef--',
    'Content-Disposition: form-data; name="file"; filename="inner.bin"',
    '',
    '\n\r\r\n\r\n--\r',
  ].join('\r\n'),
);

const file = (what: string, bytes: Buffer, filename = PLAIN): FileCase => ({
  what,
  bytes,
  filename,
  how: 'file',
});

/** So large that curl first waits for 100 Continue. */
export const LARGE = file('3 MiB', patternBytes(3 * MIB));

export const BODIES: readonly FileCase[] = [
  file('an empty file', Buffer.alloc(0)),
  file('one byte', patternBytes(1)),
  file('65,537 bytes', ODD),
  LARGE,
  file('bytes that look like a boundary', LOOKALIKE),
  {
    what: 'a text without a file name',
    bytes: Buffer.from('version=1'),
    filename: '',
    how: 'noname',
  },
  { what: 'a stream of unknown length', bytes: ODD, filename: PLAIN, how: 'stream' },
];

/** @returns a file with a name of its own, and bytes of its own */
export function fileNamed(filename: string): FileCase {
  const what = JSON.stringify(filename.length > 100 ? `${filename.slice(0, 3)}...` : filename);
  return file(what, Buffer.from(`the bytes of ${what}\r\n`), filename);
}

export const LINE_BREAK = 'new\nline.bin';

export const NAMES: readonly string[] = [
  'lamp "A" v1.bin',
  'report\\',
  '固件 v1.bin',
  'a;b=c.bin',
  'per%22cent.bin',
  LINE_BREAK,
  'C:\\dir\\fw.bin',
  `${'n'.repeat(196)}.bin`,
  '',
];

/** Names that a key with `${filename}` gets in one way only. */
export const EXPANDED_NAMES: readonly string[] = [
  PLAIN,
  '固件 v1.bin',
  'lamp "A" v1.bin',
  'a;b=c.bin',
  'C:\\dir\\fw.bin',
];
