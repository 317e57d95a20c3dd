import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { get } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { startListener } from '../../src/http/listener.ts';
import type { ListenOptions, Listener } from '../../src/http/listener.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { eventually } from '../support/built-gateway.ts';
import { createPrivateCa } from '../support/private-ca.ts';
import { describeWith } from '../support/programs.ts';
import type { PrivateCa } from '../support/private-ca.ts';
import { exchangeRaw } from '../support/raw-exchange.ts';
import { folderForSuite } from '../support/suite.ts';

const OPTIONS: ListenOptions = {
  host: '127.0.0.1',
  port: 0,
  idleTimeout: 5000,
  minUploadRate: 0,
  maxConnections: 100,
  maxUnsigned: 1e9,
  grace: 100,
  drainBytes: 1e6,
  drainTime: 1000,
};

const hello: RequestListener = (_request, response) => {
  response.end('hello');
};

interface Line {
  readonly details: object;
  readonly message: string;
}

let listeners: Listener[] = [];
let lines: Line[] = [];

async function listen(options: Partial<ListenOptions> = {}, handle = hello): Promise<Listener> {
  const logger = {
    ...silentLogger,
    info: (details: object, message: string) => {
      lines.push({ details, message });
    },
  };
  const listener = await startListener(handle, { ...OPTIONS, ...options }, logger);
  listeners.push(listener);
  return listener;
}

afterEach(async () => {
  await Promise.all(listeners.map((listener) => listener.close()));
  listeners = [];
  lines = [];
});

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** @returns a stream that sends the first byte of each chunk separately */
function inPieces(socket: Socket): Duplex {
  socket.setNoDelay();
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      socket.write(chunk.subarray(0, 1), () => {
        socket.write(chunk.subarray(1), done);
      });
    },
  });
  socket.on('data', (chunk: Buffer) => stream.push(chunk)).on('end', () => stream.push(null));
  return stream;
}

/** @returns the status and the body of the only response */
function responseIn(received: string): { status: number; body: string } {
  const [head = '', body = ''] = received.split('\r\n\r\n');
  expect(head).toMatch(/\r\nContent-Type: text\/plain; charset=utf-8\r\n/);
  expect(head).toMatch(/\r\nConnection: close/);
  expect(head).toContain(`\r\nContent-Length: ${String(Buffer.byteLength(body))}`);
  return { status: Number(/^HTTP\/1\.1 (\d+) /.exec(head)?.[1]), body };
}

/** The type of a record (RFC 8446, 5.1). */
const TLS_ALERT = 21;

const PEER = expect.stringMatching(/^127\.0\.0\.1 \d+$/) as unknown;
const NO_REQUEST = { dialect: 'http', reason: 'not_http', peer: PEER };
const NOT_HTTP = 'refused bytes that are not a valid HTTP request';

