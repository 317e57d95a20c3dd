import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** The address of a server, without a trailing slash. */
export function serverUrl(server: {
  readonly isTls: boolean;
  readonly host: string;
  readonly port: number;
}): string {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return `${server.isTls ? 'https' : 'http'}://${host}:${server.port}`;
}

/**
 * The address under which a client sees the gateway: the configured public URL, or else whatever the client has
 * called, which is what makes a random port work.
 * @returns scheme and host, without a trailing slash
 */
export function requestHost(request: IncomingMessage, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const scheme = request.socket instanceof TLSSocket ? 'https' : 'http';
  return `${scheme}://${request.headers.host ?? 'localhost'}`;
}
