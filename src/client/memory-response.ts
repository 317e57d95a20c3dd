import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

/** The response to a request of the kit. */
export interface MemoryResponse {
  readonly status: number;
  /** Names as they were sent. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/**
 * Reads one response (RFC 9112). The server is our own, so its syntax is trusted; its end is not, because faults cut
 * responses off.
 * @param method - of the request; the response to HEAD has no body
 * @throws an error with the code `ECONNRESET` when the connection ends before the response does
 */
export async function readResponse(source: Readable, method: string): Promise<MemoryResponse> {
  const reader = new ByteReader(source);
  let head = await readHead(reader);
  // Responses such as 100 are followed by the real one.
  while (head.status < 200) head = await readHead(reader);
  const hasBody = method !== 'HEAD' && head.status !== 204 && head.status !== 304;
  return { ...head, body: hasBody ? await readBody(reader, head.rawHeaders) : Buffer.alloc(0) };
}

/** @returns the headers with their names in lower case, as node:http has them */
export function joinHeaders(rawHeaders: MemoryResponse['rawHeaders']): IncomingHttpHeaders {
  const joined: IncomingHttpHeaders = {};
  for (const [rawName, value] of rawHeaders) {
    const name = rawName.toLowerCase();
    if (name === 'set-cookie') {
      joined[name] = [...(joined[name] ?? []), value];
      continue;
    }
    const before = joined[name];
    joined[name] = typeof before === 'string' ? `${before}, ${value}` : value;
  }
  return joined;
}

async function readHead(reader: ByteReader): Promise<Omit<MemoryResponse, 'body'>> {
  const status = Number((await reader.line()).split(' ')[1]);
  const rawHeaders: [string, string][] = [];
  for (let line = await reader.line(); line !== ''; line = await reader.line()) {
    const colon = line.indexOf(':');
    rawHeaders.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return { status, rawHeaders };
}

async function readBody(
  reader: ByteReader,
  rawHeaders: MemoryResponse['rawHeaders'],
): Promise<Buffer> {
  const headers = joinHeaders(rawHeaders);
  if (headers['transfer-encoding'] !== undefined) return readChunked(reader);
  const length = headers['content-length'];
  return length === undefined ? reader.rest() : reader.take(Number(length));
}

async function readChunked(reader: ByteReader): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const size = Number.parseInt(await reader.line(), 16);
    if (size === 0) break;
    chunks.push(await reader.take(size));
    await reader.line();
  }
  // Trailers, if any, end with an empty line.
  while ((await reader.line()) !== '');
  return Buffer.concat(chunks);
}

/** Reads lines and numbers of bytes from a stream. */
class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #bytes: Buffer = Buffer.alloc(0);
  #hasBegun = false;

  constructor(source: Readable) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** @returns the next line, without its end */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#bytes.indexOf('\r\n');
      if (end >= 0) {
        const line = this.#bytes.toString('latin1', 0, end);
        this.#bytes = this.#bytes.subarray(end + 2);
        return line;
      }
      this.#bytes = Buffer.concat([this.#bytes, await this.#more()]);
    }
  }

  async take(size: number): Promise<Buffer> {
    const chunks = [this.#bytes];
    let length = this.#bytes.length;
    while (length < size) {
      const chunk = await this.#more();
      chunks.push(chunk);
      length += chunk.length;
    }
    const all = chunks.length === 1 ? this.#bytes : Buffer.concat(chunks);
    this.#bytes = all.subarray(size);
    return all.subarray(0, size);
  }

  /** @returns everything up to the end of the connection */
  async rest(): Promise<Buffer> {
    const chunks = [this.#bytes];
    this.#bytes = Buffer.alloc(0);
    for (let next = await this.#next(); next !== undefined; next = await this.#next()) {
      chunks.push(next);
    }
    return Buffer.concat(chunks);
  }

  async #more(): Promise<Buffer> {
    const chunk = await this.#next();
    if (chunk !== undefined) return chunk;
    throw connectionReset(this.#hasBegun ? 'aborted' : 'socket hang up');
  }

  /** @returns undefined at the end of the connection */
  async #next(): Promise<Buffer | undefined> {
    try {
      const result = await this.#source.next();
      if (result.done === true) return undefined;
      this.#hasBegun = true;
      return result.value;
    } catch (error) {
      throw connectionReset(this.#hasBegun ? 'aborted' : 'socket hang up', error);
    }
  }
}

/** @returns the error of node:http for a connection that breaks before or in the middle of a response */
function connectionReset(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: 'ECONNRESET' });
}
