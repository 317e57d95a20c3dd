import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** @returns the URL of a server, without a trailing slash */
export function serverUrl(server: {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
}): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `${server.isTls ? 'https' : 'http'}://${host}:${server.port}`;
}

/**
 * Returns the address of the gateway as a client sees it: the configured public URL, or else the host that the client
 * has called, so that a random port works.
 * @returns scheme and host, without a trailing slash
 */
export function requestHost(request: IncomingMessage, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const scheme = request.socket instanceof TLSSocket ? 'https' : 'http';
  return `${scheme}://${request.headers.host ?? 'localhost'}`;
}
