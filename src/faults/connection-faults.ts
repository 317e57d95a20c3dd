import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { clearTimeout, setImmediate, setTimeout } from '../lib/timers.ts';
import type { Fault } from './fault-plan.ts';

/** Resets the connection of a request: the other side gets ECONNRESET and no response. */
export function resetConnection({ socket }: IncomingMessage): void {
  // A TLS socket has no reset of its own.
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

type Done = (error?: Error | null) => void;

/**
 * Corrupts the response that will be written, for `truncate` and `loseAnswer`; other faults do not change it.
 * The bytes are counted from the status line on.
 */
export function corruptResponse(request: IncomingMessage, fault: Fault | undefined): void {
  if (fault?.kind !== 'truncate' && fault?.kind !== 'loseAnswer') return;
  const { socket } = request;
  const write = socket.write.bind(socket);
  let left = fault.kind === 'truncate' ? fault.after : 0;
  let isCut = false;
  const pass = (bytes: Buffer): void => {
    if (isCut) return;
    const passed = bytes.subarray(0, left);
    left -= passed.length;
    if (passed.length > 0) write(passed);
    if (passed.length === bytes.length) return;
    isCut = true;
    if (fault.kind === 'truncate') socket.destroySoon();
    else resetConnection(request);
  };
  socket.write = (chunk: string | Uint8Array, more?: BufferEncoding | Done, last?: Done | null) => {
    const [encoding, done] = typeof more === 'function' ? [undefined, more] : [more, last];
    pass(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
    // Node passes null for a chunk of a body without a callback.
    if (typeof done === 'function') setImmediate(done);
    return true;
  };
  onceAnswered(request, () => {
    // The next response of the connection is not corrupted.
    if (!isCut) socket.write = write;
  });
}

/** The channel on which Node tells that a response is complete; its message has the request. */
const ANSWERED = 'http.server.response.finish';

function onceAnswered(request: IncomingMessage, then: () => void): void {
  const end = (): void => {
    request.socket.off('close', end);
    unsubscribe(ANSWERED, listen);
  };
  const listen = (message: unknown): void => {
    const isIts = typeof message === 'object' && message !== null && 'request' in message;
    if (!isIts || message.request !== request) return;
    end();
    then();
  };
  subscribe(ANSWERED, listen);
  request.socket.on('close', end);
}

/**
 * Waits as a `delay` or a `stall` says. A stall without a time lasts until the client is gone.
 * @param time - milliseconds
 * @returns whether the client is still there
 */
export async function pause(
  { socket }: IncomingMessage,
  time: number | undefined,
): Promise<boolean> {
  // During a stall without a time, a client gives up by ending its side of the connection.
  const hasGivenUp = (): boolean =>
    socket.destroyed || (time === undefined && socket.readableEnded);
  if (hasGivenUp()) return false;
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      for (const end of ends) socket.off(end, finish);
      resolve(!hasGivenUp());
    };
    const timer = time === undefined ? undefined : setTimeout(finish, time);
    const ends = time === undefined ? ['close', 'end'] : ['close'];
    for (const end of ends) socket.on(end, finish);
  });
}

const TICKS_PER_SECOND = 10;

/**
 * Passes on the bytes of a file and applies `reset`, `stall` and `slow` to them; other faults do not change them.
 * @param createError - makes the error that ends the reading when the connection is broken
 */
export function spoilFile(
  request: IncomingMessage,
  bytes: AsyncIterable<Buffer>,
  fault: Fault | undefined,
  createError: () => Error,
): AsyncIterable<Buffer> {
  switch (fault?.kind) {
    case 'reset':
      return interrupted(bytes, fault.after, async () => {
        resetConnection(request);
        throw createError();
      });
    case 'stall':
      return interrupted(bytes, fault.after, async () => {
        if (!(await pause(request, fault.time))) throw createError();
      });
    case 'slow':
      return paced(bytes, fault.bytesPerSecond / TICKS_PER_SECOND, async () => {
        if (!(await pause(request, 1000 / TICKS_PER_SECOND))) throw createError();
      });
    default:
      return bytes;
  }
}

/** Passes bytes on, and calls `onThreshold` once when `after` bytes have passed. */
async function* interrupted(
  bytes: AsyncIterable<Buffer>,
  after: number,
  onThreshold: () => Promise<void>,
): AsyncGenerator<Buffer, void, undefined> {
  if (after === 0) await onThreshold();
  let left = after;
  for await (const chunk of bytes) {
    const head = left > 0 ? chunk.subarray(0, left) : Buffer.alloc(0);
    if (head.length > 0) {
      left -= head.length;
      yield head;
      if (left === 0) await onThreshold();
    }
    if (head.length < chunk.length) yield chunk.subarray(head.length);
  }
}

/** Passes bytes on in pieces of at most `size` bytes, and waits before each piece. */
async function* paced(
  bytes: AsyncIterable<Buffer>,
  size: number,
  pause: () => Promise<void>,
): AsyncGenerator<Buffer, void, undefined> {
  const step = Math.max(1, Math.floor(size));
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length; at += step) {
      await pause();
      yield chunk.subarray(at, at + step);
    }
  }
}
