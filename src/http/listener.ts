import { once } from 'node:events';
import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { Server as TlsServer, createServer as createTlsServer } from 'node:https';
import type { DropArgument, Socket } from 'node:net';
import { LimitedLog } from '../lib/limited-log.ts';
import type { Logger } from '../lib/logger.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../lib/timers.ts';
import { breakOff, breakReason } from './broken-request.ts';
import {
  HEADERS_TIMEOUT_MS,
  MAX_HEADER_BYTES,
  NO_HOST,
  NO_PROXY,
  PLAIN_ON_TLS_PORT,
  isRefusable,
  isTlsFailure,
  refusalOf,
} from './client-error.ts';
import type { ClientError } from './client-error.ts';
import { serverUrl } from './public-host.ts';
import { RefusedConnections } from './refused-connections.ts';
import type { RequestObserver } from './request-record.ts';
import { openTlsDoor } from './tls-door.ts';
import { Traffic } from './traffic.ts';
import type { Exchange } from './traffic.ts';

/** Where and how to listen. Times are milliseconds. */
export interface ListenOptions {
  readonly host: string;
  /** 0 chooses a free port. */
  readonly port: number;
  /** A certificate with its chain, and its private key, as PEM. With them the listener serves HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** A connection is closed when its client neither sends nor receives for this time. */
  readonly idleTimeout: number;
  /** Bytes per second of its request that a client must send, on average over the idle time; 0 for no minimum. */
  readonly minUploadRate: number;
  readonly maxConnections: number;
  /** Limit in bytes for all headers together that are not complete yet. */
  readonly maxUnsigned: number;
  /** How long running requests may go on after `close` was called. */
  readonly grace: number;
  /** Bytes of a refused connection that are still read, so that the client receives the response; and how long. */
  readonly drainBytes: number;
  readonly drainTime: number;
}

/** A listener that accepts requests. */
export interface Listener {
  /** Scheme, host and port, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /**
   * Replaces the certificate, if the listener serves HTTPS; connections that are open keep the old one.
   * @param pair - PEM, as for the start
   */
  replaceCertificate(pair: { readonly cert: string; readonly key: string }): void;
  /** The number of open connections. */
  readonly connections: number;
  /** Stops accepting connections, waits up to the grace time for running requests, then cuts them. Idempotent. */
  close(): Promise<void>;
}

/** How often Node checks for headers that are late. */
const HEADERS_CHECK_MS = 5000;
/** How often the bytes of headers that are not complete are summed up. */
const HEADERS_SUM_MS = 250;

/**
 * Starts to listen. Resolves when requests are accepted.
 * @param logger - gets a line for each refused connection, but only some of them in a second
 * @param observe - is called for each refused connection
 */
export async function startListener(
  handle: RequestListener,
  options: ListenOptions,
  logger: Logger,
  observe?: RequestObserver,
): Promise<Listener> {
  const log = new LimitedLog(logger, 'refused connections');
  const drain = { bytes: options.drainBytes, milliseconds: options.drainTime };
  const refused = new RefusedConnections(log, drain, observe);
  const traffic = new Traffic(
    (request, response) => {
      if (hasHost(request)) handle(request, response);
      else refused.respondTo(response, NO_HOST);
    },
    (socket, message) => {
      refused.log(socket, { reason: 'overloaded' }, message);
    },
  );
  const server = createListeningServer(traffic, refused, options);
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
  const { host, tls } = options;
  const { port } = address;
  let closing: Promise<void> | undefined;
  return {
    url: serverUrl({ isTls: tls !== undefined, host, port }),
    port,
    replaceCertificate: ({ cert, key }) => {
      if (server instanceof TlsServer) server.setSecureContext({ cert, key });
    },
    get connections() {
      return traffic.size;
    },
    close: () =>
      (closing ??= closeServer(server, traffic, options.grace).finally(() => {
        for (const watch of watches) clearInterval(watch);
        log.close();
      })),
  };
}

/** RFC 9112, 3.2: an HTTP/1.1 request without the header Host gets the response 400. */
function hasHost({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.host !== undefined || httpVersion === '1.0';
}

function createListeningServer(
  traffic: Traffic,
  refused: RefusedConnections,
  options: ListenOptions,
): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: HEADERS_CHECK_MS,
    // No limit: a legal upload may take an hour. Silence and slowness end a request, see `watchClients`.
    requestTimeout: 0,
    // Checked in `hasHost`, because Node sends its own response outside the queue of the connection.
    requireHostHeader: false,
  };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer(limits)
      : createTlsServer({ ...limits, ...tls, handshakeTimeout: handshakeTimeout(options) });
  server.setTimeout(options.idleTimeout);
  // A connection between two requests is idle, too; Node would close it after 5 s.
  server.keepAliveTimeout = options.idleTimeout;
  server.maxConnections = options.maxConnections;
  // Sends the response also to a client that ends its side of the connection after its request.
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
    openTlsDoor(server, {
      timeout: handshakeTimeout(options),
      onPlainHttp: (socket) => {
        refused.add(socket, PLAIN_ON_TLS_PORT);
        refused.respond(socket, PLAIN_ON_TLS_PORT);
      },
    });
    server.on('connection', (socket: Socket) => traffic.handshake(socket));
    server.on('secureConnection', (socket: Socket) => traffic.connect(socket));
  }
  server.on('clientError', (error: ClientError, socket: Socket) => {
    handleClientError(traffic, refused, error, socket);
  });
  server.on('connect', (_request, socket: Socket) => {
    refused.add(socket, NO_PROXY);
    traffic.whenIdle(socket, () => {
      refused.respond(socket, NO_PROXY);
    });
  });
  server.on('drop', (peer?: DropArgument) => {
    refused.log(
      peer ?? {},
      { reason: 'overloaded' },
      'dropped a connection, because there are already too many',
    );
  });
  return server;
}

/** A handshake has the time limit of headers, or the idle timeout if that is shorter. */
function handshakeTimeout({ idleTimeout }: ListenOptions): number {
  return idleTimeout === 0 ? HEADERS_TIMEOUT_MS : Math.min(idleTimeout, HEADERS_TIMEOUT_MS);
}

/**
 * Handles an error of a connection. The reader of an incomplete request refuses it; what follows complete requests is
 * refused after their responses.
 */
function handleClientError(
  traffic: Traffic,
  refused: RefusedConnections,
  error: ClientError,
  socket: Socket,
): void {
  if (refused.has(socket)) return;
  if (!isRefusable(error)) {
    if (isTlsFailure(error)) refused.logHandshake(socket, error);
    socket.destroy();
    return;
  }
  const exchange = traffic.current(socket);
  if (exchange === undefined || exchange.request.complete) {
    const refusal = refusalOf(error);
    refused.add(socket, refusal, error);
    traffic.whenIdle(socket, () => {
      refused.respond(socket, refusal);
    });
    return;
  }
  breakOff(exchange.request, error.code === 'HPE_INVALID_EOF_STATE' ? 'halfClosed' : 'malformed');
}

/**
 * Closes connections whose client neither sends nor receives, or sends its request more slowly than any real client.
 * Does not close those of clients that wait for the gateway: a slow disk must not make an upload fail.
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
    // Sets the timeout again, because a socket times out only once.
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

/**
 * Marks a request as timed out, so that its reader refuses it. Closes the connection if a response has begun or the
 * request is already broken.
 */
function giveUp({ request, response }: Exchange): void {
  if (response.headersSent || breakReason(request) !== undefined) request.socket.destroy();
  else breakOff(request, 'timedOut');
}

/** Whether the client still has to send bytes: the request is incomplete, and everything received was read. */
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
