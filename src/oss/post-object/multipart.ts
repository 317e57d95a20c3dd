import { argument, hint, ossError } from '../errors.ts';
import { quote } from '../fields.ts';
import { parseParameters } from './header-parameters.ts';
import { MAX_HEADER_BYTES, parseHeaders, tooLongHeaders } from './part-headers.ts';
import type { PartHeaders } from './part-headers.ts';

/** One part of a multipart body. */
export interface FormPart {
  readonly headers: PartHeaders;
  /** Bytes of the request's body before the body of the part. */
  readonly offset: number;
  /** The unchanged bytes. Those that are not read are skipped when the next part is requested. */
  readonly body: AsyncIterable<Buffer>;
}

const MAX_PREAMBLE_BYTES = 64 * 1024;
const MAX_EPILOGUE_BYTES = 64 * 1024;
/** Total spaces and tabs after the boundaries of a body. */
const MAX_PADDING_BYTES = 64 * 1024;
/** Minimum space for small chunks after the held bytes. */
const MIN_SPACE = 128;

/**
 * The request's body. The bytes of `memory` from `start` to `end` are fetched and not yet taken. The space after `end`
 * is for the next chunks: they are copied there, so that a small chunk does not make all held bytes be copied again.
 */
interface Input {
  memory: Buffer;
  start: number;
  end: number;
  /** Fetched bytes in total. */
  fetched: number;
  /** Spaces and tabs after boundaries so far. */
  padding: number;
  /** @returns false at the end of the body */
  readonly fetch: () => Promise<boolean>;
}

const NOTHING = Buffer.alloc(0);
const CRLF = Buffer.from('\r\n');
const [CR, LF, DASH, SPACE, TAB] = [0x0d, 0x0a, 0x2d, 0x20, 0x09];
const HEADERS_END = Buffer.from('\r\n\r\n');

/** RFC 2046, 5.1.1, allows fewer characters. Each of these is a single byte, which is enough here. */
const BOUNDARY = /^[\x20-\x7e]{0,69}[\x21-\x7e]$/;

/** No Content-Type, or a comma where its boundary begins: OSS does not see a form (aliyun-oss-csharp-sdk#121). */
const NO_FORM = /^\s*(?:$|multipart\/form-data\s*,)/i;

/**
 * Returns the boundary of a multipart body from its Content-Type.
 * @throws OssError when it is missing or invalid; which error OSS has for an invalid boundary is unverified
 */
export function readBoundary(contentType: string | undefined): string {
  if (NO_FORM.test(contentType ?? '')) {
    const expected = hint('the Content-Type must be multipart/form-data; boundary=...');
    const elements = { Method: 'POST', ResourceType: 'Bucket', ...expected };
    throw ossError('MethodNotAllowed.form', { elements });
  }
  if (!/^\s*multipart\/form-data\s*(?:;|$)/i.test(contentType ?? '')) {
    const elements = argument('Content-Type', quote(contentType ?? ''));
    throw ossError('RequestIsNotMultiPartContent', { elements });
  }
  const boundary = parseParameters(contentType ?? '', 'boundary')?.parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    const problem = boundary === undefined ? 'no' : 'an invalid';
    const elements = hint(`the Content-Type has ${problem} boundary`);
    throw ossError('MalformedPOSTRequest', { elements });
  }
  return boundary;
}

/**
 * Splits a multipart body into its parts (RFC 2046, 5.1.1; RFC 7578). Yields each part as soon as its headers are
 * complete, without interpreting them, and then its bytes unchanged. Fetches a chunk only when the caller needs it, and
 * holds one chunk. Yields a chunk without copying it, unless a delimiter may have begun in the chunk before. After the
 * last part it reads the body to its end.
 *
 * @param body - its errors are rethrown
 * @param boundary - 1 to 70 characters without line breaks
 * @throws OssError `MalformedPOSTRequest` when the body is incomplete or not a multipart body
 */
export async function* formParts(
  body: AsyncIterable<Buffer>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const input = openInput(body);
  await skipPreamble(input, delimiter);
  while (await anotherPartFollows(input)) {
    const headers = await readHeaders(input);
    const offset = input.fetched - heldLength(input) + CRLF.length;
    // The line break of the empty line after the headers is not part of the body. It is still in the input, because the
    // delimiter after an empty body begins with it.
    const body = new BytesUntil(delimiter, input, CRLF.length);
    yield { headers, offset, body };
    await skip(body);
  }
  await skipRest(input);
}

