import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { IncomingMessage, Server } from 'node:http';
import { joinSmallChunks, skipBody } from '../../src/http/small-chunks.ts';
import { BUCKET, validForm, writeForm } from './oss/post/form.ts';
import { startOss as startPost } from './oss/post/start.ts';
import type { Oss as PostOss } from './oss/post/start.ts';
import { startOss } from './oss/read/start-oss.ts';

const MIB = 1024 * 1024;

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends bytes, half-closes the connection, and reads the complete response. */
async function sendAndEnd(port: number, bytes: Buffer | string): Promise<string> {
  const socket = await dial(port);
  socket.end(bytes);
  const received = await text(socket).catch(() => '');
  socket.destroy();
  return received;
}

function get(target: string, headers = ''): string {
  return `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`;
}

function statusesIn(received: string): string[] {
  return Array.from(received.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => status ?? '');
}

function codeIn(received: string): string | undefined {
  return /<Code>([^<]*)|"Code":"([^"]*)/.exec(received)?.slice(1).find(Boolean);
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    if (tries > 500) throw new Error('it did not happen');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A form and the head of its request. */
function formRequest(form = validForm()): { head: string; body: Buffer } {
  const { body, headers } = writeForm(form);
  const lines = Object.entries({ Host: 'h', 'Content-Length': String(body.length), ...headers });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return { head: `POST / HTTP/1.1\r\n${text}\r\n`, body };
}

describe('pipelined requests', () => {
  let oss: PostOss;

  beforeAll(async () => {
    oss = await startPost({ publicRead: true, maxUpload: '4MiB' });
    for (const [key, file] of [
      ['small', 'small body'],
      ['large', Buffer.alloc(3 * MIB)],
    ] as const) {
      const form = validForm();
      form.fields.set('key', key);
      form.policy.conditions = [{ key }];
      form.file = file;
      expect((await oss.post(form)).status).toBe(204);
    }
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  afterEach(async () => {
    await until(() => oss.gateway.openBodies() === 0);
  });

  it('are answered in order', async () => {
    const received = await sendAndEnd(
      oss.port,
      get('/small') + get('/missing') + get('/small', 'Connection: close\r\n'),
    );
    expect(statusesIn(received)).toEqual(['200', '404', '200']);
  });

  it('are handled one at a time, so a connection has only one open object', async () => {
    const socket = await dial(oss.port);
    socket.pause();
    socket.write(get('/large').repeat(20));
    await until(() => oss.gateway.openBodies() > 0);
    // If requests were handled in parallel, all objects would be open after one round trip.
    await oss.send({ path: '/small' });
    await until(() => oss.gateway.openBodies() === 1);
    socket.resetAndDestroy();
  });

  it('close the connection when there are too many, and leave nothing open', async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(oss.port)));
    const closed = sockets.map((socket) => once(socket, 'close'));
    for (const socket of sockets) socket.write(get('/large').repeat(1000));
    for (const socket of sockets) socket.resume().once('end', () => socket.destroy());
    await Promise.all(closed);
  });

  it('are refused in order when they have no Host', async () => {
    const received = await sendAndEnd(oss.port, get('/small') + 'GET / HTTP/1.1\r\n\r\n');
    expect(statusesIn(received)).toEqual(['200', '400']);
  });
});

