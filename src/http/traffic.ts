import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stopParser } from './node-parser.ts';
import { joinSmallChunks } from './small-chunks.ts';

/**
 * How many requests of a connection may wait for their responses. The few clients that pipeline send only some at once;
 * each waiting request takes kilobytes.
 */
const MAX_PENDING_REQUESTS = 32;

/** A request whose response is not complete yet. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Bytes read from the connection at the last check; undefined when the client did not have to send any then. */
  bytesRead: number | undefined;
}

/** A connection with its requests. */
interface Connection {
  /** The first one is being handled; the others wait. */
  readonly exchanges: Exchange[];
  /** Bytes read from the connection when its last exchange ended. */
  bytesRead: number;
  /** Is called after the last exchange. */
  onIdle: (() => void) | undefined;
}

/**
 * All connections and their requests. Handles the requests of one connection one after the other, and drops all of them
 * when the connection closes.
 */
export class Traffic {
  readonly #handle: RequestListener;
  readonly #onRefused: (socket: Socket, reason: string) => void;
  readonly #connections = new Map<Socket, Connection>();
  /** TCP connections whose TLS handshake is not complete, by the address of the peer. */
  readonly #handshakes = new Map<string, Socket>();
  #isEnding = false;

  /** @param onRefused - is called for a connection that is closed because it takes too much */
  constructor(handle: RequestListener, onRefused: (socket: Socket, reason: string) => void) {
    this.#handle = handle;
    this.#onRefused = onRefused;
  }

  /** Adds a connection that is ready for requests: for TLS, after its handshake. */
  connect(socket: Socket): void {
    this.#handshakes.delete(peerOf(socket));
    this.#connections.set(socket, { exchanges: [], bytesRead: 0, onIdle: undefined });
    joinSmallChunks(socket);
    socket.once('close', () => {
      this.#connections.delete(socket);
    });
    if (this.#isEnding) socket.destroy();
  }

  /** Adds a connection whose TLS handshake begins. */
  handshake(socket: Socket): void {
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(peer) === socket) this.#handshakes.delete(peer);
    });
  }

  /** Handles a request, at once or after the earlier requests of the same connection. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connections.get(socket);
    // The parser goes on with bytes that it has read, also after the connection was closed.
    if (connection === undefined || socket.destroyed) return;
    const { exchanges } = connection;
    if (exchanges.length >= MAX_PENDING_REQUESTS) {
      stopParser(socket);
      this.#onRefused(socket, 'closed a connection with too many pipelined requests');
      socket.destroy();
      return;
    }
    const exchange: Exchange = { request, response, bytesRead: undefined };
    exchanges.push(exchange);
    if (this.#isEnding) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#finish(socket, connection, exchange);
    });
    if (exchanges.length === 1) this.#handle(request, response);
  }

  #finish(socket: Socket, connection: Connection, exchange: Exchange): void {
    const { exchanges } = connection;
    exchanges.splice(exchanges.indexOf(exchange), 1);
    connection.bytesRead = socket.bytesRead;
    if (socket.destroyed) return;
    const [next] = exchanges;
    if (next !== undefined) this.#handle(next.request, next.response);
    else if (connection.onIdle !== undefined) connection.onIdle();
    else if (this.#isEnding) socket.destroySoon();
  }

  /** Calls back after the last exchange of a connection, or at once if it has none; never after it was closed. */
  whenIdle(socket: Socket, callback: () => void): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.exchanges.length === 0) callback();
    else connection.onIdle = callback;
  }

  /** @returns the exchange of a connection that is being handled */
  current(socket: Socket): Exchange | undefined {
    return this.#connections.get(socket)?.exchanges[0];
  }

  /** @returns every exchange that is being handled, one for each connection */
  *exchanges(): Generator<Exchange, void, undefined> {
    for (const { exchanges } of this.#connections.values()) {
      if (exchanges[0] !== undefined) yield exchanges[0];
    }
  }

  /**
   * Limits the memory of headers that are not complete: closes the connections with the largest ones until all together
   * have at most `maxBytes`.
   */
  limitUnfinishedHeaders(maxBytes: number): void {
    const unfinished: { socket: Socket; size: number }[] = [];
    let total = 0;
    for (const [socket, { bytesRead, exchanges }] of this.#connections) {
      const size = exchanges.length > 0 ? 0 : socket.bytesRead - bytesRead;
      if (size > 0) unfinished.push({ socket, size });
      total += size;
    }
    if (total <= maxBytes) return;
    unfinished.sort((a, b) => b.size - a.size);
    for (const { socket, size } of unfinished) {
      if (total <= maxBytes) return;
      this.#onRefused(socket, 'closed a connection to limit the memory of incomplete headers');
      socket.destroy();
      total -= size;
    }
  }

  /** The number of connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Closes connections without a request at once, and the other ones after their last response. */
  end(): void {
    this.#isEnding = true;
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const [socket, { exchanges }] of this.#connections) {
      if (exchanges.length === 0) socket.destroy();
      for (const { response } of exchanges) {
        if (!response.headersSent) response.setHeader('Connection', 'close');
      }
    }
  }

  /** Closes every connection. */
  cut(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const socket of this.#connections.keys()) socket.destroy();
  }
}

/** @returns the address of the peer; the same for a TLS connection and the TCP connection below it */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${String(remotePort)}`;
}
