import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  BUCKET_KEY,
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { exchange, readAnswer } from './exchange.ts';
import { formRequest, signPolicy } from './hostile-forms.ts';
import { openFiles, peakBytes } from './process-facts.ts';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const POLICY = Buffer.from(
  JSON.stringify({
    expiration: '2099-01-01T00:00:00.000Z',
    conditions: [{ bucket: 'iotx-ota' }, ['starts-with', '$callback', '']],
  }),
).toString('base64');

/** A form whose policy covers its callback. */
function form(
  key: string,
  settings: object,
  fields: Readonly<Record<string, string>> = {},
): Buffer {
  const all = Object.entries({
    key,
    policy: POLICY,
    OSSAccessKeyId: BUCKET_KEY.id,
    Signature: signPolicy(POLICY),
    callback: Buffer.from(JSON.stringify(settings)).toString('base64'),
    ...fields,
    file: 'x',
  });
  const parts = all.map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return formRequest('b', Buffer.from(`${parts.join('')}--b--\r\n`));
}

/** Less than the time that a callback waits for its response. */
const ENDED_LIMIT_MS = 4000;

describe('callbacks to a server that never responds', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;
  let server: Server;
  let url: string;
  const open = new Set<Socket>();
  let most = 0;

  beforeAll(async () => {
    server = createServer((socket) => {
      open.add(socket);
      most = Math.max(most, open.size);
      socket.on('error', () => undefined).on('close', () => open.delete(socket));
      socket.resume();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('not a TCP listener');
    url = `http://127.0.0.1:${String(address.port)}/`;
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'), {
      OTA_GATEWAY_CALLBACK_HOSTS: '127.0.0.1',
      OTA_GATEWAY_GRACE: '1s',
    });
  });

  afterAll(async () => {
    await gateway.stop();
    for (const socket of open) socket.destroy();
    server.close();
    await folder.remove();
  });

  it('with five URLs fail after ten seconds', async () => {
    const callbackUrl = Array(5).fill(url).join(';');
    const from = Date.now();
    const bytes = form('five', { callbackUrl, callbackBody: 'a' });
    const { received } = await exchange(gateway.port, bytes, 20_000);
    expect(readAnswer(received)?.body).toContain('<Code>CallbackFailed</Code>');
    expect(Date.now() - from).toBeLessThan(14_000);
  });

  it('cost no time and memory when their variables would make them very large', async () => {
    const from = Date.now();
    const before = peakBytes(gateway.pid);
    const settings = { callbackUrl: url, callbackBody: '${x:}'.repeat(700) };
    const bytes = form('expanded', settings, { 'x:': '"'.repeat(2 * MIB) });
    const { received } = await exchange(gateway.port, bytes, 20_000);
    expect(readAnswer(received)?.body).toContain('The length of callback body exceed max value.');
    expect(Date.now() - from).toBeLessThan(5000);
    expect(peakBytes(gateway.pid)).toBeLessThan(before + 100 * MIB);
  });

  it('run a hundred at a time, and end when their clients disconnect', async () => {
    const before = openFiles(gateway.pid);
    const stored = (await bodiesOnDisk(gateway.dataDir)).objects.length;
    most = 0;
    const clients = await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const bytes = form(`many/${String(n)}`, { callbackUrl: url, callbackBody: 'a' });
        const socket = connect(gateway.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(bytes);
        return socket;
      }),
    );
    // The gateway is idle: 300 connections wait, 100 of them for their callback, the others for their turn.
    await eventually(async () => {
      const { objects } = await bodiesOnDisk(gateway.dataDir);
      const isQuiet = openFiles(gateway.pid) <= before + 405;
      return objects.length >= stored + 300 && open.size === 100 && isQuiet;
    });
    expect(most).toBe(100);
    // A client that only ends its side can still read its response.
    for (const socket of clients) socket.resetAndDestroy();
    await eventually(() => openFiles(gateway.pid) <= before + 5, ENDED_LIMIT_MS);
  });

  it('do not delay the stop for longer than the grace time', async () => {
    const running = exchange(
      gateway.port,
      form('stop', { callbackUrl: Array(5).fill(url).join(';'), callbackBody: 'a' }),
      20_000,
    );
    const from = Date.now();
    const [socket] = await once(server, 'connection');
    const closed = once(socket, 'close');
    expect(await gateway.stop()).toBe(0);
    // The five URLs would take ten seconds.
    expect(Date.now() - from).toBeLessThan(8000);
    await Promise.all([closed, running]);
  });
});