describe('pipelined requests to a server of the host application', () => {
  it('close their objects when the connection is reset', async () => {
    const oss = await startOss({ publicRead: true });
    await oss.store('large', Buffer.alloc(3 * MIB));
    const server: Server = createServer(oss.app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = await dial(port);
    socket.pause();
    socket.write(get('/large').repeat(50));
    await until(() => oss.openBodies() > 1);
    socket.resetAndDestroy();
    await until(() => oss.openBodies() === 0);
    server.close();
    await oss[Symbol.asyncDispose]();
  });
});

describe('an incomplete request', () => {
  let oss: PostOss;

  beforeAll(async () => {
    oss = await startPost({ idleTimeout: '300ms' });
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  it('is answered when it is complete and its sender has half-closed the connection', async () => {
    const { head, body } = formRequest();
    const received = await sendAndEnd(oss.port, Buffer.concat([Buffer.from(head), body]));
    expect(statusesIn(received)).toEqual(['204']);
  });

  it.each([
    ['after the head of a form', 0],
    ['in a field', 100],
    ['in the closing boundary', -3],
  ])('is answered with IncompleteBody when it is half-closed %s', async (_, end) => {
    const { head, body } = formRequest();
    const bytes = Buffer.concat([Buffer.from(head), body.subarray(0, end)]);
    const received = await sendAndEnd(oss.port, bytes);
    expect(statusesIn(received)).toEqual(['400']);
    expect(codeIn(received)).toBe('IncompleteBody');
    expect(received).toMatch(/\r\nConnection: close\r\n/i);
  });

  it('is answered with MalformedPOSTRequest when a form has invalid chunks', async () => {
    const { body, headers } = writeForm(validForm());
    const type = headers['Content-Type'] ?? '';
    const head =
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: ${type}\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n40\r\n`;
    const bytes = `${head}${body.toString('latin1', 0, 64)}\r\nzz\r\n`;
    const received = await sendAndEnd(oss.port, Buffer.from(bytes, 'latin1'));
    expect(statusesIn(received)).toEqual(['400']);
    expect(codeIn(received)).toBe('MalformedPOSTRequest');
  });

  it('is answered with RequestTimeout when a form stops', async () => {
    const { head, body } = formRequest();
    const socket = await dial(oss.port);
    socket.write(head);
    socket.write(body.subarray(0, 100));
    const received = await text(socket);
    expect(statusesIn(received)).toEqual(['400']);
    expect(codeIn(received)).toBe('RequestTimeout');
  });

  it.each([
    ['IncompleteBody when an API call is half-closed', true, '400', 'IncompleteBody'],
    ['RequestTimeout when an API call stops', false, '408', 'RequestTimeout'],
  ])('is answered with %s', async (_, ends, status, code) => {
    const socket = await dial(oss.port);
    socket.write(
      'POST /?Action=GenerateOTAUploadURL&Format=JSON HTTP/1.1\r\nHost: h\r\n' +
        'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nVersion=2',
    );
    if (ends) socket.end();
    const received = await text(socket);
    expect(statusesIn(received)).toEqual([status]);
    expect(codeIn(received)).toBe(code);
  });
});

describe('a request with an odd target', () => {
  let oss: PostOss;

  beforeAll(async () => {
    oss = await startPost();
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  it.each([
    'http://[',
    'http://[/_gateway/health/live',
    'http://h:99999/_gateway/health/live',
    '//',
    '//[',
    '*',
    '/%',
    '/%zz',
    '/_gateway%2f',
    '/_gateway/%',
    '/_gateway/test/faults/%zz',
  ])('gets a response in XML or JSON, never in HTML, and never 5xx: %s', async (target) => {
    for (const method of ['GET', 'OPTIONS', 'DELETE']) {
      const received = await sendAndEnd(
        oss.port,
        `${method} ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      );
      expect(received).toMatch(/^HTTP\/1\.1 [234]/);
      expect(received).not.toMatch(/<html|<!doctype|text\/html/i);
    }
  });
});

/** The same request, with a body in HTTP chunks of one byte. */
function inChunksOfOneByte(head: string, body: Buffer): string {
  const chunks = Array.from(body.toString('latin1'), (byte) => `1\r\n${byte}\r\n`).join('');
  return `${head.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')}${chunks}0\r\n\r\n`;
}

describe('a body that is skipped', () => {
  it('does not reach its request, and ends; the next body of the connection does', async () => {
    const size = 4 * 1024 * 1024;
    const received: number[] = [];
    const server: Server = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        received.push(bytes);
        response.end();
      });
      if (request.url === '/skip') skipBody(request);
    });
    server.on('connection', joinSmallChunks).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const post = (path: string, more = ''): string =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\n${more}Content-Length: ${String(size)}\r\n\r\n${'v'.repeat(size)}`;
    const answers = await sendAndEnd(port, post('/skip') + post('/', 'Connection: close\r\n'));
    expect(statusesIn(answers)).toEqual(['200', '200']);
    expect(received[0]).toBeLessThan(size / 10);
    expect(received[1]).toBe(size);
    server.close();
  });
});

describe('a body in chunks of one byte', () => {
  const FEW = 100;
  const ANY_SIZE = {
    expiration: '2026-01-02T03:05:05.000Z',
    conditions: [{ bucket: BUCKET }],
  };

  it('reaches its reader in few pieces', async () => {
    const pieces: number[] = [];
    const server: Server = createServer((request, response) => {
      request.on('data', (piece: Buffer) => pieces.push(piece.length));
      request.on('end', () => response.end());
    });
    server.on('connection', joinSmallChunks).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const head = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
    await sendAndEnd(port, inChunksOfOneByte(head, Buffer.alloc(8000, 'v')));
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(8000);
    expect(pieces.length).toBeLessThan(FEW);
    server.close();
  });

  it('does not change responses that the same process reads with the same parser', async () => {
    const oss = await startPost();
    await sendAndEnd(oss.port, get('/'));
    const bytes = 20_000;
    const server: Server = createServer((_request, response) => {
      for (let n = 0; n < bytes; n += 1) response.write('v');
      response.end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(request({ port, host: '127.0.0.1' }).end(), 'response')) as [
      IncomingMessage,
    ];
    expect(await text(response)).toHaveLength(bytes);
    server.close();
    await oss.close();
  });

  it('is stored when its form is signed, even with a long file', async () => {
    const oss = await startPost();
    const form = { ...validForm(), policy: ANY_SIZE, file: 'v'.repeat(100_000) };
    const { head, body } = formRequest(form);
    const received = await sendAndEnd(
      oss.port,
      Buffer.from(inChunksOfOneByte(head, body), 'latin1'),
    );
    expect(statusesIn(received)).toEqual(['204']);
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  it('does not hold up the next request when nobody reads it', async () => {
    const server: Server = createServer((_request, response) => response.end());
    server.on('connection', joinSmallChunks).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = await dial(port);
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n');
    await once(socket, 'data');
    socket.write('1\r\nv\r\n'.repeat(3000));
    socket.write('0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
    expect(statusesIn(await text(socket))).toEqual(['200']);
    server.close();
  });

  it('is refused when it is long and unsigned', async () => {
    const oss = await startPost();
    const form = validForm();
    form.fields.set('x:long', 'v'.repeat(100_000));
    const { head, body } = formRequest(form);
    const ordinary = await sendAndEnd(oss.port, Buffer.concat([Buffer.from(head), body]));
    expect(statusesIn(ordinary)).toEqual(['204']);
    const received = await sendAndEnd(oss.port, inChunksOfOneByte(head, body));
    expect(codeIn(received)).toBe('MalformedPOSTRequest');
    expect(oss.errors).toEqual([]);
    await oss.close();
  });

  it('is cut off after its refusal when it exceeds the drain limit', async () => {
    const oss = await startPost({ drainBytes: '64KiB', drainTime: '60s' });
    const form = validForm();
    form.fields.set('x:long', 'v'.repeat(100_000));
    const { head, body } = formRequest(form);
    const socket = await dial(oss.port);
    // The request stays incomplete.
    socket.write(inChunksOfOneByte(head, body).slice(0, -5));
    expect(codeIn(await text(socket).catch(() => 'cut'))).toBe('MalformedPOSTRequest');
    socket.destroy();
    await oss.close();
  });

  it('is refused when it is long and belongs to an API call, even if it is complete', async () => {
    const oss = await startPost();
    const head =
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n' +
      'Content-Length: 0\r\n\r\n';
    const body = Buffer.from(
      'Action=GenerateOTAUploadURL&Version=2018-01-20&a='.padEnd(100_000, 'v'),
    );
    const received = await sendAndEnd(oss.port, inChunksOfOneByte(head, body));
    expect(codeIn(received)).toBe('IncompleteBody');
    expect(oss.errors).toEqual([]);
    await oss.close();
  });
});

describe('the memory of unsigned requests', () => {
  it('has one limit, beyond which they are refused and ordinary forms still work', async () => {
    const oss = await startPost({ maxUnsigned: '2MiB' });
    const field = (size: number): string =>
      `--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n${'v'.repeat(size)}`;
    const head = (length: number): string =>
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\n' +
      `Content-Length: ${String(length)}\r\n\r\n`;
    const holders = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const socket = await dial(oss.port);
        socket.write(head(2 * MIB) + field(MIB));
        return { socket, received: text(socket) };
      }),
    );
    const refused = await Promise.race(holders.map(({ received }) => received));
    expect(statusesIn(refused)).toEqual(['503']);
    expect(codeIn(refused)).toBe('ServiceUnavailable');
    expect((await oss.post(validForm())).status).toBe(204);
    for (const { socket } of holders) socket.destroy();
    await Promise.allSettled(holders.map(({ received }) => received));
    expect(oss.errors).toEqual([]);
    await oss.close();
  });
});
