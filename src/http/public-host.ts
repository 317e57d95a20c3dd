import type { IncomingMessage } from 'node:http';
import { schemeOf } from './peer.ts';

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
 * Returns the address of the application that a client has called: the configured public URL, or else the host of the
 * request, so that a random port works.
 * @returns scheme and host, without a trailing slash
 */
export function requestHost(request: IncomingMessage, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl;
  const { host = 'localhost' } = request.headers;
  // SDKs of the tea family send the whole endpoint as Host, also its path (@alicloud/openapi-core).
  const slash = host.indexOf('/');
  return `${schemeOf(request)}://${slash === -1 ? host : host.slice(0, slash)}`;
}

/**
 * Returns the address of the gateway as a client sees it. Unlike {@link requestHost}, includes the path below which a
 * host application has mounted the gateway.
 * @returns scheme, host and path, without a trailing slash
 */
export function gatewayUrl(request: IncomingMessage, publicUrl: string | undefined): string {
  return publicUrl ?? requestHost(request, undefined) + mountPath(request);
}

/** @returns the path below which Express has mounted the gateway, without a trailing slash; empty for none */
export function mountPath(request: IncomingMessage): string {
  return 'baseUrl' in request && typeof request.baseUrl === 'string' ? request.baseUrl : '';
}

/**
 * Returns the values of the header Host that clients of a public URL send and sign; a proxy may replace the header.
 * SDKs of the tea family send the endpoint as it is written, also its path.
 * @returns the host; the host with its port, also the default one; the text of the URL without its scheme
 */
export function publicHosts(publicUrl: string | undefined): readonly string[] {
  if (publicUrl === undefined) return [];
  const { host, hostname, port, protocol } = new URL(publicUrl);
  const defaultPort = protocol === 'https:' ? '443' : '80';
  const written = publicUrl.slice(publicUrl.indexOf('//') + 2);
  return [...new Set([host, `${hostname}:${port || defaultPort}`, written])];
}

/** Yields the headers with each public host that differs from the received one, as the client may have signed them. */
export function* withPublicHosts(
  headers: ReadonlyMap<string, string>,
  hosts: readonly string[],
): Generator<ReadonlyMap<string, string>, void, undefined> {
  const received = headers.get('host');
  for (const host of hosts) if (host !== received) yield new Map(headers).set('host', host);
}
