import { once } from 'node:events';
import { createServer } from 'node:net';
import type * as Kit from '../../src/testing/index.ts';
import { withRealTimers } from '../../src/lib/timers.ts';
import { runCli } from '../support/built-gateway.ts';

// The kit loads the gateway at the first start, and the gateway loads Express for the first request that needs it.

const load = (): typeof Kit => jest.requireActual<typeof Kit>('../../src/testing/index.ts');

describe('after a test runner has reset its modules', () => {
  it('the errors of the kit are those that it exports', async () => {
    const kit = load();
    jest.resetModules();
    await using gateway = await kit.startTestGateway();
    const wrong = { firmwareId: 'none' };
    await expect(gateway.api.queryOTAFirmware(wrong)).rejects.toBeInstanceOf(kit.ApiCallError);
    const refused = kit.startTestGateway({ maxUpload: 'x' });
    await expect(refused).rejects.toBeInstanceOf(kit.ConfigError);
    expect(new Error('x')).not.toBeInstanceOf(kit.ConfigError);
    expect(new Error('x')).not.toBeInstanceOf(kit.ApiCallError);
  });
});

describe('with fake timers', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  it.each([
    ['/_gateway/test/uploads/none', 404],
    ['/_gateway/test/uploads/none?wait=bogus', 400],
    ['/_gateway/test/none', 404],
  ])('%s is answered with %d', async (path, status) => {
    await using gateway = await load().startTestGateway({ testMode: true });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] });
    const headers = { host: 'localhost' };
    expect((await gateway.fetch(path, { headers })).status).toBe(status);
  });
});

describe('withRealTimers', () => {
  it('leaves the globals as they were, also one that was missing', () => {
    const found = Object.getOwnPropertyDescriptor(globalThis, 'setImmediate');
    Reflect.deleteProperty(globalThis, 'setImmediate');
    try {
      expect(withRealTimers(() => typeof setImmediate)).toBe('function');
      expect('setImmediate' in globalThis).toBe(false);
    } finally {
      if (found !== undefined) Object.defineProperty(globalThis, 'setImmediate', found);
    }
  });
});

describe('the command line', () => {
  it('fails when a server closes the connection at once', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `http://127.0.0.1:${String(port)}`;
    const keys = { OTA_GATEWAY_ACCESS_KEY_ID: 'a', OTA_GATEWAY_ACCESS_KEY_SECRET: 'b' };
    const args = ['upload', __filename, '--name', 'n', '--version', '1', '--endpoint', url];
    for (let n = 0; n < 3; n += 1) {
      const { code, stderr } = await runCli(args, keys);
      expect(code).toBe(1);
      expect(stderr).toContain('the connection was closed before the');
    }
    server.close();
  });
});
