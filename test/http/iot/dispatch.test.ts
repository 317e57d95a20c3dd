import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import express from 'express';
import request from 'supertest';
import { AccountDirectory } from '../../../src/accounts/accounts.ts';
import { createDispatcher } from '../../../src/app.ts';
import type { Surfaces } from '../../../src/app.ts';
import { createMemoryRecords } from '../../../src/gateway.ts';
import { createIotRouter } from '../../../src/iot/router.ts';
import { monotonicClock, wallClock } from '../../../src/lib/clock.ts';
import { randomIds } from '../../../src/lib/ids.ts';
import { LimitedLog } from '../../../src/lib/limited-log.ts';
import type { Logger } from '../../../src/lib/logger.ts';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { ActiveUploads } from '../../../src/uploads/active-uploads.ts';
import type { ObjectStore } from '../../../src/uploads/ports.ts';
import { unboundedMemory } from '../../support/memory.ts';
import { signV1, signV3 } from './api.ts';

const KEY = { id: 'testid', secret: 'testsecret' };
const LIMIT = 1024 * 1024;
const FORM = 'application/x-www-form-urlencoded';

const logged: [string, string][] = [];
const logger: Logger = {
  debug: (_, message) => logged.push(['debug', message]),
  info: (_, message) => logged.push(['info', message]),
  warn: (_, message) => logged.push(['warn', message]),
  error: (_, message) => logged.push(['error', message]),
};

const unused = (): never => {
  throw new Error('no operation of these tests reads or writes a body');
};
const store: ObjectStore = {
  put: unused,
  commit: unused,
  discard: unused,
  release: unused,
  uncommitted: unused,
  digest: unused,
  open: unused,
  stat: unused,
  delete: unused,
  close: async () => undefined,
};

const { ledger, nonces } = createMemoryRecords();
const bucketKey = createBucketKey('bucketid', 'bucketsecret');

/** Responds with 418 to requests that are for OSS. */
function createTestApp(): RequestListener {
  const iot = createIotRouter({
    uploads: {
      ledger,
      store,
      clock: wallClock,
      ids: randomIds,
      logger,
      observer: {},
      rules: {
        bucket: 'iotx-ota',
        policyTtl: 60_000,
        claimTtl: 3_600_000,
        maxUploadBytes: 1000,
        maxPackages: 500,
        issuedRetention: 1000,
        tombstoneRetention: 1000,
      },
      policySigner: { accessKeyId: 'bucketid', sign: (policy) => bucketKey.signPostV1(policy) },
      activeUploads: new ActiveUploads(),
    },
    limitedLog: new LimitedLog(logger, 'requests'),
    accounts: new AccountDirectory([{ id: 'account', accessKeys: [KEY] }]),
    bucketKey,
    nonces,
    quota: { take: async () => undefined },
    quotaRule: 'off',
    faults: undefined,
    wallClock,
    publicUrl: undefined,
    refusals: { report: () => false },
    console: true,
    recording: { observe: () => undefined, wallClock, monotonicClock },
    unsigned: unboundedMemory(),
  });
  const oss: Surfaces['oss'] = async (_request, response) => {
    response.writeHead(418).end();
  };
  return createDispatcher({ iot, oss, operator: unused, frontPage: unused }, logger);
}

const app = createTestApp();
const API = 400;
const BEHIND = 418;

beforeEach(() => {
  logged.length = 0;
});
afterAll(() => ledger.close());

describe('the recognition of API calls', () => {
  it.each([
    ['get', '/?Action=X', API],
    ['get', '/?AccessKeyId=X', API],
    ['get', '/?Signature=X', API],
    ['get', '/?Version=X', API],
    ['get', '/?Version', API],
    ['get', '/?a=b&%41ction=X', API],
    ['get', '/?a=%26Action', BEHIND],
    ['post', '/?Action=X', API],
    ['get', '/', BEHIND],
    ['post', '/', BEHIND],
    ['get', '/?action=X', BEHIND],
    ['get', '/?OSSAccessKeyId=X&Expires=1', BEHIND],
    ['get', '/key?Action=X', BEHIND],
    ['get', '/iotx-ota/?Action=X', BEHIND],
    ['post', '/iotx-ota?Action=X', BEHIND],
    ['head', '/?Action=X', BEHIND],
    ['options', '/?Action=X', BEHIND],
    ['put', '/?Action=X', BEHIND],
    ['delete', '/?Action=X', BEHIND],
  ] as const)('%s %s -> %i', async (method, target, status) => {
    const response = await request(app)[method](target);
    expect(response.status).toBe(status);
  });

  it.each([
    ['Action=X', API],
    ['a=b&Signature=', API],
    ['', BEHIND],
    ['a=b', BEHIND],
    ['%41ction=X', API],
  ])('responds to the urlencoded body %p with %i', async (body, status) => {
    const plain = await request(app).post('/').type(FORM).send(body);
    const labeled = await request(app)
      .post('/')
      .set('Content-Type', `${FORM.toUpperCase()} ; charset=utf-8`)
      .send(body);
    expect([plain.status, labeled.status]).toEqual([status, status]);
  });

  it('ignores a body of another type', async () => {
    const response = await request(app).post('/').type('text/plain').send('Action=X');
    expect(response.status).toBe(BEHIND);
  });

  it.each(['/', '/?Action=X&Signature=Y'])(
    'does not take a form posted to %s for a call',
    async (target) => {
      const form = request(app).post(target).field('Action', 'X');
      expect((await form).status).toBe(BEHIND);
    },
  );

  it('recognizes a V3 call by its headers', async () => {
    const { headers } = signV3('GenerateOTAUploadURL', {}, { key: KEY, time: wallClock.now() });
    expect((await request(app).post('/').set(headers)).status).toBe(200);
    const other = await request(app).post('/').set('Authorization', 'OSS a:b');
    expect(other.status).toBe(BEHIND);
  });

  it('does not take x-acs headers alone for a V3 call', async () => {
    const response = await request(app).get('/').set('x-acs-action', 'GenerateOTAUploadURL');
    expect(response.status).toBe(BEHIND);
  });
});

