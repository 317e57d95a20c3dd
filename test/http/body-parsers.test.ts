import { createServer, request as send } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { XMLParser } from 'fast-xml-parser';
import express from 'express';
import type { RequestHandler } from 'express';
import multer from 'multer';
import request from 'supertest';
import type { Response } from 'supertest';
import { silentLogger } from '../../src/lib/logger.ts';
import { ossV1StringToSign, signOssV1 } from '../../src/signatures/oss-v1.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { SDK_CLIENTS } from '../support/sdk-clients.ts';
import { signV1, signV3 } from './iot/api.ts';
import { startTestGateway } from '../support/gateways.ts';

/*
 * A gateway behind the body parsers of its host application, which read the body of a request first.
 */

const FORM = 'application/x-www-form-urlencoded';
const REASON =
  'it was read before it reached gateway.app. Mount the gateway before express.json() and other body parsers.';

const everything = { type: () => true, limit: '10mb' };
/** Drops every body, and leaves nothing. */
const dropBody: RequestHandler = (request, _response, next) => {
  request.resume().on('end', next);
};
/** Passes a request on after the first chunk, and lets the rest flow. */
const dropStart: RequestHandler = (request, _response, next) => {
  request.once('data', () => next());
};
/** Keeps the first chunk, and leaves the rest to be read. */
const keepStart: RequestHandler = (request, _response, next) => {
  request.once('readable', () => {
    request.read();
    next();
  });
};
/** Puts back what it has looked at. */
const peek: RequestHandler = (request, _response, next) => {
  request.once('readable', () => {
    const chunk: unknown = request.read();
    if (Buffer.isBuffer(chunk)) request.unshift(chunk);
    next();
  });
};
/** As older versions of body-parser do with a body of another type. */
const emptyBody: RequestHandler = (request, _response, next) => {
  request.body = {};
  next();
};
const keepBytes = (bytes: Buffer) => (request: object) => {
  Object.assign(request, { rawBody: bytes });
};

const PARSERS: Readonly<Record<string, RequestHandler>> = {
  'express.json': express.json(everything),
  'express.json of JSON': express.json(),
  'express.urlencoded': express.urlencoded({ extended: false }),
  'express.urlencoded extended': express.urlencoded({ extended: true }),
  'express.urlencoded with rawBody': express.urlencoded({
    extended: true,
    verify: (request, _response, bytes) => {
      keepBytes(bytes)(request);
    },
  }),
  'express.raw': express.raw(everything),
  'express.text': express.text(everything),
  'multer.any': multer().any(),
  'a reader that drops the body': dropBody,
  'a reader that drops its start': dropStart,
  'a reader that keeps the start': keepStart,
  'a reader that puts back what it has read': peek,
  'a parser that sets an empty body and reads nothing': emptyBody,
};

const warnings: string[] = [];
let gateway: TestGateway;

// A gateway for each test, because one logs at most ten such warnings in a second.
beforeEach(async () => {
  warnings.length = 0;
  const warn = (_: object, message: string): unknown => warnings.push(message);
  gateway = await startTestGateway({ parts: { logger: { ...silentLogger, warn } } });
});
afterEach(() => gateway.close());

function appBehind(name: string): RequestListener {
  const parser = PARSERS[name];
  if (parser === undefined) throw new Error(`no parser ${name}`);
  return express().use(parser, gateway.app);
}

