import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { postObject } from '../../../src/client/post-object.ts';
import { reachAnswering } from '../../../src/cli/answering.ts';
import { runCommand } from '../../../src/cli/run-command.ts';

jest.mock('../../../src/lib/timers.ts', () =>
  jest.requireActual('../../support/fakeable-timers.ts'),
);

const PACKAGE = ['--name', 'lamp', '--version', '1'];

async function listen(server: Server | HttpServer): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Lets time pass until something is over, at most so many seconds, with a turn of the event loop for each. */
async function within(seconds: number, running: Promise<unknown>): Promise<boolean> {
  const state = { isOver: false };
  const end = (): void => {
    state.isOver = true;
  };
  running.then(end, end);
  for (let second = 0; second < seconds && !state.isOver; second++) {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    jest.advanceTimersByTime(1000);
  }
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  return state.isOver;
}

describe('a gateway that accepts connections and stays silent', () => {
  const sockets = new Set<Socket>();
  let server: Server;
  let url = '';

  beforeEach(async () => {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined).resume();
    });
    url = await listen(server);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });

  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it.each([
    [['ls']],
    [['show', 'lamp']],
    [['explain']],
    [['explain', '-f', 'key=a']],
    [['url', 'lamp']],
    [['sign']],
    [['upload', __filename, ...PACKAGE]],
    [['claim', 'a', ...PACKAGE]],
    [['rm', 'lamp', '--yes']],
    [['purge']],
    [['trace']],
  ])('is reported by %j within 11 s', async (verb) => {
    let stderr = '';
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
      stderr += String(text);
      return true;
    });
    const keys = ['--access-key-id', 'a', '--access-key-secret', 'b'];
    const running = runCommand([...verb, '--endpoint', url, ...keys]);
    // The first call loads the modules of its command.
    await Promise.race([once(server, 'connection'), running]);
    expect(await within(11, running)).toBe(true);
    expect(await running).toBe(1);
    expect(stderr.replace('; nothing was deleted', '')).toBe(
      `${url} cannot be reached: the host does not answer. Check the network and the firewalls between this machine and the gateway\n`,
    );
  });

  it('ends an upload whose bytes were all sent', async () => {
    const posting = reachAnswering(url, ({ onProgress, signal }) =>
      postObject(
        url,
        [],
        { name: 'a', size: 1, bytes: [Buffer.from('a')] },
        { onProgress, signal },
      ),
    );
    expect(await within(16, posting)).toBe(true);
    await expect(posting).rejects.toMatchObject({ code: 'Unreachable' });
  });
});

describe('a request that takes long', () => {
  it('goes on while its gateway answers others, or while it makes progress', async () => {
    let probes = 0;
    const server = createHttpServer((_, response) => {
      probes += 1;
      response.end('{}');
    });
    const [busy, silent] = [await listen(server), 'http://127.0.0.1:9'];
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
    const endings: (() => void)[] = [];
    const ended = (): Promise<void> => new Promise((resolve) => endings.push(resolve));
    const slow = reachAnswering(busy, ended);
    const moving = reachAnswering(silent, async ({ onProgress }) => {
      const timer = setInterval(onProgress, 1000);
      await ended();
      clearInterval(timer);
    });
    expect(await within(60, Promise.race([slow, moving]))).toBe(false);
    for (const end of endings) end();
    await Promise.all([slow, moving]);
    expect(probes).toBeGreaterThan(3);
    jest.useRealTimers();
    server.close();
  });
});
