import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

/** Where and how to listen. Times are milliseconds. */
export interface ListenOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Paths of PEM files; with both the listener speaks HTTPS. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** A connection on which nothing moves for so long is closed; a slow one is not. */
  readonly idleTimeout: number;
  readonly maxConnections: number;
  /** How long running requests may go on once the listener is being closed. */
  readonly grace: number;
}

/** A listener that accepts requests. */
export interface Listener {
  /** Scheme, host and port, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  /** Accepts nothing more, waits for running requests as long as the grace time, then cuts them. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 20_000;
/** SDKs put every parameter into the query; a legal Udi of 4096 Chinese characters alone takes 37 KiB. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Starts to listen. @returns once requests are accepted */
export async function startListener(
  handle: RequestListener,
  options: ListenOptions,
): Promise<Listener> {
  const server = createListeningServer(handle, options);
  server.listen(options.port, options.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
  const scheme = options.tlsCert === undefined ? 'http' : 'https';
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${scheme}://${host}:${String(address.port)}`,
    port: address.port,
    close: () => closeServer(server, options.grace),
  };
}

function createListeningServer(handle: RequestListener, options: ListenOptions): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT_MS,
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

async function closeServer(server: Server, grace: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    server.closeAllConnections();
  }, grace);
  await closed;
  clearTimeout(cut);
}
