import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { breakOff } from './broken-request.ts';
import { parserOf } from './node-parser.ts';

/** A chunk below it costs Node more by itself than its bytes do. */
const SMALL_BYTES = 1024;
/** Small chunks are joined up to so many bytes. */
const JOINED_BYTES = 16 * 1024;
/** After so many the request gets its turn before more is read. */
const CHUNKS_AT_ONCE = 1024;
/**
 * What an unsigned body may have of small chunks: so many, and one more for each of so many bytes. It is more than Node
 * reads at once, 64 KiB, so that a form whose file came with its fields can be authorized in between.
 */
const UNSIGNED = { chunks: 12 * 1024, bytesForEach: 64 };

/** Requests whose sender is known. */
const trusted = new WeakSet<object>();

/** Lets a request have any number of small chunks: it is known who sends it. */
export function allowSmallChunks(request: IncomingMessage): void {
  trusted.add(request);
}

/**
 * Joins the small chunks of a body that came together (RFC 9112, 7.1) before its request hears of them, and breaks off
 * an unsigned one that has too many. A chunk of one byte is legal, and 64 KiB of them are 11,000 that would each go
 * through the request's stream on a turn of their own, which held the event loop for 100 ms and more. Joined they take a
 * fifth of it, all of it Node's parser; those of a request that was broken off take next to nothing.
 *
 * Nothing public does that. Without these members of Node's nothing would change but the time.
 */
export function joinSmallChunks(socket: Socket): void {
  const parser = parserOf(socket);
  if (parser === undefined) return;
  const [body, complete] = [handlerOf(parser, 'kOnBody'), handlerOf(parser, 'kOnMessageComplete')];
  if (body === undefined || complete === undefined) return;
  const joiner = new Joiner(parser, body, complete);
  // Before Node takes the parser back, to give it to any other connection of the process.
  socket.prependOnceListener('close', () => joiner.end());
}

/** What Node's parser calls, and the member that it finds it by. */
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

/** Stands between a parser and its requests, as long as a connection has the parser. */
class Joiner {
  readonly #parser: object;
  readonly #body: Handler;
  readonly #complete: Handler;
  /** What the chunks belong to: the parser may have been given to another connection since. */
  #message: unknown;
  #joined: Buffer | undefined;
  #joinedBytes = 0;
  #joinedChunks = 0;
  #chunks = 0;
  #bytes = 0;

  /**
   * @param body - takes each chunk of a body
   * @param complete - is told of the end of a message
   */
  constructor(parser: object, body: Handler, complete: Handler) {
    this.#parser = parser;
    this.#body = body;
    this.#complete = complete;
    this.#listen();
    Reflect.set(parser, complete.slot, (): unknown => {
      this.#flush();
      this.#listen();
      return Reflect.apply(complete.call, parser, []);
    });
  }

  /** Leaves the parser as it was. */
  end(): void {
    Reflect.set(this.#parser, this.#body.slot, this.#body.call);
    Reflect.set(this.#parser, this.#complete.slot, this.#complete.call);
  }

  #listen(): void {
    Reflect.set(this.#parser, this.#body.slot, (chunk: Buffer) => this.#take(chunk));
  }

  #take(chunk: Buffer): void {
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
      // Runs when all that was read of the connection is parsed.
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
    // The request resumes it when it asks for more, as after any full buffer.
    if (this.#joinedChunks === CHUNKS_AT_ONCE) request.socket.pause();
    if (this.#chunks <= UNSIGNED.chunks + this.#bytes / UNSIGNED.bytesForEach) return;
    if (trusted.has(request)) return;
    // Node's parser makes nothing of chunks that nobody takes.
    Reflect.set(this.#parser, this.#body.slot, undefined);
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
