import { lookup } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { FidelityMode } from '../fidelity.ts';
import { createConcurrencyLimit } from './concurrency-limit.ts';
import type { RunLimited } from './concurrency-limit.ts';

/** Settings of upload callbacks. */
export interface CallbackSettings {
  /** Host names and addresses without a port; `any` means every public address. */
  readonly callbackHosts: readonly string[];
  /** Whether a form may ask for a callback that its policy does not cover. */
  readonly unsignedCallbacks: boolean;
  readonly publicUrl?: string | undefined;
  /** `strict` allows no private address, as OSS does. */
  readonly fidelity: FidelityMode;
}

/** Which callbacks are allowed, and to which hosts. */
export interface CallbackRule {
  /** Whether a form may ask for a callback that its policy does not cover. */
  readonly unsigned: boolean;
  /** Hosts in the form of `hostOf`. Only these may have private addresses, if any may. */
  readonly namedHosts: ReadonlySet<string>;
  readonly allowsPrivate: boolean;
  /** Whether other hosts may be called too, at their public addresses. */
  readonly anyPublic: boolean;
  /** Ports that the gateway listens on, so that it never calls itself. */
  readonly ownPorts: ReadonlySet<number>;
  readonly publicUrl: URL | undefined;
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  /** Limits how many callbacks are sent at the same time. */
  readonly runLimited: RunLimited;
}

/** Local address and port of the connection of a form; undefined for a connection inside the process. */
export type LocalEndpoint = Pick<Socket, 'localAddress' | 'localPort'>;

/** Callbacks at the same time; each has its own connection. */
const MAX_CALLBACKS = 100;

/** @param ownPorts - ports that the gateway listens on, including those that are added to the set later */
export function createCallbackRule(
  { callbackHosts, fidelity, unsignedCallbacks, publicUrl }: CallbackSettings,
  ownPorts: ReadonlySet<number>,
  resolve: CallbackRule['resolve'] = (host) => lookup(host, { all: true }),
): CallbackRule {
  return {
    unsigned: unsignedCallbacks,
    namedHosts: new Set(callbackHosts.filter((host) => host !== 'any').map(normalizeHost)),
    allowsPrivate: fidelity === 'lenient',
    anyPublic: callbackHosts.includes('any'),
    ownPorts,
    publicUrl: publicUrl === undefined ? undefined : new URL(publicUrl),
    resolve,
    runLimited: createConcurrencyLimit(MAX_CALLBACKS),
  };
}

/** @returns a host name in lower case, or an address; without brackets and without a dot at the end */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$|\.$/g, '');
}

function normalizeHost(host: string): string {
  const text = host.replace(/^\[|\]$/g, '');
  // The settings accept no port, so only an address of IPv6 has a colon. Node takes 3 ms for its first `isIP`.
  const url = `http://${text.includes(':') ? `[${text}]` : text}`;
  return URL.canParse(url) ? hostOf(new URL(url)) : text;
}

/**
 * Returns whether the text of a URL allows a call. The addresses of its host are checked when it is called, see
 * {@link findAddresses}.
 */
export function isAllowedUrl(url: URL, rule: CallbackRule, local: LocalEndpoint): boolean {
  const host = hostOf(url);
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (leadsToPublicUrl(url, rule)) return false;
  if (isIP(address) === 0) return rule.anyPublic || rule.namedHosts.has(host);
  return isAllowedAddress(address, url, rule) && !isOwnListener(address, url, rule, local);
}

/**
 * Resolves the host of a URL. The caller must connect to one of these addresses: resolving the name again could return
 * another address, which was not checked.
 * @returns the allowed addresses
 * @throws when the name cannot be resolved
 */
export async function findAddresses(
  url: URL,
  rule: CallbackRule,
  local: LocalEndpoint,
): Promise<readonly LookupAddress[]> {
  if (!isAllowedUrl(url, rule, local)) return [];
  const [addresses, ours] = await Promise.all([
    rule.resolve(hostOf(url)),
    addressesOfPublicUrl(url, rule),
  ]);
  return addresses.filter(
    ({ address }) =>
      isAllowedAddress(address, url, rule) &&
      !isOwnListener(address, url, rule, local) &&
      !contains(ours, address),
  );
}

