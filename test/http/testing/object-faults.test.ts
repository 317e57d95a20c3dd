import { once } from 'node:events';
import { get } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { createBucketKey } from '../../../src/signatures/bucket-key.ts';
import { eventually } from '../../support/built-gateway.ts';
import { startTestGateway } from '../../support/gateways.ts';
import type { EngineGateway } from '../../support/gateways.ts';

const BYTES = 'firmware of a lamp';

let gateway: EngineGateway;

beforeEach(async () => {
  gateway = await startTestGateway({
    ossAccessKeyId: 'bucketid',
    ossAccessKeySecret: 'bucketsecret',
  });
});

afterEach(() => gateway.close());

const seed = () => gateway.seed({ state: 'stored', bytes: BYTES });

/** Makes a request for an object, signed with the bucket key in its header. */
function signedHeaders(
  method: string,
  key: string,
  ossHeaders: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const date = new Date(gateway.clock.now()).toUTCString();
  const lines = Object.entries(ossHeaders).map(([name, value]) => `${name}:${value}\n`);
  const text = `${method}\n\n\n${date}\n${lines.join('')}/iotx-ota/${key}`;
  const signature = createBucketKey('bucketid', 'bucketsecret').signRequestV1(text);
  return { ...ossHeaders, Date: date, Authorization: `OSS bucketid:${signature}` };
}

function send(
  method: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return gateway.fetch(`/${key}`, {
    method,
    headers: { ...headers, ...signedHeaders(method, key) },
  });
}

/** Asks for a range as the standard says, so that one outside the body is refused. */
function getRange(key: string, range: string): Promise<Response> {
  const headers = signedHeaders('GET', key, { 'x-oss-range-behavior': 'standard' });
  return gateway.fetch(`/${key}`, { headers: { ...headers, Range: range } });
}

async function put(url: string, key: string, body: string): Promise<number> {
  const headers = signedHeaders('PUT', key);
  return (await fetch(`${url}/${key}`, { method: 'PUT', headers, body: Buffer.from(body) })).status;
}

/** Reads a response over the network until it ends or breaks. */
async function receive(
  url: string,
): Promise<{ status?: number | undefined; text: string; error?: string }> {
  const request = get(url, { agent: false });
  try {
    const [response] = await once(request, 'response');
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    try {
      await once(response, 'end');
      return { status: response.statusCode, text };
    } catch (error) {
      return { status: response.statusCode, text, error: String(Object(error).code) };
    }
  } catch (error) {
    return { text: '', error: String(Object(error).code) };
  }
}

const timed = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work;
  return performance.now() - start;
};

describe('an injected refusal of an object request', () => {
  it.each([
    ['GET', 'GetObject', 'AccessDenied', 403],
    ['GET', 'GetObject', 'NoSuchKey', 404],
    ['GET', 'GetObject', 'InternalError', 500],
    ['HEAD', 'HeadObject', 'ServiceUnavailable', 503],
    ['DELETE', 'DeleteObject', 'InternalError', 500],
    ['PUT', 'PutObject', 'InternalError', 500],
  ])('answers %s with the error: %s, %s', async (method, operation, code, status) => {
    const { key } = await seed();
    gateway.faults.inject({ operation, code });
    const response = await send(method, key);
    expect(response.status).toBe(status);
    const text =
      method === 'HEAD'
        ? Buffer.from(response.headers.get('x-oss-err') ?? '', 'base64').toString()
        : await response.text();
    expect(text).toContain(`<Code>${code}</Code>`);
    expect(await (await gateway.fetch(gateway.downloadUrl(key))).text()).toBe(BYTES);
  });

  it('equals the real NoSuchKey, byte for byte', async () => {
    const issued = await gateway.seed({ state: 'issued' });
    const textOf = async (response: Response): Promise<string> =>
      (await response.text()).replace(/<RequestId>\w+</, '<RequestId>ID<');
    const real = await textOf(await gateway.fetch(issued.downloadUrl));
    await gateway.postObject(issued.grant, 'x');
    gateway.faults.next('GetObject', { code: 'NoSuchKey' });
    expect(await textOf(await gateway.fetch(issued.downloadUrl))).toBe(real);
  });

  it('equals the real InvalidRange, byte for byte', async () => {
    const { key } = await seed();
    const responseTo = async (range: string): Promise<unknown> => {
      const response = await getRange(key, range);
      const text = (await response.text()).replace(/<RequestId>\w+</, '<RequestId>ID<');
      return [response.status, text];
    };
    const real = await responseTo('bytes=100-');
    expect(real).toMatchObject([416, expect.stringContaining('InvalidRange')]);
    const details = { RangeRequested: 'bytes=100-' };
    gateway.faults.next('GetObject', { code: 'InvalidRange', details });
    expect(await responseTo('bytes=0-1')).toEqual(real);
  });

  it('equals the real SignatureDoesNotMatch in its elements', async () => {
    const { downloadUrl } = await seed();
    const real = await (await gateway.fetch(`${downloadUrl}x`)).text();
    gateway.faults.next('GetObject', { code: 'SignatureDoesNotMatch' });
    const injected = await (await gateway.fetch(downloadUrl)).text();
    const elements = (xml: string) => Array.from(xml.matchAll(/<(\w+)>/g), ([, name]) => name);
    expect(elements(injected)).toEqual(elements(real));
    const signed = (xml: string) => /<StringToSign>[^<]*/.exec(xml)?.[0];
    expect(signed(injected)).toBe(signed(real));
  });

  it.each(['GetObject', 'HeadObject', 'PutObject', 'DeleteObject'])(
    'exists for each code that %s can have, and no other',
    async (operation) => {
      const method = operation.replace('Object', '').toUpperCase();
      let listed = '';
      try {
        gateway.faults.inject({ operation, code: 'MalformedPOSTRequest' });
      } catch (error) {
        listed = String(error);
      }
      const codes = /has no error "MalformedPOSTRequest"; it has (.*)$/
        .exec(listed)?.[1]
        ?.split(', ');
      expect(codes?.length).toBeGreaterThan(8);
      const { key } = await seed();
      for (const code of codes ?? []) {
        gateway.faults.inject({ operation, code });
        const response = await send(method, key);
        const header = Buffer.from(response.headers.get('x-oss-err') ?? '', 'base64').toString();
        expect(header + (await response.text())).toContain(`<Code>${code}</Code>`);
      }
      expect(gateway.faults.list()).toEqual([]);
    },
  );

  it('does not hide an error of the request itself, and is not used up by it', async () => {
    const { downloadUrl, key } = await seed();
    gateway.faults.next('GetObject', { code: 'InternalError' });
    expect((await gateway.fetch(`/${key}`)).status).toBe(403);
    const headers = { 'If-Match': '"other"' };
    expect((await gateway.fetch(downloadUrl, { headers })).status).toBe(412);
    expect((await getRange(key, 'bytes=100-')).status).toBe(416);
    expect(gateway.faults.list()).toMatchObject([{ taken: 0 }]);
    expect((await gateway.fetch(downloadUrl)).status).toBe(500);
  });

  it('is only for the keys of its scope', async () => {
    const [one, two] = [await seed(), await seed()];
    gateway.faults.next('GetObject', { code: 'InternalError' }, { key: two.key });
    expect((await gateway.fetch(one.downloadUrl)).status).toBe(200);
    expect((await gateway.fetch(two.downloadUrl)).status).toBe(500);
  });
});

