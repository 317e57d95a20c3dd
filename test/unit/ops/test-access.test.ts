import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { findAccessProblem } from '../../../src/ops/test-access.ts';
import type { AccessRequest, TestAccess } from '../../../src/ops/test-access.ts';

const LOCAL: TestAccess = { testModeRemote: false, publicUrl: undefined };
const REMOTE: TestAccess = { testModeRemote: true, publicUrl: undefined };

interface Sent {
  readonly from?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly target?: string;
}

function requestOf({ from = '127.0.0.1', headers = {}, target = '/x' }: Sent = {}): AccessRequest {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: from, configurable: true });
  const named = { host: 'localhost:9070', ...headers };
  const pairs = Object.entries(named).map(([name, value]) => [name.toLowerCase(), [value].flat()]);
  const headersDistinct = Object.fromEntries(pairs) as Record<string, string[]>;
  const joined = Object.entries(headersDistinct).map(([name, all]) => [name, all.join(', ')]);
  return {
    socket,
    headers: Object.fromEntries(joined) as Record<string, string>,
    headersDistinct,
    originalUrl: target,
  };
}

describe('the test controls', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])('may be used from %s', (from) => {
    expect(findAccessProblem(requestOf({ from }), LOCAL)).toBeUndefined();
  });

  it.each(['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '1.127.0.0'])(
    'may be used from %s only in remote test mode',
    (from) => {
      expect(findAccessProblem(requestOf({ from }), LOCAL)).toContain(`not from ${from}`);
      expect(findAccessProblem(requestOf({ from }), REMOTE)).toBeUndefined();
    },
  );

  it('may not be used from an address that is no longer known', () => {
    const request = requestOf();
    Object.defineProperty(request.socket, 'remoteAddress', { value: undefined });
    expect(findAccessProblem(request, LOCAL)).toContain('not from an unknown address');
  });

  it('may be used from inside the process, under any name', () => {
    // A connection inside the process is a plain stream.
    const inside = (headers: Record<string, string>): AccessRequest =>
      Object.assign(requestOf({ headers }), { socket: Duplex.from([]) });
    expect(findAccessProblem(inside({ host: 'gateway.test' }), LOCAL)).toBeUndefined();
    const origin = 'https://example.com';
    expect(findAccessProblem(inside({ origin }), LOCAL)).toContain(origin);
  });
});

describe('web pages', () => {
  it.each(['https://example.com', 'http://localhost.example', 'null', 'http://127.0.0.1.example'])(
    'of %s may not use the test controls',
    (origin) => {
      expect(findAccessProblem(requestOf({ headers: { origin } }), REMOTE)).toContain(origin);
    },
  );

  it('of another site may not use the test controls, also when the browser sends no origin', () => {
    const sent = { headers: { 'Sec-Fetch-Site': 'cross-site' } };
    expect(findAccessProblem(requestOf(sent), LOCAL)).toContain('another site');
    expect(findAccessProblem(requestOf(sent), REMOTE)).toContain('another site');
  });

  it.each(['same-origin', 'same-site', 'none'])(
    'may use the test controls when they are %s',
    (site) => {
      const headers = { 'Sec-Fetch-Site': site, Origin: 'http://localhost:3000' };
      expect(findAccessProblem(requestOf({ headers }), LOCAL)).toBeUndefined();
    },
  );
});

describe('a request through a proxy', () => {
  it.each([
    'Forwarded',
    'Via',
    'X-Forwarded-For',
    'X-FORWARDED-HOST',
    'X-Forwarded-Proto',
    'X-Forwarded',
    'X-Real-IP',
    'True-Client-IP',
    'CF-Connecting-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'X-Original-Forwarded-For',
    'X-Envoy-External-Address',
  ])('is not local when it has the header %s', (name) => {
    for (const value of ['127.0.0.1', '10.0.0.7', '']) {
      const sent = requestOf({ headers: { [name]: value } });
      expect(findAccessProblem(sent, LOCAL)).toContain(`through a proxy (${name.toLowerCase()})`);
      expect(findAccessProblem(sent, REMOTE)).toBeUndefined();
    }
  });
});

const OWN = ['localhost', 'LOCALHOST:9070', '127.0.0.1:9070', '127.1.2.3', '[::1]:9070', '[::1]'];
const FOREIGN = [
  'evil.example',
  'evil.example:9070',
  'localhost.evil.example',
  '127.0.0.1.nip.io',
  'user@evil.example',
  'localhost@evil.example',
  'localhost:9070@evil.example',
  'localhost:x',
  'localhost, evil.example',
  '',
];

describe('the host name of a request', () => {
  it.each(OWN)('may be %s', (host) => {
    expect(findAccessProblem(requestOf({ headers: { host } }), LOCAL)).toBeUndefined();
    expect(findAccessProblem(requestOf({ target: `http://${host}/x` }), LOCAL)).toBeUndefined();
  });

  it.each(FOREIGN)('may not be %j, in any mode', (host) => {
    for (const access of [LOCAL, REMOTE]) {
      expect(findAccessProblem(requestOf({ headers: { host } }), access)).toContain(
        `not as ${host}`,
      );
      const target = `http://${host}/x`;
      expect(findAccessProblem(requestOf({ target }), access)).toContain(`not as ${host}`);
    }
  });

  it.each(['10.0.0.7:9070', '[fe80::1]:9070', 'gateway', 'ci-box:9070'])(
    'may be %s only when other machines may use the test controls',
    (host) => {
      expect(findAccessProblem(requestOf({ headers: { host } }), LOCAL)).toContain(
        `not as ${host}`,
      );
      expect(findAccessProblem(requestOf({ headers: { host } }), REMOTE)).toBeUndefined();
    },
  );

  it('may be the host of the public URL', () => {
    const publicUrl = 'https://OTA.example:8443/ota';
    for (const testModeRemote of [true, false]) {
      const access = { testModeRemote, publicUrl };
      for (const host of ['ota.example', 'OTA.example:9070']) {
        expect(findAccessProblem(requestOf({ headers: { host } }), access)).toBeUndefined();
      }
      const host = 'not-ota.example';
      expect(findAccessProblem(requestOf({ headers: { host } }), access)).toContain(host);
    }
  });

  it.each([LOCAL, REMOTE])('is required: %j', (access) => {
    const nameless = requestOf({ headers: { host: [] } });
    expect(findAccessProblem(nameless, access)).toContain('not without a Host header');
  });

  it('must be ours each time it is given', () => {
    const twice = requestOf({ headers: { host: ['localhost', 'evil.example'] } });
    expect(findAccessProblem(twice, LOCAL)).toContain('not as evil.example');
    for (const target of ['http:\\\\evil.example\\x', 'evil.example/x', 'http:/x']) {
      expect(findAccessProblem(requestOf({ target }), LOCAL)).toContain('not as ');
    }
  });
});
