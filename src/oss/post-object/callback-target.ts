import { lookup } from 'node:dns/promises';
import type { LookupAddress } from 'node:dns';
import { BlockList, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createTurns } from './turns.ts';
import type { Turns } from './turns.ts';

/** Settings of upload callbacks. */
export interface CallbackSettings {
  /** Host names and addresses without a port; `any` stands for every public address. */
  readonly callbackHosts: readonly string[];
  /** Whether a form may ask for a callback that its policy does not cover. */
  readonly unsignedCallbacks: boolean;
  readonly publicUrl?: string | undefined;
}

/** Which callbacks are made, and where they may go. */
export interface CallbackRule {
  readonly unsigned: boolean;
  /** Hosts as `hostOf` gives them. Only these may have private addresses. */
  readonly named: ReadonlySet<string>;
  /** Whether other hosts may be called, too, at their public addresses. */
  readonly anyPublic: boolean;
  /** Ports that the gateway listens on. It never calls itself. */
  readonly ownPorts: ReadonlySet<number>;
  readonly publicUrl: URL | undefined;
  readonly resolve: (host: string) => Promise<readonly LookupAddress[]>;
  /** Bounds how many callbacks are open at once. */
  readonly turns: Turns;
}

/** Where the request that asks for a callback has arrived. Absent for a connection inside the process. */
export type Arrival = Pick<Socket, 'localAddress' | 'localPort'>;

/** Each one has a connection of its own. */
const MAX_AT_ONCE = 100;

/** @param ownPorts - ports that the gateway listens on, also those that are added later */
export function createCallbackRule(
  { callbackHosts, unsignedCallbacks, publicUrl }: CallbackSettings,
  ownPorts: ReadonlySet<number>,
  resolve: CallbackRule['resolve'] = (host) => lookup(host, { all: true }),
): CallbackRule {
  return {
    unsigned: unsignedCallbacks,
    named: new Set(callbackHosts.filter((host) => host !== 'any').map(normalizeHost)),
    anyPublic: callbackHosts.includes('any'),
    ownPorts,
    publicUrl: publicUrl === undefined ? undefined : new URL(publicUrl),
    resolve,
    turns: createTurns(MAX_AT_ONCE),
  };
}

/** A host name in lower case, or an address; without brackets and without a dot at the end. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$|\.$/g, '');
}

function normalizeHost(host: string): string {
  const text = host.replace(/^\[|\]$/g, '');
  const url = `http://${isIP(text) === 6 ? `[${text}]` : text}`;
  return URL.canParse(url) ? hostOf(new URL(url)) : text;
}

/**
 * Says whether a URL may be called, as far as its text shows. Where its host's name leads is judged when it is
 * called, see {@link findAddresses}.
 */
export function mayCall(url: URL, rule: CallbackRule, arrival: Arrival): boolean {
  const host = hostOf(url);
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (leadsToPublicUrl(url, rule)) return false;
  if (isIP(address) === 0) return rule.anyPublic || rule.named.has(host);
  return isAllowed(address, url, rule) && !isOwnListener(address, url, rule, arrival);
}

/**
 * Resolves the host of a URL. A connection must be made to one of these addresses, so that no name can lead to
 * another one when it is resolved again.
 * @returns the addresses that may be called; empty when there are none
 * @throws when the name cannot be resolved
 */
export async function findAddresses(
  url: URL,
  rule: CallbackRule,
  arrival: Arrival,
): Promise<readonly LookupAddress[]> {
  if (!mayCall(url, rule, arrival)) return [];
  const [addresses, ours] = await Promise.all([
    rule.resolve(hostOf(url)),
    addressesOfPublicUrl(url, rule),
  ]);
  return addresses.filter(
    ({ address }) =>
      isAllowed(address, url, rule) &&
      !isOwnListener(address, url, rule, arrival) &&
      !contains(ours, address),
  );
}

function isAllowed(address: string, url: URL, { named, anyPublic }: CallbackRule): boolean {
  return named.has(hostOf(url)) || (anyPublic && isPublic(address));
}

function isOwnListener(
  address: string,
  url: URL,
  { ownPorts }: CallbackRule,
  { localAddress, localPort }: Arrival,
): boolean {
  const port = portOf(url);
  if (port !== localPort && !ownPorts.has(port)) return false;
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const own = createList(
    // A connection to the unspecified address goes to this machine.
    ['127.0.0.0/8', '0.0.0.0/8'],
    ['::/127'],
    [...interfaces.map((each) => each.address), localAddress ?? ''],
  );
  return contains(own, address);
}

/** A proxy that serves the public URL may answer by HTTP and by HTTPS. */
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
  // The gateway may be known by a name that only its clients can resolve.
  const addresses = await resolve(hostOf(publicUrl)).catch(() => []);
  return createList(
    [],
    [],
    addresses.map(({ address }) => address),
  );
}

/** @returns the port that a URL leads to, also when its text leaves it out */
export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

/** Whatever is not in these networks leads nowhere in the internet (IANA "Special-Purpose Address Registry"). */
const INTERNET = createList(
  ['0.0.0.0/0'],
  // Global unicast; the IPv4-mapped addresses are in the list by their IPv4 address.
  ['2000::/3'],
);
const NOT_PUBLIC = createList(
  [
    '0.0.0.0/8',
    '10.0.0.0/8',
    // Carrier-grade NAT; metadata services of Alibaba Cloud are here.
    '100.64.0.0/10',
    '127.0.0.0/8',
    // Link-local, with the metadata services of most clouds.
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
  // Protocol assignments (Teredo is one), documentation, 6to4, documentation.
  ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
);

/** @returns whether an address is one of the internet's; false for what is no address */
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

/** Adds a network, and the addresses of IPv6 that lead to it by NAT64. A list finds IPv4-mapped addresses by itself. */
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