describe('a broken download', () => {
  it('is reset after the given bytes of the body', async () => {
    const { key } = await seed();
    const { url } = await gateway.listen();
    gateway.faults.next('GetObject', { resetAfter: 8 });
    const broken = await receive(gateway.downloadUrl(key, { url }));
    expect(broken).toMatchObject({ status: 200, error: 'ECONNRESET' });
    expect(BYTES.slice(0, 8).startsWith(broken.text)).toBe(true);
    expect(await receive(gateway.downloadUrl(key, { url }))).toEqual({ status: 200, text: BYTES });
  });

  it('is reset before its response', async () => {
    const { downloadUrl } = await seed();
    for (const fault of [{ resetAfter: 0 }, { loseAnswer: true }] as const) {
      gateway.faults.next('GetObject', fault);
      await expect(gateway.fetch(downloadUrl)).rejects.toMatchObject({ code: 'ECONNRESET' });
    }
    expect((await gateway.fetch(downloadUrl)).status).toBe(200);
  });

  it('leaves no file open', async () => {
    // Larger than what is kept in the journal, which stays open.
    const { downloadUrl } = await gateway.seed({ state: 'stored', bytes: Buffer.alloc(3_000_000) });
    for (const fault of [{ resetAfter: 0 }, { resetAfter: 3 }, { resetAfter: 100_000 }]) {
      gateway.faults.next('GetObject', fault);
      await expect(gateway.fetch(downloadUrl)).rejects.toThrow();
    }
    await eventually(() => gateway.openBodies() === 0);
  });

  it('resumes with a range', async () => {
    const { downloadUrl } = await seed();
    gateway.faults.next('GetObject', { resetAfter: 8 });
    await expect(gateway.fetch(downloadUrl)).rejects.toThrow();
    const rest = await gateway.fetch(downloadUrl, { headers: { Range: 'bytes=8-' } });
    expect([rest.status, await rest.text()]).toEqual([206, BYTES.slice(8)]);
  });

  it('is cut after bytes of the whole response', async () => {
    const { key } = await seed();
    const { url } = await gateway.listen();
    gateway.faults.next('GetObject', { truncateAnswerAfter: 12 });
    const broken = await receive(gateway.downloadUrl(key, { url }));
    expect(broken.error).toMatch(/^(ECONNRESET|HPE_INVALID_EOF_STATE)$/);
    expect(broken.text).toBe('');
  });

  it('stalls, and goes on after the given time', async () => {
    const { downloadUrl } = await seed();
    gateway.faults.next('GetObject', { stallAfter: 4, stallFor: { milliseconds: 80 } });
    expect(await timed(gateway.fetch(downloadUrl))).toBeGreaterThan(75);
    gateway.faults.next('GetObject', { stallAfter: 0, stallFor: { milliseconds: 80 } });
    expect(await timed(gateway.fetch(downloadUrl))).toBeGreaterThan(75);
  });

  it('stalls until the client gives up', async () => {
    const { key } = await seed();
    const { url } = await gateway.listen();
    gateway.faults.next('GetObject', { stallAfter: 4 });
    const request = get(gateway.downloadUrl(key, { url }), { agent: false });
    const [response] = await once(request, 'response');
    const [chunk] = await once(response, 'data');
    expect(String(chunk)).toBe(BYTES.slice(0, 4));
    response.on('error', () => undefined);
    request.destroy();
    expect(await receive(gateway.downloadUrl(key, { url }))).toMatchObject({ text: BYTES });
  });

  it('is not sent faster than the given rate', async () => {
    const { downloadUrl } = await gateway.seed({ state: 'stored', bytes: Buffer.alloc(10) });
    gateway.faults.next('GetObject', { bytesPerSecond: 50 });
    expect(await timed(gateway.fetch(downloadUrl))).toBeGreaterThan(190);
  });

  it.each(['GET', 'HEAD'])('is delayed: %s', async (method) => {
    const { key } = await seed();
    gateway.faults.inject({
      operation: method === 'GET' ? 'GetObject' : 'HeadObject',
      delay: { milliseconds: 80 },
    });
    expect(await timed(send(method, key))).toBeGreaterThan(75);
  });

  it('may be a HEAD, which is reset or loses its response', async () => {
    const { key } = await seed();
    for (const fault of [
      { resetAfter: 0 },
      { loseAnswer: true },
      { truncateAnswerAfter: 5 },
    ] as const) {
      gateway.faults.next('HeadObject', fault);
      await expect(send('HEAD', key)).rejects.toThrow();
    }
    expect((await send('HEAD', key)).status).toBe(200);
  });
});

