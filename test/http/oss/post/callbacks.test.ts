import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { BUCKET, validForm } from './form.ts';
import type { Form } from './form.ts';
import { startOss } from './start.ts';
import type { OssResponse, Oss } from './start.ts';

const KEY = 'dir/firmware.bin';
const MD5 = '74B5B5E9570EFC5C0553BB327CD41940';
const JSON_RESPONSE = '{"Status":"OK"}';

interface Call {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly httpVersion: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe('the callback of PostObject', () => {
  let oss: Oss;
  let server: Server;
  let port: number;
  let calls: Call[];
  let respond: (response: ServerResponse) => void;

  beforeAll(async () => {
    oss = await startOss({ callbackHosts: ['app.internal.test'] });
    server = createServer((request: IncomingMessage, response) => {
      const { method, url, httpVersion, headers } = request;
      text(request)
        .then((body) => {
          calls.push({ method, url, httpVersion, headers, body });
          respond(response);
        })
        .catch(() => response.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    port = address !== null && typeof address === 'object' ? address.port : 0;
  });

  beforeEach(() => {
    calls = [];
    respond = (response) => response.end(JSON_RESPONSE);
  });

  afterAll(async () => {
    expect(oss.errors).toEqual([]);
    server.closeAllConnections();
    server.close();
    await oss.close();
  });

  const post = (
    settings: Readonly<Record<string, unknown>>,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<OssResponse> => {
    const form: Form = validForm();
    const callback = {
      callbackUrl: `http://127.0.0.1:${String(port)}/done?a=b`,
      callbackBody: 'bucket=${bucket}',
      ...settings,
    };
    form.fields.set('callback', Buffer.from(JSON.stringify(callback)).toString('base64'));
    for (const [name, value] of Object.entries(fields)) form.fields.set(name, value);
    return oss.post(form);
  };

  it('replaces the response of the upload with that of the server', async () => {
    const response = await post(
      {},
      { success_action_status: '201', success_action_redirect: 'http://a.test' },
    );
    expect(response).toMatchObject({ status: 200, body: JSON_RESPONSE });
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(JSON_RESPONSE.length),
      etag: `"${MD5}"`,
    });
    expect(await oss.stored(KEY)).toBeDefined();
  });

  it('is a POST with the headers that OSS sends', async () => {
    await post({ callbackHost: 'app.test' });
    expect(calls).toEqual([
      {
        method: 'POST',
        url: '/done?a=b',
        httpVersion: '1.1',
        headers: {
          host: 'app.test',
          connection: 'close',
          'content-length': '15',
          'content-type': 'application/x-www-form-urlencoded',
          'user-agent': 'http-client/0.0.1',
        },
        body: `bucket=${BUCKET}`,
      },
    ]);
  });

  it.each([
    [
      'bucket=${bucket}&object=${object}&etag=${etag}',
      `bucket=${BUCKET}&object=dir%2Ffirmware.bin&etag=${MD5}`,
    ],
    ['size=${size}&mimeType=${mimeType}', 'size=8&mimeType=application%2Foctet-stream'],
    ['${imageInfo.height}|${imageInfo.width}|${imageInfo.format}|', '|||'],
    ['var=${x:var1}&none=${x:none}', 'var=a%20%26%20b&none='],
    [
      'crc64=${crc64}&md5=${contentMd5}',
      'crc64=5737800006686197648&md5=dLW16VcO%2FFwFU7syfNQZQA%3D%3D',
    ],
    ['operation=${operation}&ip=${clientIp}', 'operation=PostObject&ip=127.0.0.1'],
    ['${Bucket}${nothing}${}', ''],
    ['plain $bucket {bucket} $${bucket}', `plain $bucket {bucket} $${BUCKET}`],
  ])('fills in the variables of a form body: %s', async (callbackBody, expected) => {
    await post({ callbackBody }, { 'x:var1': 'a & b' });
    expect(calls.map((call) => call.body)).toEqual([expected]);
  });

  it('fills in the variables of a JSON body, with quotes', async () => {
    const callbackBody =
      '{"mimeType":${mimeType},"size":${size},"var":${x:var1},"h":${imageInfo.height}}';
    await post({ callbackBody, callbackBodyType: 'application/json' }, { 'X:Var1': 'a"b' });
    expect(calls[0]?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(calls[0]?.body ?? '')).toEqual({
      mimeType: 'application/octet-stream',
      size: 8,
      var: 'a"b',
      h: '',
    });
  });

  it('tries the URLs in order until one succeeds', async () => {
    const failing = 'http://127.0.0.1:1/';
    const response = await post({
      callbackUrl: `${failing};127.0.0.1:${String(port)}/second;http://localhost:${String(port)}/third`,
    });
    expect(response).toMatchObject({ status: 200, body: JSON_RESPONSE });
    expect(calls.map((call) => call.url)).toEqual(['/second']);
  });

  const UNREACHABLE =
    'Error status : -1. OSS can not connect to your callbackUrl, please check it.';
  it.each<[string, (response: ServerResponse) => void, string]>([
    [
      'status 502',
      (response) => response.writeHead(502, { 'Content-Length': '2' }).end('{}'),
      'Error status : 502.',
    ],
    [
      'status 201',
      (response) => response.writeHead(201, { 'Content-Length': '2' }).end('{}'),
      'Error status : 201.',
    ],
    [
      'a redirect',
      (response) => response.writeHead(302, { Location: '/', 'Content-Length': '2' }).end('{}'),
      'Error status : 302.',
    ],
    [
      'a body that is not JSON',
      (response) => response.end('OK'),
      'Response body is not valid json format.',
    ],
    ['nothing', (response) => response.end(), 'Response body is not valid json format.'],
    [
      'JSON after a byte order mark',
      (response) => response.end(`\u{FEFF}${JSON_RESPONSE}`),
      'Response body is not valid json format.',
    ],
    [
      'no length',
      (response) => {
        response.write('{');
        response.end('}');
      },
      'Error Status : 400.User server missing content-length.',
    ],
    [
      'more than 1 MiB',
      (response) => response.end(`"${'x'.repeat(1024 * 1024)}"`),
      'Response body is too large.',
    ],
    [
      'an incomplete response',
      (response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('{');
        setTimeout(() => response.destroy(), 20);
      },
      UNREACHABLE,
    ],
    ['a closed connection', (response) => response.destroy(), UNREACHABLE],
  ])('fails for %s, and the object stays stored', async (_, respondWith, message) => {
    respond = respondWith;
    const response = await post({});
    expect(response.status).toBe(203);
    expect(response.xml).toMatchObject({ Code: 'CallbackFailed', Message: message });
    expect(response.headers.etag).toBe(`"${MD5}"`);
    expect((await oss.read(KEY)).toString()).toBe('firmware');
  });

  it.each([301, 502])('fails with the EC of OSS for status %i', async (status) => {
    respond = (response) => response.writeHead(status, { 'Content-Length': '0' }).end();
    const response = await post({});
    expect(response.xml).toMatchObject({
      Message: `Error status : ${status}.`,
      EC: '0007-00000203',
    });
    expect(response.headers['x-oss-ec']).toBe('0007-00000203');
  });

  it('fails when no server listens, with the reason of the last URL', async () => {
    const response = await post({ callbackUrl: 'http://127.0.0.1:1/;http://[::1]:1' });
    expect(response.xml).toMatchObject({ Code: 'CallbackFailed', Message: UNREACHABLE });
  });

  it('is sent to a named host in any case', async () => {
    const response = await post({ callbackUrl: 'http://APP.internal.test:1/' });
    expect(response.status).toBe(203);
  });

  it('fails after five seconds', async () => {
    respond = () => undefined;
    const response = await post({});
    expect(response.xml).toMatchObject({ Code: 'CallbackFailed', Message: UNREACHABLE });
  }, 10_000);

  it('is not sent for a form that fails', async () => {
    expect((await post({}, { Signature: 'x' })).status).toBe(403);
    expect(calls).toEqual([]);
  });
});