describe('a body', () => {
  it('is read up to 1 MiB, and refused with one byte more', async () => {
    const fits = `Version=${'x'.repeat(LIMIT - 8)}`;
    const read = await request(app).post('/?Format=JSON').type(FORM).send(fits);
    expect(read.body.Code).toBe('InvalidVersion');
    const refused = await request(app).post('/?Format=JSON').type(FORM).send(`${fits}x`);
    expect([refused.status, refused.body.Code]).toEqual([413, 'RequestBodyTooLarge']);
    expect(refused.headers['connection']).toBe('close');
  });

  it('is limited for other types, too', async () => {
    const response = await request(app)
      .post('/?Action=X&Format=JSON')
      .type('application/octet-stream')
      .send(Buffer.alloc(LIMIT + 1));
    expect(response.status).toBe(413);
  });

  describe('over a socket', () => {
    let server: Server;
    let socket: Socket;
    let received = '';

    beforeEach(async () => {
      received = '';
      server = createServer(app).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
      socket = connect(port, '127.0.0.1');
      socket.setEncoding('utf8').on('data', (text: string) => (received += text));
      await once(socket, 'connect');
    });
    afterEach(async () => {
      socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });

    const head = (...lines: string[]): string =>
      ['POST /?Format=JSON HTTP/1.1', 'Host: x', `Content-Type: ${FORM}`, ...lines, '', ''].join(
        '\r\n',
      );
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

    it('may come in chunks', async () => {
      const pairs = signV1(
        'GenerateOTAUploadURL',
        {},
        {
          key: KEY,
          time: wallClock.now(),
          method: 'POST',
          common: { Format: undefined },
        },
      );
      const body = new URLSearchParams(pairs).toString();
      socket.write(head('Transfer-Encoding: chunked', 'Connection: close'));
      socket.write(chunk(body.slice(0, 50)));
      socket.write(chunk(body.slice(50)) + chunk(''));
      await once(socket, 'close');
      expect(received).toContain('SignatureDoesNotMatch');
      expect(received).toContain('Format%3DJSON');
    });

    it('is refused at the limit when its chunks never end', async () => {
      socket.write(head('Transfer-Encoding: chunked'));
      const piece = chunk('x'.repeat(64 * 1024));
      socket.on('error', () => undefined);
      const timer = setInterval(() => socket.write(piece), 1);
      await once(socket, 'close');
      clearInterval(timer);
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
      expect(received).toContain('"Code":"RequestBodyTooLarge"');
    });

    it('is refused before it arrives when its announced length is too large', async () => {
      socket.write(head(`Content-Length: ${LIMIT + 1}`));
      await once(socket, 'data');
      expect(received).toMatch(/^HTTP\/1\.1 413 /);
    });

    it('gets no response and logs no error when its client disconnects', async () => {
      socket.write(`${head('Content-Length: 100')}Action=X`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.destroy();
      await once(socket, 'close');
      expect((await request(server).get('/?Action=X')).status).toBe(API);
      expect(logged.filter(([level]) => level !== 'debug')).toEqual([]);
      expect(received).toBe('');
    });

    it('gets 100 Continue when its client expects that', async () => {
      socket.write(head('Content-Length: 8', 'Expect: 100-continue'));
      await once(socket, 'data');
      expect(received).toMatch(/^HTTP\/1\.1 100 /);
      socket.write('Action=X');
      await once(socket, 'data');
      expect(received).toContain('MissingVersion');
    });

    it('may follow a request line with a whole URL', async () => {
      socket.write('GET http://iot.cn-shanghai.aliyuncs.com/?Action=X HTTP/1.1\r\nHost: x\r\n\r\n');
      await once(socket, 'data');
      expect(received).toContain('MissingVersion');
    });
  });

  it('has the parameters that a host application has parsed', async () => {
    const parsing = express().use(express.urlencoded({ extended: false }), app);
    const response = await request(parsing).post('/?Action=X').type(FORM).send('Version=X');
    expect(response.text).toContain('InvalidVersion');
  });
});
