import { connect } from 'node:net';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { silentLogger } from '../../src/lib/logger.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { folderForEachTest } from '../support/suite.ts';
import { createGateway, startTestGateway } from '../support/gateways.ts';

interface Line {
  readonly level: string;
  readonly text: string;
  readonly [detail: string]: unknown;
}

const lines: Line[] = [];
const logger = {
  ...silentLogger,
  debug: (details: object, text: string) => lines.push({ level: 'debug', text, ...details }),
  info: (details: object, text: string) => lines.push({ level: 'info', text, ...details }),
};

/** Waits until there are so many lines of requests: each is written after the client has its response. */
async function linesOfRequests(count: number, level = 'info'): Promise<unknown[]> {
  while (requests(level).length < count) await setImmediate();
  return requests(level);
}

/** @returns the lines of requests without what differs between runs */
function requests(ofLevel: string): unknown[] {
  return lines
    .filter(({ dialect, level }) => dialect !== undefined && level === ofLevel)
    .map((line) => JSON.parse(JSON.stringify({ ...line, level: undefined, ms: undefined })));
}

describe('the log of requests', () => {
  let gateway: TestGateway;
  beforeEach(async () => {
    lines.length = 0;
    gateway = await startTestGateway({ parts: { logger } });
  });
  afterEach(() => gateway.close());

  it('has one line for each step of the life of an upload, with its states', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const grant = await gateway.api.generateOTAUploadURL();
    await gateway.postObject(grant, 'firmware', {
      headers: { traceparent: `00-${trace}-b7ad6b7169203331-01` },
    });
    await gateway.api.createOTAFirmware({
      firmwareName: 'demo',
      destVersion: '1.0.0',
      firmwareUrl: grant.firmwareUrl,
      firmwareSize: 8,
    });
    const { key } = grant;
    const requestId = expect.any(String);
    const [bytesIn, bytesOut] = [expect.any(Number), expect.any(Number)];
    const call = { requestId, dialect: 'iot', account: 'default', key, bytesIn, bytesOut };
    expect(await linesOfRequests(3)).toEqual([
      expect.objectContaining({
        ...call,
        ...{ text: 'GenerateOTAUploadURL: new -> issued', to: 'issued' },
      }),
      expect.objectContaining({
        ...{ text: 'PostObject: issued -> stored', from: 'issued', to: 'stored' },
        ...{ requestId, dialect: 'oss', traceId: trace, code: 'OK', status: 200, key },
      }),
      expect.objectContaining({
        ...call,
        ...{ text: 'CreateOTAFirmware: stored -> claimed', from: 'stored', to: 'claimed' },
      }),
    ]);
  });

  it.each(['dir/a?Signature=c2VjcmV0', 'dir/security-token=c2VjcmV0', 'a%3Fsignature%3Dc2VjcmV0'])(
    'has no signature and no token that stands in a key: %s',
    async (key) => {
      await gateway.fetch(`/${encodeURIComponent(key)}`);
      await gateway.fetch('/dir/plain=c2VjcmV0');
      const texts = (await linesOfRequests(2)).map((line) => JSON.stringify(line));
      expect(texts[0]).toMatch(/"key":"[^"]*(?:=|%3D)\.\.\."/);
      expect(texts[0]).not.toContain('c2VjcmV0');
      expect(texts[1]).toContain('"key":"dir/plain=c2VjcmV0"');
    },
  );

  it('has one line for each refused request, with the reason', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    await linesOfRequests(1);
    lines.length = 0;
    await gateway.postObject(grant, 'x', { fields: { signature: 'wrong' } });
    await gateway.fetch(`/${grant.key}`, {
      method: 'OPTIONS',
      headers: { origin: 'https://example.com', 'access-control-request-method': 'GET' },
    });
    await gateway.fetch('/?Action=QueryOTAFirmware');
    expect(await linesOfRequests(3)).toEqual([
      expect.objectContaining({
        text: 'PostObject: SignatureDoesNotMatch (signature_mismatch)',
        ...{ status: 403, key: grant.key, reason: 'signature_mismatch' },
      }),
      expect.objectContaining({ text: 'Preflight: AccessForbidden (cors)', status: 403 }),
      expect.objectContaining({
        text: 'QueryOTAFirmware: MissingVersion (parameter)',
        ...{ dialect: 'iot', status: 400 },
      }),
    ]);
  });

  it('cuts what a stranger sends in place of a key and an action', async () => {
    const grant = await gateway.api.generateOTAUploadURL();
    await linesOfRequests(1);
    lines.length = 0;
    await gateway.postObject(grant, 'x', { fields: { key: 'k'.repeat(1_000_000) } });
    await gateway.fetch(`/?Action=${'a'.repeat(50_000)}`);
    expect(JSON.stringify(await linesOfRequests(2)).length).toBeLessThan(3000);
  });

  it('shows no control characters in place of an action', async () => {
    await gateway.fetch('/?Action=%1B[2J%0Ahello');
    expect(await linesOfRequests(1)).toMatchObject([
      { text: '?[2J?hello: MissingVersion (parameter)' },
    ]);
  });

  it('has reads at the level debug', async () => {
    const { key } = await gateway.seed({ state: 'stored' });
    lines.length = 0;
    await (await gateway.fetch(gateway.downloadUrl(key))).text();
    expect(await linesOfRequests(1, 'debug')).toEqual([
      expect.objectContaining({ text: 'GetObject', key, bytesOut: 8 }),
    ]);
    expect(requests('info')).toEqual([]);
  });
});

describe('the log of connections', () => {
  const folder = folderForEachTest();

  it('has a line for bytes that are no request', async () => {
    lines.length = 0;
    await using gateway = await createGateway({ dataDir: folder.path, port: 0 }, { logger });
    const { port } = await gateway.listen();
    const socket = connect(port, '127.0.0.1').end('no request\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(await linesOfRequests(1)).toEqual([
      expect.objectContaining({ dialect: 'http', reason: 'not_http', status: 400 }),
    ]);
  });

  it('has the client that is gone before its upload is complete', async () => {
    lines.length = 0;
    await using gateway = await createGateway({ dataDir: folder.path, port: 0 }, { logger });
    const { port } = await gateway.listen();
    const socket = connect(port, '127.0.0.1');
    socket.write(
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n',
    );
    // The interim response says that the gateway reads the form.
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await linesOfRequests(1)).toEqual([
      expect.objectContaining({ operation: 'PostObject', status: 0 }),
    ]);
  });
});