async function listen(app: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server: Server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not a TCP server');
  return {
    url: `http://127.0.0.1:${String(address.port)}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function signedForm(overrides: Record<string, string> = {}): string {
  const { accessKey: key, clock } = gateway;
  const options = { key, time: clock.now(), method: 'POST' };
  return new URLSearchParams(signV1('GenerateOTAUploadURL', overrides, options)).toString();
}

const postForm = async (parser: string, body: string): Promise<Response> =>
  request(appBehind(parser)).post('/').type(FORM).send(body);

describe('an API call behind a body parser', () => {
  it.each(
    [
      'express.json of JSON',
      'express.urlencoded',
      'express.urlencoded extended',
      'express.urlencoded with rawBody',
      'express.raw',
      'multer.any',
      'a parser that sets an empty body and reads nothing',
    ].flatMap((parser) => SDK_CLIENTS.map(({ name }): [string, string] => [parser, name])),
  )('is served behind %s to %s', async (parser, name) => {
    const client = SDK_CLIENTS.find((each) => each.name === name);
    const readsPairs = /^express.urlencoded(?: extended)?$/.test(parser);
    await using server = await listen(appBehind(parser));
    const caller = { url: server.url, key: gateway.accessKey };
    const calling = client?.call(caller, 'GenerateOTAUploadURL', { FileSuffix: 'zip' });
    if (readsPairs && name === 'openapi-core, parameters in the body') {
      await expect(calling).rejects.toMatchObject({ code: 'IncompleteBody' });
      return;
    }
    expect(Object(await calling).Data.Key).toMatch(/\.zip$/);
  });

  it('is served behind express.text when its body is ASCII and has a length', async () => {
    const response = await postForm('express.text', signedForm({ FileSuffix: 'zip' }));
    expect(response.body).toMatchObject({
      Success: true,
      Data: { Key: expect.stringMatching(/zip$/) },
    });
  });

  it.each(['express.urlencoded', 'express.urlencoded extended'])(
    'keeps the values of a form exactly behind %s',
    async (parser) => {
      const { body } = await postForm(
        parser,
        signedForm({ 'a.1.B': ' +&=%ü固\u{1f4be}', empty: '' }),
      );
      expect(body).toMatchObject({ Success: true });
    },
  );

  it.each([
    ['a parsed form, which V3 does not sign', 'express.urlencoded'],
    ['a body of unknown bytes', 'a reader that drops the body'],
    ['the rest of a body', 'a reader that drops its start'],
    ['a form that is parsed as JSON', 'express.json'],
  ])('is refused plainly when all that is left is %s', async (_, parser) => {
    const { accessKey: key, clock } = gateway;
    const body = parser === 'express.json' ? '{"a":1}' : 'FileSuffix=zip';
    const signed = signV3('GenerateOTAUploadURL', {}, { key, time: clock.now(), body });
    const response = await request(appBehind(parser)).post('/').set(signed.headers).send(body);
    expect(response.status).toBe(400);
    expect(response.body).toMatchObject({
      Code: 'IncompleteBody',
      Message: `The body of the request is incomplete: ${REASON}`,
    });
    expect(warnings).toEqual([`the body of a request is lost: ${REASON}`]);
  });

  it('is refused in the dialect of the API when only its body could name it', async () => {
    const response = await postForm('a reader that drops the body', signedForm());
    expect(response.status).toBe(400);
    expect(new XMLParser().parse(response.text).Error).toMatchObject({
      Code: 'IncompleteBody',
      HostId: expect.stringContaining('127.0.0.1'),
      Recommend: expect.any(String),
    });
  });

  it.each([
    ['extended', 'a%5Bb%5D=1', 'IncompleteBody'],
    ['extended', 'a%5B%5D=1', 'IncompleteBody'],
    ['extended', 'a=1&a=2', 'InvalidParameter'],
    ['', 'a=1&a=2', 'InvalidParameter'],
    ['', 'Action=X&Action=Y', 'InvalidParameter'],
    ['', 'a%5Bb%5D=1', 'SignatureDoesNotMatch'],
    // Parsers drop this name, so it has no effect.
    ['', '__proto__=1', undefined],
    ['extended', '__proto__=1', undefined],
    ['extended', '__proto__%5Bx%5D=1', undefined],
    ['', 'constructor=1', 'SignatureDoesNotMatch'],
  ])(
    'behind express.urlencoded %s answers a form with %s added: %s',
    async (extended, more, code) => {
      const parser = extended === '' ? 'express.urlencoded' : 'express.urlencoded extended';
      const { body, text } = await postForm(parser, `${signedForm()}&${more}`);
      // Without the form, its Format is unknown, so the response is XML.
      expect(body.Code ?? new XMLParser().parse(text).Error?.Code).toBe(code);
      expect(Object.prototype).not.toHaveProperty('x');
    },
  );

  it('goes to the OSS host when its parsed form has no parameter of a call', async () => {
    const { text: xml } = await postForm('express.urlencoded', 'a=b');
    expect(xml).toContain('<Code>RequestIsNotMultiPartContent</Code>');
  });

  it('ignores a lost body of another type, which V1 does not sign', async () => {
    const response = await request(appBehind('express.json'))
      .post(`/?${signedForm()}`)
      .send({ a: 1 });
    expect(response.body.Success).toBe(true);
  });

  it('may be no larger than without the parser', async () => {
    await using server = await listen(appBehind('express.raw'));
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = send(`${server.url}/?Action=X`, {
        method: 'POST',
        headers: { 'Content-Type': FORM },
      });
      call.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('error', reject);
      // Two pieces, so that the body has no length.
      call.write(Buffer.alloc(1024 * 1024, 'x'));
      call.end('x');
    });
    expect(status).toBe(413);
  });
});

const BINARY = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256));
let count = 0;

function signedPut(key: string, headers: Readonly<Record<string, string>>): Record<string, string> {
  const { bucketKey, clock, config } = gateway;
  const date = new Date(clock.now()).toUTCString();
  const all = { ...headers, date };
  const call = {
    method: 'PUT',
    bucket: config.bucket,
    key,
    query: [],
    headers: new Map(Object.entries(all)),
  };
  const signature = signOssV1(bucketKey.secret, ossV1StringToSign(call, date));
  return { ...all, authorization: `OSS ${bucketKey.id}:${signature}` };
}

/** Puts an object. @returns the code of the refusal; undefined when the object has exactly the bytes */
async function put(
  parser: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>>,
): Promise<{ code: string | undefined; message?: string }> {
  count += 1;
  const key = `put/${String(count)}`;
  const response = await request(appBehind(parser))
    .put(`/${key}`)
    .set(signedPut(key, headers))
    .send(headers['content-type'] === JSON_TYPE ? String(bytes) : bytes);
  if (response.status !== 200) return errorOf(response);
  await expectObject(key, bytes);
  return { code: undefined };
}

function errorOf({ text: xml }: Response): { code: string; message: string } {
  const { Code: code, Message: message } = new XMLParser().parse(xml).Error;
  return { code, message };
}

async function expectObject(key: string, bytes: Buffer): Promise<void> {
  const upload = await gateway.uploads.find(key);
  expect(upload).toMatchObject({ state: 'stored', object: { size: bytes.length } });
  const { bucketKey, clock, config } = gateway;
  const date = new Date(clock.now()).toUTCString();
  const call = {
    method: 'GET',
    bucket: config.bucket,
    key,
    query: [],
    headers: new Map([['date', date]]),
  };
  const signature = signOssV1(bucketKey.secret, ossV1StringToSign(call, date));
  const authorization = `OSS ${bucketKey.id}:${signature}`;
  const response = await gateway.fetch(`/${key}`, { headers: { date, authorization } });
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
}

const lost = {
  code: 'IncompleteBody',
  message: `The body of the request is incomplete: ${REASON}`,
};
const stored = { code: undefined };
const JSON_TYPE = 'application/json';

describe('PutObject behind a body parser', () => {
  const zip = { 'content-type': 'application/zip' };
  const textOf = (charset: string) => ({ 'content-type': `text/plain; charset=${charset}` });

  it.each<[string, string, Buffer, Record<string, string>]>([
    ['bytes', 'express.raw', BINARY, zip],
    ['an empty body', 'express.raw', Buffer.alloc(0), zip],
    ['a text', 'express.text', Buffer.from('grün'), textOf('utf-8')],
    ['bytes', 'express.json of JSON', BINARY, zip],
    ['bytes', 'express.urlencoded', BINARY, zip],
    ['bytes', 'multer.any', BINARY, zip],
    ['bytes', 'a reader that puts back what it has read', BINARY, zip],
    ['bytes', 'a parser that sets an empty body and reads nothing', BINARY, zip],
  ])('stores %s behind %s', async (_, parser, bytes, headers) => {
    expect(await put(parser, bytes, headers)).toEqual(stored);
    expect(warnings).toEqual([]);
  });

  it.each<[string, string, Buffer, Record<string, string>]>([
    ['bytes', 'express.text', BINARY, zip],
    ['a text with a byte order mark', 'express.text', Buffer.from('\ufeffa'), textOf('utf-8')],
    ['a Latin-1 text', 'express.text', Buffer.from('\xe4', 'latin1'), textOf('latin1')],
    ['a text of another charset', 'express.text', Buffer.from('a'), textOf('gb18030')],
    ['JSON', 'express.json', Buffer.from('{"a": 1}'), { 'content-type': JSON_TYPE }],
    ['a form', 'express.urlencoded', Buffer.from('a=b'), { 'content-type': FORM }],
    ['gzip', 'express.raw', gzipSync('firmware'), { ...zip, 'content-encoding': 'gzip' }],
    ['bytes', 'a reader that drops the body', BINARY, zip],
    ['bytes', 'a reader that drops its start', BINARY, zip],
    ['bytes', 'a reader that keeps the start', BINARY, zip],
  ])('refuses %s plainly behind %s', async (_, parser, bytes, headers) => {
    expect(await put(parser, bytes, headers)).toEqual(lost);
    expect(warnings).toEqual([`the body of a request is lost: ${REASON}`]);
  });

  it('compares a Content-MD5 with the bytes that a parser has left', async () => {
    const headers = { ...zip, 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' };
    expect(await put('express.raw', Buffer.from('hello'), headers)).toEqual(stored);
    expect(await put('express.raw', Buffer.from('hallo'), headers)).toMatchObject({
      code: 'InvalidDigest',
    });
  });

  it('refuses a request without a signature because it has none', async () => {
    const app = appBehind('a reader that drops the body');
    expect(errorOf(await request(app).put('/k').send('x'))).toMatchObject({ code: 'AccessDenied' });
  });
});

async function postObject(
  parser: string,
  bytes: Buffer,
): Promise<{ key: string; response: Response }> {
  const grant = await gateway.api.generateOTAUploadURL();
  const response = await request(appBehind(parser))
    .post('/')
    .field(gateway.formFields(grant))
    .attach('file', bytes, 'firmware.bin');
  return { key: grant.key, response };
}

describe('PostObject behind a body parser', () => {
  it.each<[string, Buffer]>([
    ['express.raw', BINARY],
    ['express.text', Buffer.from('firmware')],
    ['express.json of JSON', BINARY],
    ['express.urlencoded', BINARY],
    ['a parser that sets an empty body and reads nothing', BINARY],
  ])('stores the file behind %s', async (parser, bytes) => {
    const { key, response } = await postObject(parser, bytes);
    expect(response.status).toBe(200);
    await expectObject(key, bytes);
  });

  it.each<[string, Buffer]>([
    ['multer.any', BINARY],
    ['express.text', BINARY],
    ['a reader that drops the body', BINARY],
    ['a reader that drops its start', BINARY],
  ])('refuses the form plainly behind %s', async (parser, bytes) => {
    const { response } = await postObject(parser, bytes);
    expect(response.status).toBe(400);
    expect(errorOf(response)).toEqual(lost);
    expect(warnings).toEqual([`the body of a request is lost: ${REASON}`]);
  });
});