function isAllowedAddress(
  address: string,
  url: URL,
  { allowsPrivate, anyPublic, namedHosts }: CallbackRule,
): boolean {
  const isNamed = namedHosts.has(hostOf(url));
  return isNamed ? allowsPrivate || isPublic(address) : anyPublic && isPublic(address);
}

function isOwnListener(
  address: string,
  url: URL,
  { ownPorts }: CallbackRule,
  { localAddress, localPort }: LocalEndpoint,
): boolean {
  const port = portOf(url);
  if (port !== localPort && !ownPorts.has(port)) return false;
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const own = createList(
    // A connection to the unspecified address reaches this machine.
    ['127.0.0.0/8', '0.0.0.0/8'],
    ['::/127'],
    [...interfaces.map((each) => each.address), localAddress ?? ''],
  );
  return contains(own, address);
}

/** A proxy in front of the public URL may listen for HTTP and for HTTPS. */
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443]);

function isPublicUrlPort(url: URL, publicUrl: URL): boolean {
  const [port, own] = [portOf(url), portOf(publicUrl)];
  return port === own || (WEB_PORTS.has(port) && WEB_PORTS.has(own));
}

function leadsToPublicUrl(url: URL, { publicUrl }: CallbackRule): boolean {
  return (
    publicUrl !== undefined && hostOf(url) === hostOf(publicUrl) && isPublicUrlPort(url, publicUrl)
  );
}

async function addressesOfPublicUrl(
  url: URL,
  { publicUrl, resolve }: CallbackRule,
): Promise<BlockList> {
  if (publicUrl === undefined || !isPublicUrlPort(url, publicUrl)) return new BlockList();
  // Ignore an error: perhaps only clients can resolve the name of the public URL.
  const addresses = await resolve(hostOf(publicUrl)).catch(() => []);
  return createList(
    [],
    [],
    addresses.map(({ address }) => address),
  );
}

/** @returns the port of a URL; the default one of its scheme when its text has none */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** Only addresses in these networks can be public (IANA "Special-Purpose Address Registry"). */
const INTERNET = createList(
  ['0.0.0.0/0'],
  // Global unicast. IPv4-mapped addresses match by their IPv4 address.
  ['2000::/3'],
);
const NOT_PUBLIC = createList(
  [
    '0.0.0.0/8',
    '10.0.0.0/8',
    // Carrier-grade NAT; metadata services of Alibaba Cloud are here.
    '100.64.0.0/10',
    '127.0.0.0/8',
    // Link-local; metadata services of most clouds are here.
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    // Multicast, reserved, and broadcast.
    '224.0.0.0/3',
  ],
  // Protocol assignments, which include Teredo; documentation; 6to4; documentation.
  ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
);

/** @returns whether an address is public; false for a text that is not an address */
export function isPublic(address: string): boolean {
  return contains(INTERNET, address) && !contains(NOT_PUBLIC, address);
}

function createList(
  v4: readonly string[],
  v6: readonly string[],
  addresses: readonly string[] = [],
): BlockList {
  const list = new BlockList();
  for (const [net = '', bits] of v4.map((subnet) => subnet.split('/'))) {
    addV4(list, net, Number(bits));
  }
  for (const [net = '', bits] of v6.map((subnet) => subnet.split('/'))) {
    list.addSubnet(net, Number(bits), 'ipv6');
  }
  for (const address of addresses.map(withoutZone)) {
    if (isIP(address) === 4) addV4(list, address, 32);
    if (isIP(address) === 6) list.addAddress(address, 'ipv6');
  }
  return list;
}

/** Adds a network, and the IPv6 addresses that reach it by NAT64. A BlockList matches IPv4-mapped addresses itself. */
function addV4(list: BlockList, net: string, bits: number): void {
  list.addSubnet(net, bits, 'ipv4');
  list.addSubnet(`64:ff9b::${net}`, 96 + bits, 'ipv6');
}

function contains(list: BlockList, address: string): boolean {
  return list.check(withoutZone(address), isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '');
}
