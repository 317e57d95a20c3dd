import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { TLSSocket } from 'node:tls';

/** A scheme of HTTP. */
export type Scheme = 'http' | 'https';

/** The parts of a request that say where it comes from. */
export type OriginRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Where a request comes from, as trusted proxies report it. */
interface Origin {
  readonly peer: string;
  readonly scheme: Scheme | undefined;
}

/** Has entries only for requests of trusted proxies, so that all others cost one failed look-up. */
const origins = new WeakMap<OriginRequest, Origin>();

/**
 * Returns the address of the client. Behind trusted proxies that is the one that they report, see
 * {@link createOriginReader}.
 * @returns an address of IPv4 or IPv6; undefined on a Unix socket, inside this process, and when a client that was not
 *   behind a trusted proxy is gone
 */
export function peerOf(request: OriginRequest): string | undefined {
  return origins.get(request)?.peer ?? socketPeer(request);
}

/** @returns the scheme that the client uses: that of the connection, unless a trusted proxy reports another one */
export function schemeOf(request: OriginRequest): Scheme {
  return origins.get(request)?.scheme ?? (request.socket instanceof TLSSocket ? 'https' : 'http');
}

const LOOPBACK_ADDRESS = /^(?:127\.|::1$)/;

/**
 * Whether a request comes from a client on this machine, as far as it can be known: over loopback, and without any header
 * of a proxy, which may stand for another machine. Trusted proxies make no difference.
 */
export function isLocal(request: OriginRequest): boolean {
  return isLoopback(request) && findProxyHeader(request.headers) === undefined;
}

/** Whether the connection comes from this machine, be it of a client or of a proxy. */
export function isLoopback(request: OriginRequest): boolean {
  return LOOPBACK_ADDRESS.test(socketPeer(request) ?? '');
}

/** Headers that proxies add to a request that they pass on, beside `x-forwarded-...`. */
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

/** @returns the name of a header that says that a proxy has passed the request on; undefined when there is none */
export function findProxyHeader(headers: IncomingHttpHeaders): string | undefined {
  return Object.keys(headers).find(
    (name) => name.startsWith('x-forwarded') || PROXY_HEADERS.has(name),
  );
}

/**
 * Makes the function that reads the headers of trusted proxies, so that {@link peerOf} and {@link schemeOf} know what
 * they report. It has to see a request before they do. The client is the address nearest to the gateway that is not a
 * proxy itself: everything to the left of it may be invented by the client.
 * @param proxies - addresses and CIDR ranges of the proxies
 * @returns undefined when no proxy is trusted
 */
export function createOriginReader(
  proxies: readonly string[],
): ((request: OriginRequest) => void) | undefined {
  if (proxies.length === 0) return undefined;
  const trusted = toBlockList(proxies);
  return (request) => {
    const peer = socketPeer(request);
    if (peer === undefined || !isListed(trusted, peer)) return;
    const origin = findClient(readHops(request.headers), peer, trusted);
    if (origin !== undefined) origins.set(request, origin);
  };
}

/** What one proxy says of the request that it has received. */
interface Hop {
  /** Undefined when it is not an address, such as `unknown` or a pseudonym. */
  readonly peer: string | undefined;
  readonly scheme: Scheme | undefined;
}

/** @param hops - the last one comes from the nearest proxy */
function findClient(hops: readonly Hop[], socket: string, trusted: BlockList): Origin | undefined {
  let client: Origin | undefined;
  for (const { peer, scheme } of [...hops].reverse()) {
    client = { peer: peer ?? client?.peer ?? socket, scheme: scheme ?? client?.scheme };
    // A proxy that hides whom it has served is the last one that can be trusted.
    if (peer === undefined || !isListed(trusted, peer)) break;
  }
  return client;
}

/**
 * Reads what the proxies say. `Forwarded` counts only without `X-Forwarded-For` and `X-Forwarded-Proto`: the common
 * proxies set those, and pass on a `Forwarded` that the client has sent.
 */
function readHops(headers: IncomingHttpHeaders): Hop[] {
  const peers = listOf(headers['x-forwarded-for']);
  const schemes = listOf(headers['x-forwarded-proto']);
  if (peers.length + schemes.length === 0) return listOf(headers.forwarded).map(readForwarded);
  // Both lists grow at their right end. Most proxies replace the scheme: then it holds for every hop.
  const missing = Math.max(peers.length, 1) - schemes.length;
  return (peers.length === 0 ? [''] : peers).map((peer, index) => ({
    peer: toAddress(peer),
    scheme: toScheme(schemes[Math.max(index - missing, 0)]),
  }));
}

/** RFC 7239, 4: `for=192.0.2.43;proto=https`, `for="[2001:db8::1]:4711"`. */
function readForwarded(element: string): Hop {
  const pairs = new Map(
    element.split(';').map((pair): [string, string] => {
      const [name = '', value = ''] = pair.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
    }),
  );
  return { peer: toAddress(pairs.get('for') ?? ''), scheme: toScheme(pairs.get('proto')) };
}

/** @returns the elements of a header with a list; Node has joined several headers of that name */
function listOf(header: string | string[] | undefined): string[] {
  const text = Array.isArray(header) ? header.join(',') : (header ?? '');
  return text
    .split(',')
    .map((element) => element.trim())
    .filter(Boolean);
}

/** @returns the address without brackets and port; undefined for anything else */
function toAddress(text: string): string | undefined {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/.exec(text) ?? [];
  const address = withoutMapping(bracketed ?? plain ?? text);
  return isIP(address) === 0 ? undefined : address;
}

function toScheme(text: string | undefined): Scheme | undefined {
  const scheme = text?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}

function socketPeer({ socket }: OriginRequest): string | undefined {
  const { remoteAddress } = socket;
  return remoteAddress === undefined ? undefined : withoutMapping(remoteAddress);
}

/** A socket for both versions of IP reports a client of IPv4 as `::ffff:192.0.2.1`. */
function withoutMapping(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/', 2);
    if (prefix === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(prefix), familyOf(address));
  }
  return list;
}

function isListed(list: BlockList, address: string): boolean {
  return list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}
