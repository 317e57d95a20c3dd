import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { GatewayOptions } from '../../../../src/config/config.ts';
import type { Gateway } from '../../../../src/gateway.ts';
import { ManualClock } from '../../../../src/lib/clock.ts';
import { BUCKET_KEY, NOW, addCondition, validForm, validFormV4, writeForm } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import { createGateway, openRecords } from '../../../support/gateways.ts';

const KEY = 'dir/firmware.bin';
const UNCOVERED = 'Invalid according to Policy: Extra input fields: callback';
const FORBIDDEN = 'Private address is forbidden to callback.';
const UNREACHABLE = 'Error status : -1. OSS can not connect to your callbackUrl, please check it.';

const VERSIONS = [
  ['1', validForm],
  ['4', validFormV4],
] as const;

interface Listening {
  readonly gateway: Gateway;
  readonly port: number;
  readonly close: () => Promise<void>;
}

const closers: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const close of closers) await close();
});

/** A gateway with the rules of `createGateway`, not of the test kit. */
async function startGateway(options: GatewayOptions): Promise<Listening> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ota-callbacks-'));
  const clock = new ManualClock(NOW);
  const gateway = await createGateway(
    {
      accessKeyId: 'testid',
      accessKeySecret: 'testsecret',
      ossAccessKeyId: BUCKET_KEY.id,
      ossAccessKeySecret: BUCKET_KEY.secret,
      port: 0,
      grace: '100ms',
      ...options,
      dataDir,
    },
    { clock, wallClock: clock, records: await openRecords() },
  );
  const { port } = await gateway.listen();
  const close = async (): Promise<void> => {
    await gateway.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  closers.push(close);
  return { gateway, port, close };
}

function withCallback(form: Form, settings: Readonly<Record<string, string>>): Form {
  const callback = { callbackBody: 'object=${object}', ...settings };
  form.fields.set('callback', Buffer.from(JSON.stringify(callback)).toString('base64'));
  return form;
}

function covered(form: Form): Form {
  addCondition(form, ['starts-with', '$callback', '']);
  return form;
}

/** Sends a form. @param missing - bytes that are announced but not sent */
async function begin(port: number, form: Form, missing = 0): Promise<Socket> {
  const { body, headers } = writeForm(form);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  const head = { Host: 'h', ...headers, 'Content-Length': String(body.length + missing) };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`POST / HTTP/1.1\r\n${lines.join('')}\r\n`);
  socket.write(body);
  return socket;
}

/** Posts a form, and announces more bytes than it sends: only an early refusal gets a response. */
async function refusalOf(port: number, form: Form): Promise<string> {
  const socket = await begin(port, form, 1000);
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('</Error>')) break;
  }
  socket.destroy();
  return text;
}

async function responseTo(port: number, form: Form): Promise<string> {
  const socket = await begin(port, form);
  const [chunk] = await once(socket, 'data');
  socket.destroy();
  return String(chunk);
}

