import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { breakOff, breakReason } from './broken-request.ts';
import { refuseConnection } from './client-error.ts';
import { Traffic } from './traffic.ts';
import type { Exchange } from './traffic.ts';

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
  /** Bytes that the headers of all requests may have together before they are complete. */
  readonly maxUnsigned: number;
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
/** How often the headers that are not complete are added up. */
const HEADERS_SUM_MS = 250;
/** SDKs put every parameter into the query; a legal Udi of 4096 Chinese characters alone takes 37 KiB. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Starts to listen. @returns once requests are accepted */
export async function startListener(
  handle: RequestListener,
  options: ListenOptions,
): Promise<Listener> {
  const traffic = new Traffic((request, response) => {
    if (hasHost(request)) handle(request, response);
    else response.writeHead(400, { Connection: 'close' }).end();
  });
  const server = createListeningServer(traffic, options);
  const watches = [
    watchClients(server, traffic, options),
    setInterval(() => {
      if (traffic.size * MAX_HEADER_BYTES < options.maxUnsigned) return;
      traffic.limitUnfinishedHeaders(options.maxUnsigned);
    }, HEADERS_SUM_MS).unref(),
  ];
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
        for (const watch of watches) clearInterval(watch);
      })),
  };
}

/** RFC 9112, 3.2: a request by HTTP/1.1 without the header Host is answered with 400. */
function hasHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host !== undefined || httpVersion === '1.0';
}

function createListeningServer(traffic: Traffic, options: ListenOptions): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: HEADERS_CHECK_MS,
    // A legal upload may take an hour; what ends a request is silence.
    requestTimeout: 0,
    // Node's own response would not be counted among those that its connection waits for.
    requireHostHeader: false,
  };
  const tls = readTlsFiles(options);
  const server =
    tls === undefined
      ? createServer(limits)
      : createTlsServer({ ...limits, ...tls, handshakeTimeout: handshakeTimeout(options) });
  server.setTimeout(options.idleTimeout);
  server.maxConnections = options.maxConnections;
  // A client that ends its side after its request still gets its response.
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on('request', (request, response) => {
    traffic.begin(request, response);
  });
  server.on('checkExpectation', (request, response) => {
    traffic.begin(request, response);
  });
  if (tls === undefined) {
    server.on('connection', (socket: Socket) => traffic.connect(socket));
  } else {
    server.on('connection', (socket: Socket) => traffic.handshake(socket));
    server.on('secureConnection', (socket: Socket) => traffic.connect(socket));
  }
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    endBrokenRequest(traffic, error, socket);
  });
  return server;
}

function readTlsFiles({
  tlsCert,
  tlsKey,
}: ListenOptions): { cert: Buffer; key: Buffer } | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) };
}

/** A handshake may take no longer than headers, nor be silent for longer than any client. */
function handshakeTimeout({ idleTimeout }: ListenOptions): number {
  return idleTimeout === 0 ? HEADERS_TIMEOUT_MS : Math.min(idleTimeout, HEADERS_TIMEOUT_MS);
}

/** Half a request is refused by whoever reads it; anything else that is not HTTP, here. */
function endBrokenRequest(traffic: Traffic, error: NodeJS.ErrnoException, socket: Socket): void {
  const exchange = traffic.current(socket);
  const isParserError = error.code?.startsWith('HPE_') === true;
  if (exchange === undefined || !isParserError || exchange.request.complete) {
    refuseConnection(error, socket, exchange?.response.headersSent === true);
    return;
  }
  breakOff(exchange.request, error.code === 'HPE_INVALID_EOF_STATE' ? 'halfClosed' : 'malformed');
}

/**
 * Closes connections whose client does not move, or sends its request more slowly than any real client would. A
 * client that waits for the gateway is left alone: a slow disk must not cost it its upload.
 */
function watchClients(
  server: Server,
  traffic: Traffic,
  { idleTimeout, minUploadRate }: ListenOptions,
): NodeJS.Timeout | undefined {
  if (idleTimeout === 0) return undefined;
  server.on('timeout', (socket: Socket) => {
    const exchange = traffic.current(socket);
    if (exchange === undefined) socket.destroy();
    else if (isOwedBytes(exchange.request)) giveUp(exchange);
    else if (exchange.response.writableLength > 0) socket.destroy();
    // The next timeout comes only when it is asked for again.
    socket.setTimeout(idleTimeout);
  });
  const least = (minUploadRate * idleTimeout) / 1000;
  const watch = setInterval(() => {
    for (const exchange of traffic.exchanges()) {
      const { bytesRead: before, request } = exchange;
      const { bytesRead } = request.socket;
      exchange.bytesRead = isOwedBytes(request) ? bytesRead : undefined;
      if (before === undefined || exchange.bytesRead === undefined) continue;
      if (bytesRead - before < least) giveUp(exchange);
    }
  }, idleTimeout);
  return watch.unref();
}

/** Lets a request that does not come be refused, and closes its connection when that was done before. */
function giveUp({ request, response }: Exchange): void {
  if (response.headersSent || breakReason(request) !== undefined) request.socket.destroy();
  else breakOff(request, 'timedOut');
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
