import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { createOriginReader, isLocal, peerOf, schemeOf } from '../../../src/http/peer.ts';
import type { OriginRequest } from '../../../src/http/peer.ts';

function requestFrom(
  address: string | undefined,
  headers: IncomingHttpHeaders = {},
  socket = new Socket(),
): OriginRequest {
  Object.defineProperty(socket, 'remoteAddress', { value: address });
  return { headers, socket };
}

const PROXIES = ['127.0.0.1', '10.0.0.0/8', '2001:db8:1::/48'];

/** @returns address and scheme of the client, as the gateway sees them behind trusted proxies */
function originOf(
  address: string,
  headers: IncomingHttpHeaders,
  proxies: readonly string[] = PROXIES,
): [string | undefined, string] {
  const request = requestFrom(address, headers);
  createOriginReader(proxies)?.(request);
  return [peerOf(request), schemeOf(request)];
}

describe('the client of a request', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    [undefined, undefined],
  ])('has the address of the connection, %s', (address, expected) => {
    const request = requestFrom(address);
    expect(peerOf(request)).toBe(expected);
    expect(schemeOf(request)).toBe('http');
  });

  it('uses https on a TLS connection', () => {
    expect(schemeOf({ headers: {}, socket: new TLSSocket(new Duplex()) })).toBe('https');
  });

  it('is not named by the headers when no proxy is trusted', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' };
    expect(createOriginReader([])).toBeUndefined();
    expect(originOf('127.0.0.1', headers, [])).toEqual(['127.0.0.1', 'http']);
  });

  it('is not named by the headers when it is not a trusted proxy itself', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' };
    expect(originOf('192.0.2.1', headers)).toEqual(['192.0.2.1', 'http']);
    expect(originOf('192.0.2.1', { forwarded: 'for=198.51.100.7;proto=https' })).toEqual([
      '192.0.2.1',
      'http',
    ]);
  });

  it.each<[string, IncomingHttpHeaders, string, string]>([
    ['127.0.0.1', {}, '127.0.0.1', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': '198.51.100.7' }, '198.51.100.7', 'http'],
    ['::ffff:127.0.0.1', { 'x-forwarded-for': '198.51.100.7' }, '198.51.100.7', 'http'],
    ['2001:db8:1::9', { 'x-forwarded-for': '2001:db8::7' }, '2001:db8::7', 'http'],
    ['127.0.0.1', { 'x-forwarded-proto': 'https' }, '127.0.0.1', 'https'],
    ['127.0.0.1', { 'x-forwarded-proto': 'HTTPS' }, '127.0.0.1', 'https'],
    ['127.0.0.1', { 'x-forwarded-proto': 'gopher' }, '127.0.0.1', 'http'],
    // What the client has invented stands to the left.
    ['127.0.0.1', { 'x-forwarded-for': '203.0.113.1, 198.51.100.7' }, '198.51.100.7', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': '10.0.0.1,198.51.100.7,10.1.1.1' }, '198.51.100.7', 'http'],
    ['127.0.0.1', { 'x-forwarded-proto': 'http, https' }, '127.0.0.1', 'https'],
    // Every hop is a proxy: a client in the network of the proxies.
    ['127.0.0.1', { 'x-forwarded-for': '10.0.0.1, 10.0.0.2' }, '10.0.0.1', 'http'],
    // Hops with ports, and hops that are not addresses.
    ['127.0.0.1', { 'x-forwarded-for': '198.51.100.7:4711' }, '198.51.100.7', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': '[2001:db8::7]:4711' }, '2001:db8::7', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': '::ffff:198.51.100.7' }, '198.51.100.7', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': 'unknown' }, '127.0.0.1', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': '198.51.100.7, <b>, 10.0.0.1' }, '10.0.0.1', 'http'],
    ['127.0.0.1', { 'x-forwarded-for': ' , ' }, '127.0.0.1', 'http'],
    // A proxy that appends the scheme, and one that replaces it.
    [
      '127.0.0.1',
      { 'x-forwarded-for': '198.51.100.7, 10.0.0.1', 'x-forwarded-proto': 'https, http' },
      '198.51.100.7',
      'https',
    ],
    [
      '127.0.0.1',
      { 'x-forwarded-for': '198.51.100.7, 10.0.0.1', 'x-forwarded-proto': 'https' },
      '198.51.100.7',
      'https',
    ],
    // The examples of RFC 7239, 4.
    ['127.0.0.1', { forwarded: 'for="_gazonk"' }, '127.0.0.1', 'http'],
    ['127.0.0.1', { forwarded: 'For="[2001:db8:cafe::17]:4711"' }, '2001:db8:cafe::17', 'http'],
    [
      '127.0.0.1',
      { forwarded: 'for=192.0.2.60;proto=https;by=203.0.113.43' },
      '192.0.2.60',
      'https',
    ],
    ['127.0.0.1', { forwarded: 'for=192.0.2.43, for=198.51.100.17' }, '198.51.100.17', 'http'],
    ['127.0.0.1', { forwarded: 'for=192.0.2.43;proto=https, for=10.0.0.1' }, '192.0.2.43', 'https'],
    // Proxies that set the others pass on a Forwarded of the client.
    [
      '127.0.0.1',
      { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=203.0.113.1;proto=https' },
      '198.51.100.7',
      'http',
    ],
  ])('behind the trusted proxy %s with %j is %s by %s', (address, headers, peer, scheme) => {
    expect(originOf(address, headers)).toEqual([peer, scheme]);
  });

  it('is still known when a trusted proxy has closed its connection', () => {
    const request = requestFrom('127.0.0.1', { 'x-forwarded-for': '198.51.100.7' });
    createOriginReader(PROXIES)?.(request);
    request.socket.destroy();
    expect(peerOf(request)).toBe('198.51.100.7');
  });
});

describe('a request', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])(
    'from %s is local, unless a proxy has passed it on, trusted or not',
    (address) => {
      expect(isLocal(requestFrom(address))).toBe(true);
      const forwarded = requestFrom(address, { 'x-forwarded-for': '127.0.0.1' });
      createOriginReader(['127.0.0.0/8', '::1'])?.(forwarded);
      expect(isLocal(forwarded)).toBe(false);
    },
  );

  it.each(['192.0.2.1', '::ffff:192.0.2.1', '1.127.0.0', undefined])(
    'from %s is not local',
    (address) => {
      expect(isLocal(requestFrom(address))).toBe(false);
    },
  );
});
