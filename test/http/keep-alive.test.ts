import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { TestGateway, TestGatewayOptions } from '../../src/testing/index.ts';
import { startTestGateway } from '../support/gateways.ts';

let gateway: TestGateway;

/** Sends a request over a new connection. @returns the connection, and the head of the response */
async function ask(options: TestGatewayOptions): Promise<{ socket: Socket; head: string }> {
  gateway = await startTestGateway(options);
  const { port } = await gateway.listen();
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /_gateway/health/live HTTP/1.1\r\nHost: h\r\n\r\n');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return { socket, head: String(bytes) };
}

afterEach(() => gateway.close());

describe('a connection between two requests', () => {
  it('is kept for longer than the 60 seconds for which proxies use it again', async () => {
    const { head, socket } = await ask({});
    expect(head).toMatch(/\r\nKeep-Alive: timeout=75\r\n/);
    socket.destroy();
  });

  it('is closed after a shorter idle time', async () => {
    const { socket } = await ask({ idleTimeout: '100ms' });
    await once(socket.resume(), 'close');
  });

  it('is kept for any time without an idle time', async () => {
    const { head, socket } = await ask({ idleTimeout: 0 });
    expect(head).not.toMatch(/\r\nKeep-Alive:/);
    expect(head).toMatch(/\r\nConnection: keep-alive\r\n/);
    socket.destroy();
  });

  it('is closed at once when the gateway stops', async () => {
    const { socket } = await ask({ idleTimeout: 0, grace: '60s' });
    await Promise.all([once(socket.resume(), 'close'), gateway.close()]);
  });
});
