import { ossError } from '../errors.ts';
import { parseParameters } from './header-parameters.ts';

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
/** Spaces and tabs after all boundaries of a body together. */
const MAX_PADDING_BYTES = 64 * 1024;
/** Least space for small chunks behind the bytes that are held. */
const MIN_SPACE = 128;

/**
 * The request's body. The bytes of `memory` from `start` to `end` were fetched and not yet taken. What follows `end`
 * is space for the next chunks: small ones are copied there, so that a body in many small chunks costs no copy of
 * everything that is held for each of them.
 */
interface Input {
  memory: Buffer;
  start: number;
  end: number;
  /** All that was fetched. */
  fetched: number;
  /** Bytes after boundaries so far. */
  padding: number;
  /** @returns false at the end of the body */
  readonly fetch: () => Promise<boolean>;
}

const CRLF = Buffer.from('\r\n');
const [CR, LF, DASH, SPACE, TAB] = [0x0d, 0x0a, 0x2d, 0x20, 0x09];
const HEADERS_END = Buffer.from('\r\n\r\n');

/** RFC 2046, 5.1.1, allows fewer characters; what matters is that they are single bytes. */
const BOUNDARY = /^[\x20-\x7e]{0,69}[\x21-\x7e]$/;

/**
 * Finds the boundary of a multipart body in its Content-Type. The error for a missing or unusable one is unverified.
 * @throws OssError
 */
export function readBoundary(contentType: string | undefined): string {
  if (!/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType ?? '')) {
    throw ossError('RequestIsNotMultiPartContent');
  }
  const boundary = parseParameters(contentType ?? '')?.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    throw ossError('MalformedPOSTRequest');
  }
  return boundary;
}

/**
 * Takes a multipart body apart, one part after the other (RFC 2046, 5.1.1; RFC 7578). Every part is given out as
 * soon as its headers are complete, whatever they are, and its bytes exactly as they came. Fetches only what the
 * caller asks for, and holds one chunk. A chunk is given out without a copy unless a delimiter may have begun before
 * it. After the last part it reads the body to its end.
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
    const offset = input.fetched - heldLength(input) + CRLF.length;
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
    memory: CRLF,
    start: 0,
    end: CRLF.length,
    fetched: 0,
    padding: 0,
    fetch: async () => {
      const next = await chunks.next();
      if (next.done === true) return false;
      input.fetched += next.value.length;
      append(input, next.value);
      return true;
    },
  };
  return input;
}

/** Adds a chunk. It never writes over bytes that were taken: they stand before `end`. */
function append(input: Input, chunk: Buffer): void {
  const length = heldLength(input);
  if (length === 0) {
    hold(input, chunk, chunk.length);
    return;
  }
  if (input.end + chunk.length > input.memory.length) {
    // Doubling keeps the copying linear in the length of the body, however small its chunks are.
    const memory = Buffer.allocUnsafe(chunk.length + Math.max(2 * length, MIN_SPACE));
    input.memory.copy(memory, 0, input.start, input.end);
    hold(input, memory, length);
  }
  input.end += chunk.copy(input.memory, input.end);
}

function hold(input: Input, memory: Buffer, length: number): void {
  input.memory = memory;
  input.start = 0;
  input.end = length;
}

function heldLength({ start, end }: Input): number {
  return end - start;
}

function held({ memory, start, end }: Input): Buffer {
  return memory.subarray(start, end);
}

/** Fetches one more chunk, which may be an empty one. @throws OssError at the end of the body */
async function fetchMore(input: Input): Promise<void> {
  if (!(await input.fetch())) throw ossError('MalformedPOSTRequest');
}

function take(input: Input, length: number): Buffer {
  const taken = input.memory.subarray(input.start, input.start + length);
  input.start += length;
  return taken;
}

/** Gives the bytes up to the next delimiter, and takes the delimiter away. */
async function* untilDelimiter(
  input: Input,
  delimiter: Buffer,
): AsyncGenerator<Buffer, void, undefined> {
  for (;;) {
    const { at, certain } = findDelimiter(held(input), delimiter);
    if (at > 0) yield take(input, at);
    if (certain) {
      take(input, delimiter.length);
      return;
    }
    await fetchMore(input);
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
  const first = bytes[at];
  if (first === SPACE || first === TAB) return 'delimiter';
  if (first === undefined) return 'undecided';
  if (first !== CR && first !== DASH) return 'data';
  const second = bytes[at + 1];
  if (second === undefined) return 'undecided';
  return second === (first === CR ? LF : DASH) ? 'delimiter' : 'data';
}

/** Reads the rest of a delimiter's line, except its line break. @returns false after the closing one */
async function anotherPartFollows(input: Input): Promise<boolean> {
  for (;;) {
    skipPadding(input);
    if (heldLength(input) >= 2) break;
    await fetchMore(input);
  }
  const next = held(input).toString('latin1', 0, 2);
  if (next === '--') return false;
  if (next === '\r\n') return true;
  throw ossError('MalformedPOSTRequest');
}

function skipPadding(input: Input): void {
  const { memory, start, end } = input;
  let at = start;
  while (at < end && (memory[at] === SPACE || memory[at] === TAB)) at += 1;
  input.padding += at - start;
  if (input.padding > MAX_PADDING_BYTES) throw ossError('MalformedPOSTRequest');
  input.start = at;
}

/** Reads headers up to the line break of the empty line after them. The input begins with a line break. */
async function readHeaders(input: Input): Promise<PartHeaders> {
  let end = held(input).indexOf(HEADERS_END);
  while (end === -1 && heldLength(input) <= MAX_HEADER_BYTES) {
    const from = Math.max(0, heldLength(input) - HEADERS_END.length + 1);
    await fetchMore(input);
    end = held(input).indexOf(HEADERS_END, from);
  }
  if (end === -1 || end > MAX_HEADER_BYTES) throw ossError('MalformedPOSTRequest');
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
    if (name === undefined) throw ossError('MalformedPOSTRequest.partHeader');
    const values = headers.get(name.toLowerCase());
    if (values === undefined) headers.set(name.toLowerCase(), [value.trim()]);
    else values.push(value.trim());
  }
  return headers;
}

/** Page of OSS's error code: a part does not begin with its Content-Disposition. */

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
    yield take(input, heldLength(input));
  } while (await input.fetch());
}

async function skip(
  bytes: AsyncGenerator<Buffer, void, undefined>,
  limit = Infinity,
): Promise<void> {
  let skipped = 0;
  for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
    skipped += next.value.length;
    if (skipped > limit) throw ossError('MalformedPOSTRequest');
  }
}