describe('bytes that are not a valid HTTP request', () => {
  it.each([
    ['raw UTF-8 in a path', 'GET /固件.bin HTTP/1.1', 400, 'HPE_INVALID_URL', /Percent-encode/],
    ['raw UTF-8 in a query', 'GET /?Name=固 HTTP/1.1', 400, 'HPE_INVALID_URL', /Percent-encode/],
    ['a space in a path', 'GET /a b HTTP/1.1', 400, 'HPE_INVALID_CONSTANT', /Percent-encode/],
    ['an unknown method', 'FETCH / HTTP/1.1', 400, 'HPE_INVALID_METHOD', /Invalid method/],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.2', 400, 'HPE_INVALID_METHOD', /not a valid HTTP/],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nX: ${'a'.repeat(70_000)}`,
      431,
      'HPE_HEADER_OVERFLOW',
      /65536 bytes/,
    ],
  ])('are answered with a readable text and one log line: %s', async (...row) => {
    const [, head, status, code, advice] = row;
    const { port } = await listen();
    const received = await exchangeRaw(port, Buffer.from(`${head}\r\nHost: h\r\n\r\n`));
    const response = responseIn(String(received));
    expect(response.status).toBe(status);
    expect(response.body).toMatch(advice);
    expect(lines).toEqual([
      {
        details: { ...NO_REQUEST, code, status, detail: expect.any(String) as unknown },
        message: NOT_HTTP,
      },
    ]);
  });

  it('are answered when they begin HTTP/2', async () => {
    const { port } = await listen();
    const received = await exchangeRaw(port, Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'));
    expect(responseIn(String(received)).body).toMatch(/Use HTTP\/1\.1/);
  });

  it('are answered when the client ends its side in the middle of the headers', async () => {
    const { port } = await listen();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end('GET / HTTP/1.1\r\nHost');
    const { body, status } = responseIn(await text(socket));
    expect({ body, status }).toEqual({
      body: 'The connection ended before the request was complete. Send all of it.\n',
      status: 400,
    });
  });

  it('never show the URL or a header in the log', async () => {
    const { port } = await listen();
    await exchangeRaw(port, Buffer.from('GET /é?s=secret HTTP/1.1\r\nA: secret\r\n\r\n'));
    expect(JSON.stringify(lines)).not.toContain('secret');
    expect(lines).toHaveLength(1);
  });

  it('are answered after the response to the request before them', async () => {
    const responses: (() => void)[] = [];
    const { port } = await listen({}, (_request, response) => {
      responses.push(() => response.end('first'));
    });
    const socket = await dial(port);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /é HTTP/1.1\r\n\r\n');
    await eventually(() => lines.length === 1);
    responses[0]?.();
    const received = await text(socket);
    expect(received).toMatch(/^HTTP\/1\.1 200 [^]*first/);
    expect(responseIn(received.slice(received.indexOf('first') + 5)).status).toBe(400);
  });

  it('are answered while their client is still sending', async () => {
    const { port } = await listen({ drainBytes: 1e8 });
    const socket = await dial(port);
    socket.write('POST /é HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n');
    socket.write(Buffer.alloc(30_000_000, 'a'));
    expect(responseIn(await text(socket)).status).toBe(400);
    expect(lines).toHaveLength(1);
  });

  it('do not keep a connection whose client neither ends nor stops', async () => {
    const { port } = await listen({ drainTime: 60_000, drainBytes: 100_000 });
    const socket = await dial(port);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /é HTTP/1.1\r\n\r\n');
    socket.on('data', () => undefined);
    const flood = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536))) continue;
    };
    socket.on('drain', flood);
    flood();
    await closed;
  });

  it('do not keep a connection whose client reads the response and stays', async () => {
    const { port } = await listen({ drainTime: 50 });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write('GET /é HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'end');
    await eventually(async () => {
      socket.write('more');
      return Promise.resolve(socket.destroyed);
    });
  });

  it('do not delay the end of the listener', async () => {
    const listener = await listen({ drainTime: 60_000, grace: 60_000 });
    const socket = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.write('GET /é HTTP/1.1\r\n\r\n');
    await once(socket.resume(), 'end');
    await listener.close();
    socket.destroy();
  });
});

describe('a request that Node can parse', () => {
  it('is refused with a text when it has no Host', async () => {
    const { port } = await listen();
    const received = await exchangeRaw(port, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    const head = String(received).replace(/Date: .*\r\n/, '');
    expect(responseIn(head)).toEqual({
      status: 400,
      body: expect.stringContaining('Host') as unknown,
    });
    expect(lines).toEqual([{ details: { ...NO_REQUEST, status: 400 }, message: NOT_HTTP }]);
  });

  it('is refused with a text when it is for a proxy', async () => {
    const { port } = await listen();
    const request = 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n';
    const response = responseIn(String(await exchangeRaw(port, Buffer.from(request))));
    expect(response).toEqual({ status: 405, body: expect.stringContaining('proxy') as unknown });
    expect(lines).toMatchObject([{ message: 'a client used the gateway as a proxy' }]);
  });
});

describe('the log of refused connections', () => {
  it('has some lines in a second, and the number of the others', async () => {
    const listener = await listen();
    const requests = Array.from({ length: 30 }, () =>
      exchangeRaw(listener.port, Buffer.from('GET /é HTTP/1.1\r\n\r\n')),
    );
    await Promise.all(requests);
    await listener.close();
    const leftOut = lines.flatMap(({ details }) => ('leftOut' in details ? [details.leftOut] : []));
    const count = leftOut.reduce<number>((sum, number) => sum + Number(number), 0);
    expect(lines.length - leftOut.length + count).toBe(30);
    expect(count).toBeGreaterThan(0);
  });

  it('has a line for a connection beyond the limit', async () => {
    const { port } = await listen({ maxConnections: 1 });
    const first = await dial(port);
    const second = await dial(port);
    await once(second.resume(), 'close');
    expect(lines).toEqual([
      {
        details: { ...NO_REQUEST, reason: 'overloaded' },
        message: 'dropped a connection, because there are already too many',
      },
    ]);
    first.destroy();
  });

  it('has a line for a connection with too many pipelined requests', async () => {
    const { port } = await listen({}, () => undefined);
    const socket = await dial(port);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(40));
    await once(socket.resume(), 'close');
    expect(lines).toEqual([
      {
        details: { ...NO_REQUEST, reason: 'overloaded' },
        message: 'closed a connection with too many pipelined requests',
      },
    ]);
  });
});

