import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';

/** Where and how to listen. Times are milliseconds. */
export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Paths of PEM files; with both the listener speaks HTTPS. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** A connection whose client moves nothing for so long is closed. */
  readonly idleTimeout: number;
  /** Bytes a second that a client must send of its request, on average over the idle time; 0 for any. */
  readonly minUploadRate: number;
  readonly maxConnections: number;
  /** How long running requests may go on once the listener is being closed. */
  readonly grace: number;
}

/** A listener that accepts requests. */
export interface Listener {
  /** Scheme, host and port, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Accepts nothing more, waits for running requests as long as the grace time, then cuts them. Idempotent. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 20_000;
/** How often Node looks for headers that are late. */
const HEADERS_CHECK_MS = 5000;
/** SDKs put every parameter into the query; a legal Udi of 4096 Chinese characters alone takes 37 KiB. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Starts to listen. @returns once requests are accepted */
export async function startListener(
  handle: RequestListener,
  options: ListenOptions,
): Promise<Listener> {
  const traffic = new Traffic();
  const server = createListeningServer((request, response) => {
    traffic.begin(request, response);
    handle(request, response);
  }, options);
  server.on('connection', (socket: Socket) => {
    traffic.connect(socket);
  });
  const watch = watchClients(server, traffic, options);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const scheme = options.tlsCert === undefined ? 'http' : 'https';
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  let closing: Promise<void> | undefined;
  return {
    url: `${scheme}://${host}:${String(address.port)}`,
    port: address.port,
    close: () =>
      (closing ??= closeServer(server, traffic, options.grace).finally(() => {
        clearInterval(watch);
      })),
  };
}

function createListeningServer(handle: RequestListener, options: ListenOptions): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: HEADERS_CHECK_MS,
    // A legal upload may take an hour; what ends a request is silence.
    requestTimeout: 0,
  };
  const server =
    options.tlsCert !== undefined && options.tlsKey !== undefined
      ? createTlsServer(
          { ...limits, cert: readFileSync(options.tlsCert), key: readFileSync(options.tlsKey) },
          handle,
        )
      : createServer(limits, handle);
  server.setTimeout(options.idleTimeout);
  server.maxConnections = options.maxConnections;
  return server;
}

/** A request that is not answered to its end yet. */
interface Exchange {
  readonly peer: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What the connection had brought at the last look; undefined when the client owed us nothing then. */
  bytesRead: number | undefined;
}

/** Every connection, and what is going on over it. */
class Traffic {
  /** By the peer's address and port, which a TLS socket shares with the socket below it. */
  readonly #connections = new Map<string, Socket>();
  readonly #exchanges = new Set<Exchange>();
  #ending = false;

  connect(socket: Socket): void {
    const peer = peerOf(socket);
    this.#connections.set(peer, socket);
    socket.once('close', () => {
      if (this.#connections.get(peer) === socket) this.#connections.delete(peer);
    });
  }

  begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const exchange: Exchange = { peer: peerOf(socket), request, response, bytesRead: undefined };
    this.#exchanges.add(exchange);
    if (this.#ending) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#exchanges.delete(exchange);
      if (this.#ending && !this.#isBusy(exchange.peer)) socket.destroySoon();
    });
  }

  /** @returns what goes on over a connection */
  exchangesOf(socket: Socket): Exchange[] {
    const peer = peerOf(socket);
    return [...this.#exchanges].filter((exchange) => exchange.peer === peer);
  }

  exchanges(): Iterable<Exchange> {
    return this.#exchanges;
  }

  /** From now on a connection ends with its last answer; those without a request end at once. */
  end(): void {
    this.#ending = true;
    for (const { response } of this.#exchanges) {
      if (!response.headersSent) response.setHeader('Connection', 'close');
    }
    const busy = new Set(Array.from(this.#exchanges, ({ peer }) => peer));
    for (const [peer, socket] of this.#connections) {
      if (!busy.has(peer)) socket.destroy();
    }
  }

  cut(): void {
    for (const socket of this.#connections.values()) socket.destroy();
  }

  #isBusy(peer: string): boolean {
    return [...this.#exchanges].some((exchange) => exchange.peer === peer);
  }
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${String(remotePort)}`;
}

/**
 * Closes connections whose client does not move, or sends its request more slowly than anybody would. A client
 * that waits for us is left alone: a slow disk must not cost it its upload.
 */
function watchClients(
  server: Server,
  traffic: Traffic,
  { idleTimeout, minUploadRate }: ListenOptions,
): NodeJS.Timeout | undefined {
  if (idleTimeout === 0) return undefined;
  server.on('timeout', (socket: Socket) => {
    const exchanges = traffic.exchangesOf(socket);
    if (exchanges.length > 0 && !exchanges.some(waitsForClient)) socket.setTimeout(idleTimeout);
    else socket.destroy();
  });
  const least = (minUploadRate * idleTimeout) / 1000;
  const watch = setInterval(() => {
    for (const exchange of traffic.exchanges()) {
      const { bytesRead: before, request } = exchange;
      const { bytesRead } = request.socket;
      exchange.bytesRead = isOwedBytes(request) ? bytesRead : undefined;
      if (before === undefined || exchange.bytesRead === undefined) continue;
      if (bytesRead - before < least) request.socket.destroy();
    }
  }, idleTimeout);
  return watch.unref();
}

function waitsForClient({ request, response }: Exchange): boolean {
  return isOwedBytes(request) || response.writableLength > 0;
}

/** Whether more of a request is to come, and everything that has come was taken. */
function isOwedBytes(request: IncomingMessage): boolean {
  return !request.complete && request.readableLength === 0;
}

async function closeServer(server: Server, traffic: Traffic, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  traffic.end();
  const cut = setTimeout(() => {
    traffic.cut();
  }, grace);
  await closed;
  clearTimeout(cut);
}
