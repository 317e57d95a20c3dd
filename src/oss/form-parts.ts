import { OssError } from './errors.ts';

/** Headers of a part: lower-case name -> values, with a character for each byte. */
export type PartHeaders = ReadonlyMap<string, readonly string[]>;

/** One part of a multipart body. */
export interface FormPart {
  readonly headers: PartHeaders;
  /** How many bytes of the request's body came before the part's. */
  readonly offset: number;
  /** The bytes as they came. What is not read of them is skipped when the next part is asked for. */
  readonly body: AsyncIterable<Buffer>;
}

const MAX_PREAMBLE_BYTES = 64 * 1024;
const MAX_EPILOGUE_BYTES = 64 * 1024;
/** Of one part; a field name alone may have 8 KiB. */
const MAX_HEADER_BYTES = 32 * 1024;

/** The request's body, of which `bytes` were fetched and not yet taken. */
interface Input {
  bytes: Buffer;
  /** All that was fetched. */
  fetched: number;
  /** @returns false at the end of the body */
  readonly fetch: () => Promise<boolean>;
}

const CRLF = Buffer.from('\r\n');
const CR = 0x0d;
const HEADERS_END = Buffer.from('\r\n\r\n');

/**
 * Takes a multipart body apart, one part after the other (RFC 2046, 5.1.1; RFC 7578). Every part is given out as
 * soon as its headers are complete, whatever they are, and its bytes exactly as they came. Fetches only what the
 * caller asks for, and holds one chunk. After the last part it reads the body to its end.
 *
 * @param body - what it throws is thrown here
 * @param boundary - 1 to 70 characters without line breaks
 * @throws OssError `MalformedPOSTRequest` when the body is cut or is no multipart body
 */
export async function* formParts(
  body: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const input = openInput(body);
  await skip(untilDelimiter(input, delimiter), MAX_PREAMBLE_BYTES);
  while (await anotherPartFollows(input)) {
    const headers = await readHeaders(input);
    const offset = input.fetched - input.bytes.length + CRLF.length;
    const unread: UnreadBody = { input, delimiter, ended: false, skip: CRLF.length };
    yield { headers, offset, body: bodyOf(unread) };
    await skip(bodyOf(unread));
  }
  await skip(remaining(input), MAX_EPILOGUE_BYTES);
}

function openInput(body: AsyncIterable<Buffer>): Input {
  const chunks = body[Symbol.asyncIterator]();
  const input: Input = {
    // The first boundary needs no line break before it.
    bytes: CRLF,
    fetched: 0,
    fetch: async () => {
      const next = await chunks.next();
      if (next.done === true) return false;
      input.fetched += next.value.length;
      input.bytes =
        input.bytes.length === 0 ? next.value : Buffer.concat([input.bytes, next.value]);
      return true;
    },
  };
  return input;
}

/** Fetches until there are so many bytes. */
async function need(input: Input, length: number): Promise<void> {
  while (input.bytes.length < length) {
    if (!(await input.fetch())) throw new OssError('MalformedPOSTRequest');
  }
}

function take(input: Input, length: number): Buffer {
  const taken = input.bytes.subarray(0, length);
  input.bytes = input.bytes.subarray(length);
  return taken;
}

/** Gives the bytes up to the next delimiter, and takes the delimiter away. */
async function* untilDelimiter(
  input: Input,
  delimiter: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const { at, certain } = findDelimiter(input.bytes, delimiter);
    if (at > 0) yield take(input, at);
    if (certain) {
      take(input, delimiter.length);
      return;
    }
    await need(input, input.bytes.length + 1);
  }
}

/**
 * Finds the first delimiter, or else the first bytes that may turn out to be one.
 * @returns the length of the bytes when there is neither
 */