describe('an application server', () => {
  let server: Server;
  let port: number;
  let requests: IncomingMessage[];
  let respond: (response: ServerResponse) => void;

  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      respond(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    port = address !== null && typeof address === 'object' ? address.port : 0;
  });

  beforeEach(() => {
    requests = [];
    respond = (response) => response.end('{}');
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const callbackTo = (host: string, path = '/'): Readonly<Record<string, string>> => ({
    callbackUrl: `http://${host}:${String(port)}${path}`,
  });

  describe('of a gateway with its default settings', () => {
    let listening: Listening;

    beforeAll(async () => (listening = await startGateway({})));

    it.each(VERSIONS)('is not called for a form of version %s', async (_, make) => {
      const form = withCallback(make(), callbackTo('127.0.0.1'));
      const response = await refusalOf(listening.port, form);
      expect(response).toMatch(/^HTTP\/1.1 403 /);
      expect(response).toContain(`<Message>${UNCOVERED}</Message>`);
      expect(response).toContain('<EC>0006-00000228</EC>');
      expect(requests).toEqual([]);
    });

    it.each(['127.0.0.1', 'localhost', '[::1]', '0.0.0.0', '2130706433', '[::ffff:127.0.0.1]'])(
      'is not called at %s, which is not named',
      async (host) => {
        const form = covered(withCallback(validForm(), callbackTo(host)));
        const response = await refusalOf(listening.port, form);
        expect(response).toContain(`<Message>${FORBIDDEN}</Message>`);
        expect(requests).toEqual([]);
      },
    );

    it('is not called for an empty field, which is not a callback', async () => {
      const form = validForm();
      form.fields.set('callback', '');
      expect(await responseTo(listening.port, form)).toMatch(/^HTTP\/1.1 204 /);
    });
  });

  describe('that is named', () => {
    let listening: Listening;

    beforeAll(
      async () => (listening = await startGateway({ callbackHosts: 'localhost,127.0.0.1' })),
    );

    it.each(VERSIONS)('is called when a policy of version %s covers it', async (_, make) => {
      const form = covered(withCallback(make(), callbackTo('localhost')));
      expect(await responseTo(listening.port, form)).toMatch(/^HTTP\/1.1 200 [^]*\{\}$/);
      expect(requests).toHaveLength(1);
    });

    it('is not called when the policy does not cover it', async () => {
      const form = withCallback(validForm(), callbackTo('localhost'));
      expect(await refusalOf(listening.port, form)).toContain(UNCOVERED);
    });

    it('does not receive the user name of the URL', async () => {
      const form = covered(withCallback(validForm(), callbackTo('root:secret@127.0.0.1')));
      expect(await responseTo(listening.port, form)).toMatch(/^HTTP\/1.1 200 /);
      expect(requests[0]?.headers).not.toHaveProperty('authorization');
      expect(requests[0]?.headers.host).toBe(`127.0.0.1:${String(port)}`);
    });

    it('cannot redirect the call', async () => {
      respond = (response) =>
        response.writeHead(307, { Location: '/elsewhere', 'Content-Length': '2' }).end('{}');
      const form = covered(withCallback(validForm(), callbackTo('localhost')));
      expect(await responseTo(listening.port, form)).toContain('Error status : 307.');
      expect(requests.map(({ url }) => url)).toEqual(['/']);
    });

    it('cannot make the client wait by switching protocols', async () => {
      respond = (response) => {
        response.socket?.end(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
        );
      };
      const form = covered(withCallback(validForm(), callbackTo('localhost')));
      expect(await responseTo(listening.port, form)).toContain(UNREACHABLE);
    });

    it.each(['localhost', '127.0.0.1'])('must not be the gateway itself: %s', async (host) => {
      const callbackUrl = `http://${host}:${String(listening.port)}/`;
      const form = covered(withCallback(validForm(), { callbackUrl }));
      expect(await refusalOf(listening.port, form)).toContain(FORBIDDEN);
    });

    it('is not called any longer after the client closes its connection', async () => {
      const called = new Promise<ServerResponse>((resolve) => (respond = resolve));
      const form = covered(withCallback(validForm(), callbackTo('localhost')));
      const socket = await begin(listening.port, form);
      const response = await called;
      const ended = once(response, 'close');
      // A client that has ended only its side may still read the response.
      socket.resetAndDestroy();
      await ended;
      expect(await listening.gateway.uploads.find(KEY)).toMatchObject({ state: 'stored' });
      // Less than the timeout of a callback, which is five seconds.
    }, 4000);
  });

  it('is not called when unsigned callbacks are allowed, but it is not named', async () => {
    const listening = await startGateway({ unsignedCallbacks: 'on' });
    const form = withCallback(validForm(), callbackTo('127.0.0.1'));
    expect(await refusalOf(listening.port, form)).toContain(FORBIDDEN);
  });

  it('is called without a condition when the operator allows it', async () => {
    const listening = await startGateway({ unsignedCallbacks: 'on', callbackHosts: '127.0.0.1' });
    const form = withCallback(validForm(), callbackTo('127.0.0.1'));
    expect(await responseTo(listening.port, form)).toMatch(/^HTTP\/1.1 200 /);
  });

  it('is not called after the gateway has stopped', async () => {
    const listening = await startGateway({ callbackHosts: 'localhost' });
    const called = new Promise<ServerResponse>((resolve) => (respond = resolve));
    const form = covered(withCallback(validForm(), callbackTo('localhost')));
    const socket = await begin(listening.port, form);
    socket.on('error', () => undefined);
    const ended = once(await called, 'close');
    await listening.close();
    await ended;
  }, 4000);
});

describe('a callback to the gateway itself', () => {
  it('does not reach the test controls, even from inside the process', async () => {
    const oss = await startOss({ testMode: true });
    closers.push(() => oss.close());
    await oss.post(validForm());
    const controls = `${String(oss.port)}/_gateway/test/reset`;
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const form = withCallback(validForm(), { callbackUrl: `http://${host}:${controls}` });
      expect((await oss.post(form)).xml).toMatchObject({ Message: FORBIDDEN });
    }
    const grant = await oss.gateway.api.generateOTAUploadURL();
    const settings = { callbackUrl: `http://localhost:${controls}`, callbackBody: 'a' };
    const callback = Buffer.from(JSON.stringify(settings)).toString('base64');
    const response = await oss.gateway.postObject(grant, 'x', { fields: { callback } });
    expect(response.body).toContain(FORBIDDEN);
    expect(await oss.stored(KEY)).toBeDefined();
  });
});

describe('a callback with too long a body', () => {
  it('is refused before the file is read, and nothing is stored', async () => {
    const oss = await startOss();
    closers.push(() => oss.close());
    const form = withCallback(validForm(), {
      callbackUrl: 'http://127.0.0.1:1/',
      callbackBody: '${x:}'.repeat(700),
    });
    form.fields.set('x:', 'v'.repeat(2 * 1024 * 1024));
    const response = await refusalOf(oss.port, form);
    expect(response).toMatch(/^HTTP\/1.1 400 /);
    expect(response).toContain('<Message>The length of callback body exceed max value.</Message>');
    expect(await oss.stored(KEY)).toBeUndefined();
    expect(await oss.uncommitted()).toBe(0);
  });

  it('is refused for the longest possible digests, before the object exists', async () => {
    const oss = await startOss();
    closers.push(() => oss.close());
    const callbackUrl = 'http://127.0.0.1:1/';
    // At most 72 bytes each.
    const fits = withCallback(validForm(), {
      callbackUrl,
      callbackBody: '${contentMd5}'.repeat(280),
    });
    expect((await oss.post(fits)).status).toBe(203);
    const type = `text/${'"'.repeat(1000)}`;
    const form = withCallback(validForm(), { callbackUrl, callbackBody: '${mimeType}'.repeat(40) });
    form.fields.set('x-oss-content-type', type);
    expect(await refusalOf(oss.port, form)).toContain('The length of callback body');
  });
});
