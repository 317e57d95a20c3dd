import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate } from '../lib/timers.ts';
import { breakOff } from './broken-request.ts';
import { parserOf } from './node-parser.ts';

/** A chunk below this size costs Node more than its bytes do. */
const SMALL_BYTES = 1024;
/** The size up to which small chunks are joined. */
const JOINED_BYTES = 16 * 1024;
/** After this many joined chunks, the socket is paused until the request asks for more. */
const MAX_JOINED_CHUNKS = 1024;
/**
 * Limit for the small chunks of an unsigned body: `chunks`, and one more for every `bytesForEach` bytes. This is more
 * than the 64 KiB that Node reads at once can hold, so that a form can be authorized before its file reaches the limit.
 */
const UNSIGNED_LIMIT = { chunks: 12 * 1024, bytesForEach: 64 };

/** Requests whose signature is valid. */
const trusted = new WeakSet<object>();

const joiners = new WeakMap<Socket, Joiner>();

/** Allows any number of small chunks in a request, because its signature is valid. */
export function allowSmallChunks(request: IncomingMessage): void {
  trusted.add(request);
}

/**
 * Joins small chunks of a body (RFC 9112, 7.1) that arrive together before the request receives them, and marks an
 * unsigned request with too many of them as broken. A chunk of one byte is legal; 64 KiB can hold 11,000 of them. Each
 * would go through the stream of the request separately, which blocked the event loop for 100 ms and more. Joined they
 * take a fifth of that time, all of it in Node's parser; those of a broken request take almost none.
 *
 * Node has no public API for that. If these internal members disappear, only the time gets longer.
 */
export function joinSmallChunks(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === undefined) return;
  const [body, complete] = [handlerOf(parser, 'kOnBody'), handlerOf(parser, 'kOnMessageComplete')];
  if (body === undefined || complete === undefined) return;
  const joiner = new Joiner(parser, body, complete);
  joiners.set(socket, joiner);
  // Runs before Node reuses the parser for another connection of the process.
  socket.prependOnceListener('close', () => joiner.end());
}

/**
 * Lets Node's parser skip what is left of a body, because nobody will use it: its bytes are neither copied nor passed
 * on. Does nothing for a connection whose chunks are not joined.
 */
export function skipBody(request: IncomingMessage): void {
  joiners.get(request.socket)?.skip(request);
}

/** A callback of Node's parser, and the number of the member that holds it. */
interface Handler {
  readonly slot: number;
  readonly call: (...args: unknown[]) => unknown;
}

function handlerOf(parser: object, name: string): Handler | undefined {
  const slot: unknown = Reflect.get(parser.constructor, name);
  if (typeof slot !== 'number') return undefined;
  const call: unknown = Reflect.get(parser, slot);
  return isFunction(call) ? { slot, call } : undefined;
}

function isFunction(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

/** Whether Node drops what arrives of a request, because its response is complete: it never asks for more. */
function isUnread(request: IncomingMessage): boolean {
  return Reflect.get(request, '_dumped') === true;
}

/** Replaces the callbacks of a parser as long as a connection uses it. */
class Joiner {
  readonly #parser: object;
  readonly #body: Handler;
  readonly #complete: Handler;
  /** The message of the joined chunks. The parser may be at another one when they are flushed. */
  #message: unknown;
  #joined: Buffer | undefined;
  #joinedBytes = 0;
  #joinedChunks = 0;
  #chunks = 0;
  #bytes = 0;

  /**
   * @param body - the callback for each chunk of a body
   * @param complete - the callback for the end of a message
   */
  constructor(parser: object, body: Handler, complete: Handler) {
    this.#parser = parser;
    this.#body = body;
    this.#complete = complete;
    this.#install();
    Reflect.set(parser, complete.slot, (): unknown => {
      this.#flush();
      this.#install();
      return Reflect.apply(complete.call, parser, []);
    });
  }

  /** Restores the callbacks of the parser. */
  end(): void {
    Reflect.set(this.#parser, this.#body.slot, this.#body.call);
    Reflect.set(this.#parser, this.#complete.slot, this.#complete.call);
  }

  skip(request: IncomingMessage): void {
    if (Reflect.get(this.#parser, 'incoming') !== request) return;
    // The request may wait for these chunks before it resumes the socket.
    this.#flush();
    // Without a callback, Node's parser skips chunks.
    Reflect.set(this.#parser, this.#body.slot, undefined);
  }

  #install(): void {
    Reflect.set(this.#parser, this.#body.slot, (chunk: Buffer) => this.#receive(chunk));
  }

  #receive(chunk: Buffer): void {
    const message: unknown = Reflect.get(this.#parser, 'incoming');
    if (message !== this.#message) this.#begin(message);
    this.#bytes += chunk.length;
    if (chunk.length >= SMALL_BYTES) {
      this.#flush();
      this.#deliver(chunk);
      return;
    }
    this.#join(chunk);
    if (message instanceof IncomingMessage) this.#limit(message);
  }

  #begin(message: unknown): void {
    this.#message = message;
    this.#forget();
    this.#chunks = 0;
    this.#bytes = 0;
  }

  #join(chunk: Buffer): void {
    if (this.#joinedBytes + chunk.length > JOINED_BYTES) this.#flush();
    if (this.#joined === undefined) {
      this.#joined = Buffer.allocUnsafeSlow(JOINED_BYTES);
      // Runs after everything that was read from the connection is parsed.
      setImmediate(() => {
        this.#flush();
      });
    }
    this.#joined.set(chunk, this.#joinedBytes);
    this.#joinedBytes += chunk.length;
    this.#joinedChunks += 1;
    this.#chunks += 1;
  }

  #limit(request: IncomingMessage): void {
    if (isUnread(request)) {
      this.skip(request);
      return;
    }
    // The request resumes the socket when it asks for more, as after any full buffer.
    if (this.#joinedChunks === MAX_JOINED_CHUNKS) request.socket.pause();
    if (this.#chunks <= UNSIGNED_LIMIT.chunks + this.#bytes / UNSIGNED_LIMIT.bytesForEach) return;
    if (trusted.has(request)) return;
    this.skip(request);
    breakOff(request, 'tooManyChunks');
  }

  #flush(): void {
    const bytes = this.#joined?.subarray(0, this.#joinedBytes);
    this.#forget();
    if (bytes === undefined || Reflect.get(this.#parser, 'incoming') !== this.#message) return;
    this.#deliver(Buffer.from(bytes));
  }

  #forget(): void {
    this.#joined = undefined;
    this.#joinedBytes = 0;
    this.#joinedChunks = 0;
  }

  #deliver(chunk: Buffer): void {
    Reflect.apply(this.#body.call, this.#parser, [chunk]);
  }
}