function findDelimiter(bytes: Buffer, delimiter: Buffer): { at: number; certain: boolean } {
  let at = bytes.indexOf(delimiter);
  while (at !== -1) {
    const verdict = judgeAfterDelimiter(bytes, at + delimiter.length);
    if (verdict !== 'data') return { at, certain: verdict === 'delimiter' };
    at = bytes.indexOf(delimiter, at + delimiter.length);
  }
  // The delimiter has one CR, so no start of it can come before the last one.
  const tail = Math.max(0, bytes.length - delimiter.length + 1);
  const cr = bytes.subarray(tail).lastIndexOf(CR);
  const rest = bytes.subarray(tail + cr);
  const isStart = cr !== -1 && rest.equals(delimiter.subarray(0, rest.length));
  return { at: isStart ? tail + cr : bytes.length, certain: false };
}

/**
 * A boundary is one only when the line ends after it, spaces apart, or two dashes follow; `--bounda` does not
 * delimit what `--b` delimits.
 */
function judgeAfterDelimiter(bytes: Buffer, at: number): 'delimiter' | 'data' | 'undecided' {
  const after = bytes.toString('latin1', at, at + 2);
  if (/^[ \t]|^\r\n|^--/.test(after)) return 'delimiter';
  return after === '' || after === '\r' || after === '-' ? 'undecided' : 'data';
}

/** Reads the rest of a delimiter's line, except its line break. @returns false after the closing one */
async function anotherPartFollows(input: Input): Promise<boolean> {
  for (let padding = 0; padding < MAX_HEADER_BYTES; padding += 1) {
    await need(input, 2);
    const next = input.bytes.toString('latin1', 0, 2);
    if (next === '--') return false;
    if (next === '\r\n') return true;
    if (!/^[ \t]/.test(next)) break;
    take(input, 1);
  }
  throw new OssError('MalformedPOSTRequest');
}

/** Reads headers up to the line break of the empty line after them. The input begins with a line break. */
async function readHeaders(input: Input): Promise<PartHeaders> {
  let end = input.bytes.indexOf(HEADERS_END);
  while (end === -1 && input.bytes.length <= MAX_HEADER_BYTES) {
    const from = Math.max(0, input.bytes.length - HEADERS_END.length + 1);
    await need(input, input.bytes.length + 1);
    end = input.bytes.indexOf(HEADERS_END, from);
  }
  if (end === -1 || end > MAX_HEADER_BYTES) throw new OssError('MalformedPOSTRequest');
  return parseHeaders(take(input, end + CRLF.length).toString('latin1'));
}

const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:([^\r\n]*)$/;
/** A line that goes on after a line break and a space. */
const FOLD = /\r\n(?=[ \t])/g;

function parseHeaders(block: string): PartHeaders {
  const headers = new Map<string, string[]>();
  for (const line of block.replace(FOLD, '').split('\r\n')) {
    if (line === '') continue;
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    if (name === undefined) throw new OssError('MalformedPOSTRequest', { ec: EC_PART_HEADER });
    const values = headers.get(name.toLowerCase());
    if (values === undefined) headers.set(name.toLowerCase(), [value.trim()]);
    else values.push(value.trim());
  }
  return headers;
}

/** Page of OSS's error code: a part does not begin with its Content-Disposition. */
export const EC_PART_HEADER = '0006-00000109';

interface UnreadBody {
  readonly input: Input;
  readonly delimiter: Buffer;
  ended: boolean;
  /**
   * Bytes to leave off: the line break of the empty line after the headers stays before the body, because the
   * delimiter of a part without a body begins with it.
   */
  skip: number;
}

/** Reads a body on from wherever the last reader has left it. */
async function* bodyOf(unread: UnreadBody): AsyncGenerator<Buffer, void, undefined> {
  if (unread.ended) return;
  for await (const bytes of untilDelimiter(unread.input, unread.delimiter)) {
    const chunk = bytes.subarray(unread.skip);
    unread.skip = 0;
    if (chunk.length > 0) yield chunk;
  }
  unread.ended = true;
}

async function* remaining(input: Input): AsyncGenerator<Buffer, void, undefined> {
  do {
    yield take(input, input.bytes.length);
  } while (await input.fetch());
}

async function skip(
  bytes: AsyncGenerator<Buffer, void, undefined>,
  limit = Infinity,
): Promise<void> {
  let skipped = 0;
  for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
    skipped += next.value.length;
    if (skipped > limit) throw new OssError('MalformedPOSTRequest');
  }
}
