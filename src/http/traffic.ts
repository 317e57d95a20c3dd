import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { stopParser } from './node-parser.ts';
import { joinSmallChunks } from './small-chunks.ts';

/**
 * Requests that a connection may send before it has read the responses to those before. Clients that pipeline at all
 * send a few; each one costs kilobytes while it waits.
 */
const MAX_PENDING_REQUESTS = 32;

/** A request that is not answered to its end yet. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the connection had brought at the last check; undefined when the client owed nothing then. */
  bytesRead: number | undefined;
}

/** A connection. */
interface Connection {
  /** The first one is being handled; the others wait for their turn. */
  readonly exchanges: Exchange[];
  /** What the connection had brought when its last exchange ended. */
  bytesRead: number;
}

/**
 * Every connection, and the requests that came over it. The requests of one connection are handled one after the other,
 * and all of them are forgotten when it closes.
 */
export class Traffic {
  readonly #handle: RequestListener;
  readonly #connections = new Map<Socket, Connection>();
  /** Connections below a TLS handshake that is not complete, by the address of the peer. */
  readonly #handshakes = new Map<string, Socket>();
  #isEnding = false;

  constructor(handle: RequestListener) {
    this.#handle = handle;
  }

  /** Adds a connection that requests will come over: for TLS, when its handshake is complete. */
  connect(socket: Socket): void {
    this.#handshakes.delete(peerOf(socket));
    this.#connections.set(socket, { exchanges: [], bytesRead: 0 });
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

  /** Handles a request now, or after those that came before it over the same connection. */
  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connections.get(socket);
    // The parser goes on with what it has, although the connection is gone.
    if (connection === undefined || socket.destroyed) return;
    const { exchanges } = connection;
    if (exchanges.length >= MAX_PENDING_REQUESTS) {
      stopParser(socket);
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
    else if (this.#isEnding) socket.destroySoon();
  }

  /** @returns the exchange that is being handled over a connection */
  current(socket: Socket): Exchange | undefined {
    return this.#connections.get(socket)?.exchanges[0];
  }

  /** @returns every exchange that is being handled */
  *exchanges(): Generator<Exchange, void, undefined> {
    for (const { exchanges } of this.#connections.values()) {
      if (exchanges[0] !== undefined) yield exchanges[0];
    }
  }

  /**
   * Closes the connections that have sent most of a request whose headers are not complete, until all such headers
   * together have no more than a number of bytes.
   */
  limitUnfinishedHeaders(most: number): void {
    const unfinished: { socket: Socket; size: number }[] = [];
    let total = 0;
    for (const [socket, { bytesRead, exchanges }] of this.#connections) {
      const size = exchanges.length > 0 ? 0 : socket.bytesRead - bytesRead;
      if (size > 0) unfinished.push({ socket, size });
      total += size;
    }
    if (total <= most) return;
    unfinished.sort((a, b) => b.size - a.size);
    for (const { socket, size } of unfinished) {
      if (total <= most) return;
      socket.destroy();
      total -= size;
    }
  }

  /** How many connections there are. */
  get size(): number {
    return this.#connections.size;
  }

  /** From now on a connection ends with its last response; those without a request end at once. */
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

/** A TLS connection has the same peer as the one below it. */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${String(remotePort)}`;
}
