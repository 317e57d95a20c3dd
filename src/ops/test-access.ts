import type { IncomingMessage } from 'node:http';
import { Socket, isIP } from 'node:net';

/** Who may use the test controls. */
export interface TestAccess {
  /** Whether other machines may. */
  readonly testModeRemote: boolean;
  /** What clients see as the gateway's address, when that is configured. */
  readonly publicUrl: string | undefined;
}

/** What is looked at of a request. */
export interface AccessRequest extends Pick<
  IncomingMessage,
  'headers' | 'headersDistinct' | 'socket'
> {
  /** The target as it stands in the request line. */
  readonly originalUrl: string;
}

/**
 * Says why a request may not use the test controls. Another machine may not unless the operator has switched that
 * on, wherever the app is mounted; a proxy may stand for another machine. A web page from elsewhere, in a browser that
 * may reach us, may not in any case: neither openly, nor by a name of its own that it lets point to this machine.
 */
export function findAccessProblem(request: AccessRequest, access: TestAccess): string | undefined {
  // Nobody but this process is at the other end of a connection inside it.
  const isOutside = request.socket instanceof Socket;
  return (
    findForeignPage(request) ??
    (isOutside && !access.testModeRemote ? findOtherMachine(request) : undefined) ??
    (isOutside ? findForeignName(request, access) : undefined)
  );
}

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

function findForeignPage({ headers }: AccessRequest): string | undefined {
  if (headers.origin !== undefined && !LOOPBACK_ORIGIN.test(headers.origin)) {
    return `the test controls are not for web pages of ${headers.origin}`;
  }
  if (headers['sec-fetch-site'] !== 'cross-site') return undefined;
  return 'the test controls are not for web pages of another site';
}

const LOOPBACK_ADDRESS = /^(?:::ffff:)?127\.|^::1$/;
/** What proxies add to a request that they pass on; and `x-forwarded-...`. */
const PROXY_HEADERS = new Set([
  'cdn-loop',
  'cf-connecting-ip',
  'client-ip',
  'fastly-client-ip',
  'forwarded',
  'forwarded-for',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-envoy-external-address',
  'x-original-forwarded-for',
  'x-original-host',
  'x-real-ip',
]);

function findOtherMachine({ headers, socket }: AccessRequest): string | undefined {
  const { remoteAddress } = socket;
  const proxied = Object.keys(headers).find(
    (name) => name.startsWith('x-forwarded') || PROXY_HEADERS.has(name),
  );
  const isLocal = remoteAddress !== undefined && LOOPBACK_ADDRESS.test(remoteAddress);
  if (isLocal && proxied === undefined) return undefined;
  // The address is unknown on a Unix socket, and when the client has gone already.
  const from = isLocal
    ? `through a proxy (${proxied ?? ''})`
    : `from ${remoteAddress ?? 'an unknown address'}`;
  return (
    `the test controls may be used from this machine only, not ${from}; ` +
    '--test-mode-remote (OTA_GATEWAY_TEST_MODE_REMOTE=on) opens them to other machines'
  );
}

/** A page from elsewhere reaches us under a name of its own when it lets that name point to this machine. */
function findForeignName(request: AccessRequest, access: TestAccess): string | undefined {
  const hosts = hostsOf(request);
  const foreign = hosts.find((host) => !isOwnName(nameOf(host), access));
  if (hosts.length > 0 && foreign === undefined) return undefined;
  return (
    `the test controls may be used under a name of this machine only, ` +
    `${foreign === undefined ? 'not without a Host header' : `not as ${foreign}`}; ` +
    '--public-url (OTA_GATEWAY_PUBLIC_URL) gives it another name'
  );
}

/** @returns every host that a request names, with its port */
function hostsOf({ headersDistinct, originalUrl }: AccessRequest): string[] {
  const hosts = headersDistinct['host'] ?? [];
  if (originalUrl.startsWith('/')) return hosts;
  // The absolute form of a target has an authority, which counts more than the header.
  return [...hosts, /^[a-z]+:\/\/([^/?#]*)/i.exec(originalUrl)?.[1] ?? originalUrl];
}

/** @returns the host without its port; undefined when it is neither a name nor an address */
function nameOf(host: string): string | undefined {
  return /^(\[[\da-f:.]+\]|[\w.-]+)(?::\d*)?$/i.exec(host)?.[1]?.toLowerCase();
}

const LOOPBACK_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

function isOwnName(name: string | undefined, access: TestAccess): boolean {
  if (name === undefined) return false;
  if (LOOPBACK_NAME.test(name)) return true;
  const { publicUrl, testModeRemote } = access;
  if (publicUrl !== undefined && new URL(publicUrl).hostname === name) return true;
  // Nobody can let an address, or a name without a dot, point to another machine.
  return testModeRemote && (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.'));
}