describe('TLS on the plain port', () => {
  it('is answered with a text, and logged', async () => {
    const { port } = await listen();
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [unknown];
    expect(error).toMatchObject({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' });
    expect(lines).toMatchObject([
      {
        details: { peer: PEER, code: 'HPE_INVALID_METHOD', status: 400 },
        message: 'a client spoke TLS to the plain port',
      },
    ]);
    const received = await exchangeRaw(port, Buffer.from('16030100fa010000f6', 'hex'));
    expect(responseIn(String(received)).body).toMatch(/Use http:\/\/ instead of https:\/\//);
  });
});

// Needs openssl to create the certificate; CI has it installed.
describeWith('openssl', 'the TLS port', () => {
  const folder = folderForSuite();
  let files: PrivateCa;
  let tls: ListenOptions['tls'];
  const listenTls = (options: Partial<ListenOptions> = {}): Promise<Listener> =>
    listen({ tls, ...options });

  beforeAll(() => {
    files = createPrivateCa(folder.path);
    tls = {
      cert: readFileSync(files.certFile, 'utf8'),
      key: readFileSync(files.keyFile, 'utf8'),
    };
  });

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])(
    'answers a plain %s with a text, and logs it',
    async (method) => {
      const { port } = await listenTls();
      const request = `${method} /?secret HTTP/1.1\r\nHost: h\r\n\r\n`;
      const response = responseIn(String(await exchangeRaw(port, Buffer.from(request))));
      expect(response).toEqual({
        status: 400,
        body:
          'The plain HTTP request was sent to HTTPS port. ' +
          'This port speaks TLS: use https:// instead of http://.\n',
      });
      expect(lines).toEqual([
        {
          details: { ...NO_REQUEST, status: 400 },
          message: 'a client spoke plain HTTP to the TLS port',
        },
      ]);
    },
  );

  it('answers plain HTTP while its client is still sending', async () => {
    const { port } = await listenTls({ drainBytes: 1e8 });
    const socket = await dial(port);
    socket.write('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n');
    socket.write(Buffer.alloc(30_000_000, 'a'));
    expect(responseIn(await text(socket)).status).toBe(400);
  });

  it('answers bytes inside TLS that are not a valid HTTP request', async () => {
    const { port } = await listenTls();
    const socket = connectTls({ port, host: '127.0.0.1', ca: files.ca });
    socket.write('GET /é HTTP/1.1\r\n\r\n');
    expect(responseIn(await text(socket)).status).toBe(400);
    expect(lines).toMatchObject([{ details: { code: 'HPE_INVALID_URL' } }]);
  });

  it('serves a client whose handshake arrives in pieces', async () => {
    const { port } = await listenTls();
    const socket = inPieces(await dial(port));
    const outside = connectTls({ socket, ca: files.ca, host: '127.0.0.1' });
    outside.write('GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(await text(outside)).toMatch(/^HTTP\/1\.1 200 [^]*hello$/);
    expect(lines).toEqual([]);
  });

  it('serves HTTPS', async () => {
    const { port } = await listenTls();
    const [response] = await once(
      get({ port, host: '127.0.0.1', ca: files.ca, agent: false }),
      'response',
    );
    expect(await text(response)).toBe('hello');
    expect(lines).toEqual([]);
  });

  it('logs a handshake that fails', async () => {
    const { port } = await listenTls();
    // The beginning of a handshake with a wrong length.
    const received = await exchangeRaw(port, Buffer.from('160301000501000001ff', 'hex'));
    expect(received[0]).toBe(TLS_ALERT);
    await eventually(() => lines.length === 1);
    expect(lines).toMatchObject([
      {
        details: { peer: PEER, code: expect.stringMatching(/^ERR_SSL_/) as unknown },
        message: 'a TLS handshake failed',
      },
    ]);
  });

  it('does not log a client that connects and leaves', async () => {
    const listener = await listenTls();
    const socket = await dial(listener.port);
    socket.end();
    await once(socket.resume(), 'close');
    await listener.close();
    expect(lines).toEqual([]);
  });

  it('closes a connection without a first byte after the idle time', async () => {
    const { port } = await listenTls({ idleTimeout: 50 });
    await once((await dial(port)).resume(), 'close');
  });

  it('closes connections without a first byte when the listener ends', async () => {
    const listener = await listenTls({ grace: 60_000 });
    const socket = await dial(listener.port);
    await Promise.all([once(socket.resume(), 'close'), listener.close()]);
  });
});
