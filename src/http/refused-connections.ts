import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { LimitedLog } from '../lib/limited-log.ts';
import { clearTimeout, setTimeout } from '../lib/timers.ts';
import { wallClock } from '../lib/clock.ts';
import { bodyOf, headersOf, printable } from './client-error.ts';
import type { ClientError, Refusal } from './client-error.ts';
import type { DrainLimits } from './drain.ts';
import type { RefusalReason } from '../refusals/refusal-reason.ts';
import type { RequestObserver } from './request-record.ts';

/** Refuses connections, and logs why. */
export class RefusedConnections {
  readonly #log: LimitedLog;
  readonly #limits: DrainLimits;
  readonly #observe: RequestObserver | undefined;
  readonly #refused = new WeakSet<Socket>();

  /** @param limits - what is still read, so that the client receives the response instead of a reset */
  constructor(log: LimitedLog, limits: DrainLimits, observe?: RequestObserver) {
    this.#log = log;
    this.#limits = limits;
    this.#observe = observe;
  }

  /** Whether a connection is refused already: its parser reports each further piece of it as an error. */
  has(socket: Socket): boolean {
    return this.#refused.has(socket);
  }

  /** Decides that a connection is refused. The response may come later, after those to its earlier requests. */
  add(socket: Socket, { message, status }: Refusal, error: ClientError = new Error()): void {
    this.#refused.add(socket);
    // Browsers open connections in advance, and may never use them.
    if (socket.bytesRead === 0) return;
    this.log(socket, { ...detailsOf(error), status: Number.parseInt(status, 10) }, message);
  }

  /** Sends the refusal, and closes the connection as soon as its client does, or at a limit. */
  respond(socket: Socket, refusal: Refusal): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const body = bodyOf(refusal);
    const lines = Object.entries(headersOf(body)).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${refusal.status}\r\n${lines.join('')}\r\n`);
    socket.end(body);
    const before = socket.bytesRead;
    const timer = setTimeout(() => socket.destroy(), this.#limits.milliseconds);
    socket.once('close', () => {
      clearTimeout(timer);
    });
    socket.on('data', () => {
      if (socket.bytesRead - before > this.#limits.bytes) socket.destroy();
    });
    socket.resume();
  }

  /** Refuses a request that Node has parsed. */
  respondTo(response: ServerResponse, refusal: Refusal): void {
    const { socket } = response;
    const status = Number.parseInt(refusal.status, 10);
    if (socket !== null) this.log(socket, { status }, refusal.message);
    const body = bodyOf(refusal);
    response.writeHead(status, headersOf(body)).end(body);
  }

  /** Logs that a TLS handshake failed; its client cannot receive anything. */
  logHandshake(socket: Socket, error: ClientError): void {
    this.log(socket, detailsOf(error), 'a TLS handshake failed');
  }

  /** @param socket - the connection, or its addresses */
  log(
    { remoteAddress, remotePort }: Partial<Pick<Socket, 'remoteAddress' | 'remotePort'>>,
    details: RefusalDetails,
    message: string,
  ): void {
    const facts = { dialect: 'http', reason: 'not_http', ...details } as const;
    this.#log.info(
      { ...facts, peer: `${remoteAddress ?? '?'} ${String(remotePort ?? '?')}` },
      message,
    );
    const { code = 'BadRequest', reason = 'not_http', status = 0 } = details;
    this.#observe?.({
      ...{ dialect: 'http', requestId: '', traceId: undefined, operation: undefined },
      ...{ code, status, reason, account: undefined, keys: [], from: undefined, to: undefined },
      ...{ bytesIn: 0, bytesOut: 0, ms: 0, peer: remoteAddress, at: wallClock.now() },
    });
  }
}

interface RefusalDetails {
  /** Of the parser or of the TLS library. */
  readonly code?: string;
  readonly detail?: string;
  readonly status?: number;
  readonly reason?: RefusalReason;
}

function detailsOf({ code, reason }: ClientError): RefusalDetails {
  return {
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { detail: printable(reason) }),
  };
}