describe('a broken PutObject', () => {
  it('is reset in the middle of its file, and stores nothing', async () => {
    const { key } = await gateway.seed({ state: 'issued' });
    const { url } = await gateway.listen();
    gateway.faults.next('PutObject', { resetAfter: 1024 });
    await expect(put(url, key, 'x'.repeat(1024 * 1024))).rejects.toThrow();
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'issued' });
  });

  it('loses its response, but not the file', async () => {
    const { key } = await gateway.seed({ state: 'issued' });
    const { url } = await gateway.listen();
    gateway.faults.next('PutObject', { loseAnswer: true });
    await expect(put(url, key, 'x')).rejects.toThrow();
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'stored' });
  });

  it('is read slowly', async () => {
    const { key } = await gateway.seed({ state: 'issued' });
    const { url } = await gateway.listen();
    gateway.faults.next('PutObject', { bytesPerSecond: 50 });
    expect(await timed(put(url, key, '0123456789'))).toBeGreaterThan(190);
    gateway.faults.next('PutObject', { stallAfter: 4, stallFor: { milliseconds: 80 } });
    expect(await timed(put(url, key, '0123456789'))).toBeGreaterThan(75);
    expect(await buffer(await downloaded(key))).toEqual(Buffer.from('0123456789'));
  });

  async function downloaded(key: string) {
    const { body } = await gateway.fetch(gateway.downloadUrl(key));
    if (body === null) throw new Error('no body');
    return body;
  }
});

describe('a broken DeleteObject', () => {
  it('is reset, and then deletes nothing', async () => {
    const { key } = await seed();
    gateway.faults.next('DeleteObject', { resetAfter: 0 });
    await expect(send('DELETE', key)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'stored' });
  });

  it('loses its response, but deletes the file', async () => {
    const { key } = await seed();
    gateway.faults.next('DeleteObject', { loseAnswer: true });
    await expect(send('DELETE', key)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await gateway.uploads.find(key)).toMatchObject({ state: 'purging' });
    expect((await send('DELETE', key)).status).toBe(204);
  });
});

describe('a fault that makes no sense', () => {
  const noFile = ': resetAfter and stallAfter must be 0, and bytesPerSecond does not apply';

  it.each([
    ['HeadObject', { resetAfter: 1 }, `HeadObject has no file${noFile}`],
    ['HeadObject', { bytesPerSecond: 1 }, `HeadObject has no file${noFile}`],
    ['DeleteObject', { stallAfter: 1 }, `DeleteObject has no file${noFile}`],
    ['GetObject', { code: 'EntityTooLarge' }, 'GetObject has no error "EntityTooLarge"; it has'],
    ['PutObject', { code: 'NoSuchKey' }, 'PutObject has no error "NoSuchKey"; it has'],
    ['DeleteObject', { code: 'NoSuchKey' }, 'DeleteObject has no error "NoSuchKey"; it has'],
    ['CopyObject', { loseAnswer: true }, 'there is no operation "CopyObject"; there are'],
    [
      'QueryOTAFirmware',
      { loseAnswer: true, key: 'a' },
      'only faults of PostObject, GetObject, HeadObject, PutObject, DeleteObject can have a key',
    ],
  ])('is refused with a sentence: %s %j', (operation, spec, message) => {
    expect(() => gateway.faults.inject({ operation, ...spec })).toThrow(message);
  });
});
