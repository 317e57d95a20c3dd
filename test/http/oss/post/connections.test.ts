import { once } from 'node:events';
import { createServer, request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { engineUnderTest } from '../../../support/engine.ts';
import { StoreUnavailable } from '../../../../src/uploads/unavailable.ts';
import type { ObjectStore } from '../../../../src/uploads/ports.ts';
import { validForm, writeForm } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import type { Oss } from './start.ts';

const KEY = 'dir/firmware.bin';
const MIB = 1024 * 1024;

/** The bytes of a client: the head of a request, and a form that is split where its file begins. */
function written(form: Form, headers: Readonly<Record<string, string>> = {}) {
  const { body, headers: own } = writeForm(form);
  const lines = Object.entries({
    Host: 'h',
    'Content-Length': String(body.length),
    ...own,
    ...headers,
  })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\r\n`);
  const fileAt = body.lastIndexOf('octet-stream\r\n\r\n') + 'octet-stream\r\n\r\n'.length;
  return {
    head: `POST / HTTP/1.1\r\n${lines.join('')}\r\n`,
    beforeFile: body.subarray(0, fileAt),
    rest: body.subarray(fileAt),
  };
}

function refusedForm(size: number): Form {
  const form = validForm();
  form.fields.set('Signature', 'wrong');
  form.file = Buffer.alloc(size, 'x');
  return form;
}

function largeForm(size: number, allowed: number): Form {
  const form = validForm();
  form.policy.conditions = [['content-length-range', 0, allowed]];
  form.file = Buffer.alloc(size, 'x');
  return form;
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 500) throw new Error('the condition did not become true');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Reads until the text matches. */
async function readUntil(socket: Socket, end: RegExp): Promise<string> {
  let read = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    read += String(chunk);
    if (end.test(read)) return read;
  }
  throw new Error(`the connection ended after: ${read}`);
}

describe('PostObject', () => {
  let oss: Oss;

  beforeAll(async () => {
    oss = await startOss({ drainBytes: '16MiB', drainTime: '5s', maxUpload: '32MiB' });
  });

  afterAll(async () => {
    await oss.close();
  });

  beforeEach(() => {
    oss.departures.length = 0;
  });

  afterEach(async () => {
    expect(oss.errors).toEqual([]);
    await until(async () => (await oss.uncommitted()) === 0);
  });

  describe('a refused request', () => {
    it('is answered before a byte of the file is sent', async () => {
      const socket = await oss.dial();
      const { head, beforeFile } = written(refusedForm(8 * MIB));
      socket.write(head);
      socket.write(beforeFile);
      const response = await readUntil(socket, /<\/Error>/);
      expect(response).toMatch(/^HTTP\/1\.1 403 /);
      expect(response).toMatch(/\r\nConnection: close\r\n/i);
      expect(response).toContain('<Code>SignatureDoesNotMatch</Code>');
      socket.destroy();
    });

    it('is answered for each of 100 clients that read nothing before they have sent 8 MiB', async () => {
      const { head, beforeFile, rest } = written(refusedForm(8 * MIB));
      const post = async (): Promise<string> => {
        const socket = await oss.dial();
        socket.pause();
        socket.write(head);
        socket.write(beforeFile);
        await new Promise<void>((resolve, reject) => {
          socket.write(rest, (error) => (error ? reject(error) : resolve()));
        });
        return text(socket);
      };
      for (let round = 0; round < 10; round += 1) {
        const responses = await Promise.all(Array.from({ length: 10 }, post));
        for (const response of responses)
          expect(response).toContain('<Code>SignatureDoesNotMatch</Code>');
      }
    });

    it('is answered for each of 20 clients of node:http', async () => {
      const { body, headers } = writeForm(refusedForm(8 * MIB));
      const responses = await Promise.all(
        Array.from({ length: 20 }, () => oss.send({ method: 'POST', headers, body })),
      );
      expect(responses.map((response) => response.xml['Code'])).toEqual(
        Array(20).fill('SignatureDoesNotMatch'),
      );
    });

    it('is answered when it is a PUT, a form for an object, or a form of another type, all with a body', async () => {
      const body = Buffer.alloc(2 * MIB);
      const type = { 'Content-Type': 'application/octet-stream' };
      const responses = await Promise.all([
        oss.send({ method: 'PUT', path: '/key', headers: type, body }),
        oss.send({ method: 'POST', path: '/key', headers: type, body }),
        oss.send({ method: 'POST', path: '/', headers: type, body }),
      ]);
      expect(responses.map((response) => response.xml['Code'])).toEqual([
        'AccessDenied',
        'MethodNotAllowed',
        'RequestIsNotMultiPartContent',
      ]);
    });

    it('keeps the connection open when it was complete', async () => {
      const form = validForm();
      form.policy.conditions = [['content-length-range', 9, 20]];
      const good = written(validForm());
      const bad = written(form);
      const socket = await oss.dial();
      for (const { head, beforeFile, rest } of [bad, good]) {
        socket.write(Buffer.concat([Buffer.from(head), beforeFile, rest]));
        const response = await readUntil(socket, /<\/Error>|204/);
        expect(response).not.toMatch(/Connection: close/i);
      }
      socket.destroy();
    });

    it('is answered before the file when Content-Length proves that the file is too large', async () => {
      const { head, beforeFile } = written(largeForm(MIB + 65_537, MIB));
      const socket = await oss.dial();
      socket.write(head);
      socket.write(beforeFile);
      const response = await readUntil(socket, /<\/Error>/);
      expect(response).toContain('<Code>EntityTooLarge</Code>');
      expect(response).toContain(`<MaxSizeAllowed>${String(MIB)}</MaxSizeAllowed>`);
      expect(response).toContain(`<ProposedSize>${String(MIB + 65_537)}</ProposedSize>`);
      socket.destroy();
    });

    it('is answered when the file exceeds the limit, if Content-Length does not prove it', async () => {
      const { head, beforeFile, rest } = written(largeForm(MIB + 65_536, MIB));
      const socket = await oss.dial();
      socket.write(head);
      socket.write(beforeFile);
      socket.write(rest.subarray(0, MIB + 1));
      const response = await readUntil(socket, /<\/Error>/);
      expect(response).toContain('<Code>EntityTooLarge</Code>');
      expect(response).toContain(`<ProposedSize>${String(MIB + 65_536)}</ProposedSize>`);
      socket.destroy();
    });

    it('is answered when a chunked file exceeds the limit', async () => {
      const { head, beforeFile } = written(largeForm(8, 7), {
        'Content-Length': '',
        'Transfer-Encoding': 'chunked',
      });
      const socket = await oss.dial();
      socket.write(head);
      for (const bytes of [beforeFile, Buffer.from('12345678')]) {
        socket.write(`${bytes.length.toString(16)}\r\n`);
        socket.write(bytes);
        socket.write('\r\n');
      }
      const response = await readUntil(socket, /<\/Error>/);
      expect(response).toContain('<Code>EntityTooLarge</Code>');
      expect(response).toContain('<ProposedSize>8</ProposedSize>');
      socket.destroy();
    });
  });

  describe('a request that goes on after its refusal', () => {
    it.each([
      ['bytes', { drainBytes: '100KiB', drainTime: '60s' }],
      ['time', { drainBytes: '1GiB', drainTime: '200ms' }],
    ] as const)('is closed at the limit of %s', async (_, limits) => {
      const short = await startOss({ ...limits, maxUpload: '1GiB' });
      const socket = await short.dial();
      socket.on('error', () => undefined);
      const { head, beforeFile } = written(refusedForm(8 * MIB), {
        'Content-Length': String(1000 * MIB),
      });
      socket.write(head);
      socket.write(beforeFile);
      const response = await readUntil(socket, /<\/Error>/);
      expect(response).toContain('<Code>SignatureDoesNotMatch</Code>');
      const closed = once(socket, 'close');
      const more = setInterval(() => socket.write(Buffer.alloc(20_000)), 5);
      await closed;
      clearInterval(more);
      await short.close();
    });
  });

  it('sends 100 Continue to a client that waits for it', async () => {
    const { body, headers } = writeForm(validForm());
    const request = requestHttp({
      port: oss.port,
      method: 'POST',
      headers: { ...headers, Expect: '100-continue', 'Content-Length': body.length },
    });
    request.flushHeaders();
    await once(request, 'continue');
    request.end(body);
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(204);
    response.resume();
  });

  it('accepts a chunked body', async () => {
    const { body, headers } = writeForm(validForm());
    const request = requestHttp({ port: oss.port, method: 'POST', headers });
    for (let at = 0; at < body.length; at += 50) request.write(body.subarray(at, at + 50));
    request.end();
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(204);
    response.resume();
    expect((await oss.read(KEY)).toString()).toBe('firmware');
  });

  it('stores a file larger than any buffer unchanged', async () => {
    const form = largeForm(0, 20 * MIB);
    form.file = Buffer.from(
      Array.from({ length: 5 * MIB + 7 }, (_, at) => (at * 31 + (at >> 9)) & 0xff),
    );
    expect((await oss.post(form)).status).toBe(204);
    expect((await oss.read(KEY)).equals(form.file)).toBe(true);
    const boundaries = Buffer.from(
      `${'x'.repeat(65_500)}\r\n--bOuNdAr\r\n--bOuNdArX\r\n`.repeat(40),
    );
    form.file = boundaries;
    expect((await oss.post(form)).status).toBe(204);
    expect((await oss.read(KEY)).equals(boundaries)).toBe(true);
  });

  describe('a client that closes the connection', () => {
    it.each([
      ['in a field', (body: Buffer) => body.subarray(0, 100)],
      [
        'in the headers of the file',
        (body: Buffer) => body.subarray(0, body.indexOf('octet-stream')),
      ],
      ['in the file', (body: Buffer) => body.subarray(0, -MIB)],
      ['before the closing boundary', (body: Buffer) => body.subarray(0, -16)],
      ['in the closing boundary', (body: Buffer) => body.subarray(0, -5)],
    ])('stores nothing: closed %s', async (_, cut) => {
      const form = largeForm(3 * MIB, 10 * MIB);
      form.fields.set('key', 'vanished');
      form.policy.conditions = [['eq', '$key', 'vanished']];
      const { head, beforeFile, rest } = written(form);
      for (const end of ['destroy', 'resetAndDestroy', 'end'] as const) {
        const socket = await oss.dial();
        socket.on('error', () => undefined);
        socket.write(head);
        await new Promise((resolve) =>
          socket.write(cut(Buffer.concat([beforeFile, rest])), resolve),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket[end]();
        socket.resume();
        await once(socket, 'close');
      }
      // The gateway has noticed each closed connection, so no reader waits for more.
      await until(() => oss.departures.length === 3);
      await until(async () => (await oss.uncommitted()) === 0);
      expect(await oss.stored('vanished')).toBeUndefined();
    });

    it('does not disturb others after it has sent only the head', async () => {
      const socket = await oss.dial();
      socket.write(written(validForm()).head);
      await new Promise((resolve) => setTimeout(resolve, 20));
      socket.resetAndDestroy();
      await once(socket, 'close');
      await until(() => oss.departures.length === 1);
      expect((await oss.post(validForm())).status).toBe(204);
    });
  });
});

describe('PostObject on a disk that fails', () => {
  it.each([
    ['at once', 0],
    ['in the middle', 3 * MIB],
  ])('responds with 500 without the cause, and logs it: fails %s', async (_, after) => {
    const failure = new Error('ENOSPC: secret path');
    const rest: Omit<ObjectStore, 'put'> = {
      commit: () => Promise.resolve(),
      discard: () => Promise.resolve(),
      release: () => undefined,
      uncommitted: () => Promise.resolve([]),
      digest: () => Promise.reject(failure),
      open: () => Promise.resolve(undefined),
      stat: () => Promise.resolve(undefined),
      delete: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const store: ObjectStore = {
      ...rest,
      put: async (_locator, bytes) => {
        let size = 0;
        for await (const chunk of bytes) {
          size += chunk.length;
          if (size > after) break;
        }
        throw failure;
      },
    };
    const oss = await startOss({ parts: { store }, drainBytes: '16MiB' });
    const response = await oss.post(largeForm(8 * MIB, 10 * MIB));
    expect(response.status).toBe(500);
    expect(response.xml).toMatchObject({
      Code: 'InternalError',
      Message: 'We encountered an internal error. Please try again.',
    });
    expect(response.body).not.toContain('ENOSPC');
    expect(oss.errors).toEqual([{ requestId: response.xml['RequestId'], err: failure }]);
    await oss.close();
  });
});

describe('PostObject while its file waits', () => {
  it('holds one chunk of Node, and does not read ahead', async () => {
    const oss = await startOss();
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      oss.gateway.app(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    let refuse: (error: Error) => void = () => undefined;
    const putting = jest.spyOn(engineUnderTest().storeMethods, 'put').mockImplementationOnce(
      () =>
        new Promise((_, reject) => {
          refuse = reject;
        }),
    );
    const { head, beforeFile, rest } = written(largeForm(MIB, MIB));
    const socket = connect(port ?? 0, '127.0.0.1');
    socket.write(Buffer.concat([Buffer.from(head), beforeFile, rest]));
    await until(() => putting.mock.calls.length === 1);
    // Their answers come after what Node would have read meanwhile.
    for (let asked = 0; asked < 3; asked += 1)
      await fetch(`http://127.0.0.1:${String(port)}/_gateway/health/live`);
    const [request] = requests;
    expect(request?.socket.bytesRead).toBeLessThanOrEqual(
      64 * 1024 + (request?.readableHighWaterMark ?? 0),
    );
    refuse(new StoreUnavailable('full'));
    expect(await readUntil(socket, /<\/Error>/)).toContain('<Code>ServiceUnavailable</Code>');
    putting.mockRestore();
    socket.destroy();
    server.close();
    await oss.close();
  });
});

describe('PostObject while the store of the bodies does not answer', () => {
  it('responds with 503, so that the client tries again', async () => {
    const oss = await startOss();
    const failure = new StoreUnavailable('the store s3://secret does not answer');
    const putting = jest
      .spyOn(engineUnderTest().storeMethods, 'put')
      .mockRejectedValueOnce(failure);
    const response = await oss.post(validForm());
    putting.mockRestore();
    expect(response.status).toBe(503);
    expect(response.xml).toMatchObject({
      Code: 'ServiceUnavailable',
      Message: 'The store of the files cannot be used at this moment. Please try again later.',
    });
    expect(response.body).not.toContain('secret');
    expect((await oss.post(validForm())).status).toBe(204);
    await oss.close();
  });
});
