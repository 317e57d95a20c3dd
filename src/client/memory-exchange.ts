import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { MemorySocket } from './memory-connection.ts';
import type { MemoryResponse } from './memory-response.ts';
import { readResponse } from './memory-response.ts';

/** A request of the kit. */
export interface MemoryRequest {
  readonly url: URL;
  readonly method: string;
  /** `host`, unless given, is that of the URL. */
  readonly headers: Readonly<Record<string, string>>;
  /** A body, whose `content-length` is in the headers. */
  readonly body?: AsyncIterable<Uint8Array>;
}

/**
 * Sends one request over a connection inside the process, and reads the response.
 *
 * It does not use a client of Node, because tools such as msw and nock replace those, in order to see every request of
 * a process. The requests of the kit are not theirs: they never leave the process, and have nothing to mock.
 *
 * @returns the response, also when it comes before the whole body was sent
 * @throws a TypeError when a header has characters that headers cannot have
 * @throws an error with the code `ECONNRESET` when the connection breaks before the response is complete
 */
export async function exchange(
  connect: () => MemorySocket,
  request: MemoryRequest,
): Promise<MemoryResponse> {
  const head = encodeHead(request);
  const socket = connect();
  const state = { isDone: false };
  // The reader reports how the connection has ended.
  socket.on('error', () => undefined);
  send(socket, head, request, state).catch((error: unknown) => {
    socket.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    return await readResponse(socket, request.method);
  } finally {
    state.isDone = true;
    socket.destroySoon();
  }
}

/** Methods whose requests have no body, so that no `content-length` says so. */
const BODILESS = ['GET', 'HEAD', 'DELETE', 'OPTIONS'];

/** @throws a TypeError when a header has characters that headers cannot have */
function encodeHead({ body, headers, method, url }: MemoryRequest): Buffer {
  const all = new Map<string, string>();
  all.set('host', url.host);
  for (const [name, value] of Object.entries(headers)) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    all.set(name.toLowerCase(), value);
  }
  if (body === undefined && !BODILESS.includes(method)) all.set('content-length', '0');
  all.set('connection', 'close');
  const lines = Array.from(all, ([name, value]) => `${name}: ${value}\r\n`);
  const target = url.pathname + url.search;
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
}

async function send(
  socket: MemorySocket,
  head: Buffer,
  { body }: MemoryRequest,
  state: { readonly isDone: boolean },
): Promise<void> {
  await write(socket, head);
  if (body === undefined) return;
  for await (const chunk of body) {
    if (state.isDone || socket.destroyed) return;
    await write(socket, chunk);
  }
}

/** Resolves when the socket accepts more bytes, or when it is destroyed. */
function write(socket: MemorySocket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const hasRoom = socket.write(bytes, () => {
      resolve();
    });
    if (hasRoom) resolve();
  });
}
