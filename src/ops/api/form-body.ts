import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { BROKEN, breakReason } from '../../http/broken-request.ts';
import { BrokenRequest, ClientVanished } from '../../http/request-chunks.ts';

const EVENTS = ['readable', 'end', 'error', 'close', BROKEN] as const;

/**
 * The body of a request, for multer in place of the request. Multer reads the rest of a form that it refuses, to its end;
 * of this body only as long as it is not destroyed. The request stays open for the response.
 */
export class FormBody extends Readable {
  readonly headers: IncomingHttpHeaders;
  /** The fields; multer sets it. */
  body?: unknown;
  /** The files; multer sets it. */
  files?: unknown;
  readonly #request: IncomingMessage;
  readonly #onChunk: ((chunk: Buffer) => void) | undefined;
  readonly #pull = (): void => {
    this.#stopWaiting();
    this.#pass();
  };

  /** @param onChunk - gets each chunk before multer does */
  constructor(request: IncomingMessage, onChunk?: (chunk: Buffer) => void) {
    super();
    this.headers = request.headers;
    this.#request = request;
    this.#onChunk = onChunk;
  }

  override _read(): void {
    this.#pull();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // A request with such a listener would not be drained.
    this.#stopWaiting();
    done(error);
  }

  #pass(): void {
    const request = this.#request;
    const chunk: unknown = request.read();
    const reason = breakReason(request);
    if (Buffer.isBuffer(chunk)) {
      this.#onChunk?.(chunk);
      this.push(chunk);
    } else if (reason !== undefined) {
      this.destroy(new BrokenRequest(reason));
    } else if (request.readableEnded) {
      this.push(null);
    } else if (request.destroyed) {
      this.destroy(new ClientVanished('the client has closed the connection'));
    } else {
      for (const event of EVENTS) request.on(event, this.#pull);
    }
  }

  #stopWaiting(): void {
    for (const event of EVENTS) this.#request.off(event, this.#pull);
  }
}