function openInput(body: AsyncIterable<Buffer>): Input {
  const chunks = body[Symbol.asyncIterator]();
  const input: Input = {
    memory: NOTHING,
    start: 0,
    end: 0,
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

/** Adds a chunk after `end`, so that taken bytes are never overwritten. */
function append(input: Input, chunk: Buffer): void {
  const length = heldLength(input);
  if (length === 0) {
    hold(input, chunk, chunk.length);
    return;
  }
  if (input.end + chunk.length > input.memory.length) {
    // Doubling keeps the total copying linear in the length of the body, also for small chunks.
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

/** Fetches one more chunk, which may be empty. @throws OssError at the end of the body */
async function fetchMore(input: Input): Promise<void> {
  if (await input.fetch()) return;
  const elements = hint('the body ends before its last boundary');
  throw ossError('MalformedPOSTRequest', { elements });
}

function take(input: Input, length: number): Buffer {
  const taken = input.memory.subarray(input.start, input.start + length);
  input.start += length;
  return taken;
}

/** Skips the first delimiter, and what is before it. A body may begin with it, without its line break. */
async function skipPreamble(input: Input, delimiter: Buffer): Promise<void> {
  const boundary = delimiter.subarray(CRLF.length);
  // No body has less than its last boundary, and two dashes.
  while (heldLength(input) < boundary.length + 2) await fetchMore(input);
  const begins = held(input).subarray(0, boundary.length).equals(boundary);
  if (begins && classifyAfterDelimiter(held(input), boundary.length) !== 'data')
    take(input, boundary.length);
  else await skip(new BytesUntil(delimiter, input), MAX_PREAMBLE_BYTES);
}

/** The bytes up to the next delimiter, which is taken with the last of them. Who stops in the middle can go on later. */
class BytesUntil implements AsyncIterableIterator<Buffer> {
  readonly #delimiter: Buffer;
  readonly #input: Input;
  /** Bytes at the beginning that are not passed on. */
  #omitted: number;
  #isOver = false;

  constructor(delimiter: Buffer, input: Input, omitted = 0) {
    this.#delimiter = delimiter;
    this.#input = input;
    this.#omitted = omitted;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    for (;;) {
      if (this.#isOver) return { done: true, value: undefined };
      const { index, isComplete } = findDelimiter(held(this.#input), this.#delimiter);
      const value = take(this.#input, index).subarray(this.#omitted);
      if (index > 0) this.#omitted = 0;
      if (isComplete) take(this.#input, this.#delimiter.length);
      this.#isOver = isComplete;
      if (value.length > 0) return { done: false, value };
      if (!isComplete) await fetchMore(this.#input);
    }
  }
}

/**
 * Finds the first delimiter, or else the end of the bytes that may be the beginning of one.
 * @returns `index`: where it begins; the number of bytes when there is none
 */
function findDelimiter(bytes: Buffer, delimiter: Buffer): { index: number; isComplete: boolean } {
  let index = bytes.indexOf(delimiter);
  while (index !== -1) {
    const kind = classifyAfterDelimiter(bytes, index + delimiter.length);
    if (kind !== 'data') return { index, isComplete: kind === 'delimiter' };
    index = bytes.indexOf(delimiter, index + delimiter.length);
  }
  // The delimiter contains one CR, its first byte; so only the last CR can begin an incomplete one.
  const tail = Math.max(0, bytes.length - delimiter.length + 1);
  const cr = bytes.subarray(tail).lastIndexOf(CR);
  const rest = bytes.subarray(tail + cr);
  const isStart = cr !== -1 && rest.equals(delimiter.subarray(0, rest.length));
  return { index: isStart ? tail + cr : bytes.length, isComplete: false };
}

/**
 * Classifies the text of a delimiter by the bytes after it. It is a delimiter only when a space, a tab, a line break or
 * two dashes follow: `--bounda` is not a delimiter of the boundary `b`.
 */
function classifyAfterDelimiter(bytes: Buffer, index: number): 'delimiter' | 'data' | 'undecided' {
  const first = bytes[index];
  if (first === SPACE || first === TAB) return 'delimiter';
  if (first === undefined) return 'undecided';
  if (first !== CR && first !== DASH) return 'data';
  const second = bytes[index + 1];
  if (second === undefined) return 'undecided';
  return second === (first === CR ? LF : DASH) ? 'delimiter' : 'data';
}

/** Reads the rest of a delimiter's line, except its line break. @returns false after the closing delimiter */
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
  if (end === -1 || end > MAX_HEADER_BYTES) throw tooLongHeaders(held(input));
  return parseHeaders(take(input, end + CRLF.length).toString('latin1'));
}

async function skip(bytes: BytesUntil, limit = Infinity): Promise<void> {
  let skipped = 0;
  for await (const { length } of bytes) {
    skipped += length;
    if (skipped > limit) throw ossError('MalformedPOSTRequest');
  }
}

/** Reads what is after the last delimiter. */
async function skipRest(input: Input): Promise<void> {
  let skipped = 0;
  do {
    skipped += take(input, heldLength(input)).length;
    if (skipped > MAX_EPILOGUE_BYTES) throw ossError('MalformedPOSTRequest');
  } while (await input.fetch());
}
