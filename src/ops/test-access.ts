import type { IncomingMessage } from 'node:http';
import { Socket, isIP } from 'node:net';
import { findProxyHeader, isLocal, isLoopback } from '../http/peer.ts';

/** Who may use a part of the operator surface. */
export interface TestAccess {
  /** Whether other machines may use it, too. */
  readonly testModeRemote: boolean;
  /** The address of the gateway as clients see it; undefined when it is not configured. */
  readonly publicUrl: string | undefined;
}

/** The parts of a request that are checked. */
export interface AccessRequest extends Pick<
  IncomingMessage,
  'headers' | 'headersDistinct' | 'socket'
> {
  /** The target of the request line, unchanged. */
  readonly originalUrl: string;
}

/** A part of the operator surface, for the texts of refusals. */
export interface LocalSurface {
  readonly name: string;
  /** How other machines can use it. */
  readonly opening: string;
}

const TEST_CONTROLS: LocalSurface = {
  name: 'the test controls',
  opening: '--test-mode-remote (OTA_GATEWAY_TEST_MODE_REMOTE=on) opens them to other machines',
};

/**
 * Checks whether a request may use a part of the operator surface. Refuses, wherever the app is mounted:
 * - a web page of another site, in a browser that can reach the gateway: always; also when the page uses a host name of
 *   its own that it lets point to this machine (DNS rebinding)
 * - another machine, and a proxy, which may stand for one: unless the operator has allowed that
 *
 * @returns why the request may not; undefined when it may
 */
export function findAccessProblem(
  request: AccessRequest,
  access: TestAccess,
  surface = TEST_CONTROLS,
): string | undefined {
  // A connection that is not a `Socket` comes from inside this process.
  const isOutside = request.socket instanceof Socket;
  return (
    findForeignPage(request, surface) ??
    (isOutside && !access.testModeRemote ? findOtherMachine(request, surface) : undefined) ??
    (isOutside ? findForeignName(request, access, surface) : undefined)
  );
}

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

function findForeignPage(request: AccessRequest, { name }: LocalSurface): string | undefined {
  const site = foreignPageOf(request);
  return site && `${name} are not for web pages of ${site}`;
}

/**
 * @param isOwn - whether pages of an origin are ours
 * @returns the site of the web page that sends a request, when it is neither ours nor of this machine
 */
export function foreignPageOf(
  { headers }: Pick<AccessRequest, 'headers'>,
  isOwn: (origin: string) => boolean = () => false,
): string | undefined {
  const { origin } = headers;
  if (origin !== undefined && !isOwn(origin) && !LOOPBACK_ORIGIN.test(origin)) return origin;
  return headers['sec-fetch-site'] === 'cross-site' ? 'another site' : undefined;
}

function findOtherMachine(
  request: AccessRequest,
  { name, opening }: LocalSurface,
): string | undefined {
  if (isLocal(request)) return undefined;
  // The address is unknown on a Unix socket, and when the client is gone.
  const from = isLoopback(request)
    ? `through a proxy (${findProxyHeader(request.headers) ?? ''})`
    : `from ${request.socket.remoteAddress ?? 'an unknown address'}`;
  return `${name} may be used from this machine only, not ${from}; ${opening}`;
}

/** Finds a host name that is not ours: a page of another site may let its own name point to this machine. */
function findForeignName(
  request: AccessRequest,
  access: TestAccess,
  { name }: LocalSurface,
): string | undefined {
  const hosts = hostsOf(request);
  const foreign = hosts.find((host) => !isOwnName(nameOf(host), access));
  if (hosts.length > 0 && foreign === undefined) return undefined;
  return (
    `${name} may be used under a name of this machine only, ` +
    `${foreign === undefined ? 'not without a Host header' : `not as ${foreign}`}; ` +
    '--public-url (OTA_GATEWAY_PUBLIC_URL) gives it another name'
  );
}

/** @returns every host that a request names, with its port */
function hostsOf({ headersDistinct, originalUrl }: AccessRequest): string[] {
  const hosts = headersDistinct['host'] ?? [];
  if (originalUrl.startsWith('/')) return hosts;
  // The absolute form of a target has an authority, which outranks the header.
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
  // An attacker cannot let an address, or a name without a dot, point to another machine.
  return testModeRemote && (isIP(name.replace(/^\[|\]$/g, '')) !== 0 || !name.includes('.'));
}
