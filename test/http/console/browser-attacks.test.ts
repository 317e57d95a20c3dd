import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import request from 'supertest';
import {
  ANN,
  CONSOLE,
  FROM_PAGE,
  OPS,
  accountOf,
  cookieOf,
  openSession,
  signIn,
  startConsole,
  statusOf,
} from './console-api.ts';
import type { ConsoleGateway } from './console-api.ts';

const API = '/_gateway/api';

let gateway: ConsoleGateway;

beforeEach(async () => {
  gateway = await startConsole();
});
afterEach(() => gateway.close());

describe('two cookies with valid sessions', () => {
  // Another port of the host, or a neighbouring name, can set a cookie with a longer path: browsers send that first.
  it('are no session: the first may be that of somebody else', async () => {
    const [own, tossed] = [await openSession(gateway, ANN), await openSession(gateway, OPS)];
    expect(await accountOf(gateway, `${tossed}; ${own}`)).toBeUndefined();
    expect(await accountOf(gateway, `${own}; ${tossed}`)).toBeUndefined();
    expect(await statusOf(gateway, `${tossed}; ${own}`)).toBe(401);
  });

  it('are one session when they are the same', async () => {
    const own = await openSession(gateway, ANN);
    expect(await accountOf(gateway, `${own}; ${own}`)).toBe('ann');
  });

  it('end when one signs in, and when one signs out', async () => {
    const [own, tossed] = [await openSession(gateway, ANN), await openSession(gateway, OPS)];
    const next = cookieOf(await signIn(gateway, ANN, {}, { cookie: `${tossed}; ${own}` }));
    expect(await accountOf(gateway, `${tossed}; ${next}`)).toBe('ann');
    const other = await openSession(gateway, OPS);
    const cookie = `${other}; ${next}`;
    await request(gateway.app)
      .delete(`${CONSOLE}/session`)
      .set({ ...FROM_PAGE, cookie });
    expect(await accountOf(gateway, other)).toBeUndefined();
    expect(await accountOf(gateway, next)).toBeUndefined();
  });
});

describe('what a cookie can read', () => {
  it.each([
    ['an answer', `${API}/uploads`, 200],
    ['a refused call', `${API}/usage`, 403],
    ['a route that does not exist', `${API}/nothing`, 404],
    ['the stream of events', `${API}/events?types=x`, 400],
    ['the session', `${CONSOLE}/session`, 200],
  ])(
    'is kept by no cache, framed by no page and loaded by no other port: %s',
    async (_what, path, status) => {
      const cookie = await openSession(gateway, ANN);
      for (const method of ['get', 'head'] as const) {
        const response = await request(gateway.app)[method](path).set({ cookie }).expect(status);
        expect(response.headers).toMatchObject({
          'cache-control': 'no-store',
          'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
          'cross-origin-resource-policy': 'same-origin',
          'referrer-policy': 'no-referrer',
          'x-content-type-options': 'nosniff',
        });
        expect(response.headers).not.toHaveProperty('access-control-allow-origin');
      }
    },
  );
});

describe('a change with a session', () => {
  it.each([
    ['a header', {}, { 'x-http-method-override': 'DELETE' }],
    ['another header', {}, { 'x-method-override': 'DELETE', 'x-http-method': 'DELETE' }],
    ['a query', { _method: 'DELETE' }, {}],
  ])(
    'is not made by a GET or a form that names its method in %s',
    async (_what, query, headers) => {
      const cookie = await openSession(gateway, ANN);
      const { key } = await gateway.seed({ state: 'stored' });
      const path = `${API}/uploads/${encodeURIComponent(key)}`;
      const sent = { cookie, ...headers };
      await request(gateway.app).get(path).query(query).set(sent).expect(200);
      const form = request(gateway.app).post(path).query(query).set(sent).type('form');
      await form.send({ _method: 'DELETE' }).expect(403);
      const { body } = await request(gateway.app).get(path).set({ cookie }).expect(200);
      expect(body.uploads[0].state).toBe('stored');
    },
  );

  it('is announced by a preflight in vain, whatever the rules for objects allow', async () => {
    const rules = [
      { allowedOrigins: ['*'], allowedMethods: ['GET', 'POST', 'DELETE'], allowedHeaders: ['*'] },
    ];
    await using open = await startConsole({ corsRules: JSON.stringify(rules) });
    const cookie = await openSession(open, ANN);
    for (const path of [`${API}/grants`, `${CONSOLE}/session`, `${CONSOLE}/challenge`]) {
      const response = await request(open.app)
        .options(path)
        .set({
          ...{ cookie, origin: 'https://other.test' },
          ...{ 'access-control-request-method': 'POST' },
          ...{ 'access-control-request-headers': 'x-gateway-console' },
        });
      const allowed = Object.keys(response.headers).filter((name) =>
        name.startsWith('access-control-'),
      );
      expect(allowed).toEqual([]);
    }
  });
});

describe('a stream of events', () => {
  const watch = async (cookie: string): Promise<IncomingMessage> => {
    const { url } = await gateway.listen();
    const sent = get(`${url}${API}/events`, { headers: { cookie }, agent: false });
    const [response]: IncomingMessage[] = await once(sent, 'response');
    if (response === undefined) throw new Error('no response');
    return response;
  };
  /** Without the comment of a heartbeat, which would end it as well. */
  const WITHOUT_HEARTBEAT = 'retry: 1000\n\n';

  it('ends at once when its session is signed out, and no other does', async () => {
    const [cookie, other] = [await openSession(gateway, ANN), await openSession(gateway, ANN)];
    const [own, others] = [await watch(cookie), await watch(other)];
    const received = text(own);
    const signOut = request(gateway.app).delete(`${CONSOLE}/session`);
    await signOut.set({ ...FROM_PAGE, cookie }).expect(200);
    expect(await received).toBe(WITHOUT_HEARTBEAT);
    expect(others.complete).toBe(false);
    others.destroy();
  });

  it('ends at once when its browser signs in again', async () => {
    const cookie = await openSession(gateway, ANN);
    const received = text(await watch(cookie));
    await signIn(gateway, OPS, {}, { cookie });
    expect(await received).toBe(WITHOUT_HEARTBEAT);
  });
});
