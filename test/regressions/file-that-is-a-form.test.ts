import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { postObject } from '../../src/client/post-object.ts';

/** The client's boundary was a constant, so a file that is a form of the same client ended the form in its middle. */
describe('a file that is itself a form of our client', () => {
  it('does not contain the boundary of the form that posts it', async () => {
    const received: { type: string; body: Buffer }[] = [];
    const server = createServer((request, response) => {
      buffer(request).then(
        (body) => {
          received.push({ type: request.headers['content-type'] ?? '', body });
          response.end();
        },
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const post = (bytes: Buffer) =>
      postObject(`http://127.0.0.1:${String(port)}`, [['key', 'k']], {
        name: 'f',
        size: bytes.length,
        bytes: (async function* () {
          yield bytes;
        })(),
      });
    await post(Buffer.from('firmware'));
    const [first] = received;
    if (first === undefined) throw new Error('nothing was received');
    await post(first.body);
    server.closeAllConnections();
    server.close();

    const boundary = /boundary=(.+)$/.exec(received[1]?.type ?? '')?.[1] ?? '';
    expect(boundary).toMatch(/^-{4}ota-gateway-[0-9a-f]{32}$/);
    expect(first.body.includes(boundary)).toBe(false);
    const closings = received[1]?.body.toString('latin1').split(`--${boundary}`).length;
    // Before the field, before the file, and at the end.
    expect(closings).toBe(4);
  });
});
