import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RequestListener } from 'node:http';
import { startListener } from '../../../src/http/listener.ts';
import { silentLogger } from '../../../src/lib/logger.ts';

const IDLE_MS = 300;

const OPTIONS = {
  host: '127.0.0.1',
  port: 0,
  idleTimeout: IDLE_MS,
  minUploadRate: 1_000_000,
  maxConnections: 10,
  maxUnsigned: 1e9,
  grace: 100,
  drainBytes: 1e6,
  drainTime: 100,
};

const BODY = Buffer.alloc(2_000_000, 1);

/** The client's own error has more details. */
const fail = (): void => undefined;

describe('a client that waits for the gateway', () => {
  const serve = async (handle: RequestListener): Promise<string> => {
    const listener = await startListener(handle, OPTIONS, silentLogger);
    try {
      const response = await fetch(listener.url, { method: 'POST', body: BODY });
      return await response.text();
    } finally {
      await listener.close();
    }
  };

  it('is not disconnected while its bytes are not read because the disk is slow', async () => {
    const answer = serve((request, response) => {
      sleep(4 * IDLE_MS)
        .then(() => buffer(request))
        .then(({ length }) => response.end(String(length)), fail);
    });
    expect(await answer).toBe(String(BODY.length));
  });

  it('is not disconnected while its response is prepared', async () => {
    const answer = serve((request, response) => {
      buffer(request)
        .then(() => sleep(4 * IDLE_MS))
        .then(() => response.end('done'), fail);
    });
    expect(await answer).toBe('done');
  });
});
