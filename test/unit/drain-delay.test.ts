import { createGateway } from '../../src/gateway.ts';
import type { Gateway } from '../../src/gateway.ts';
import { folderForEachTest } from '../support/suite.ts';

jest.mock('../../src/lib/timers.ts', () => ({
  ...jest.requireActual<object>('../../src/lib/timers.ts'),
  ...jest.requireActual<object>('../support/fakeable-timers.ts'),
}));

const DELAY = 60_000;
const folder = folderForEachTest();
let gateway: Gateway;
let url: string;

beforeEach(async () => {
  gateway = await createGateway({ dataDir: folder.path, port: 0, drainDelay: DELAY });
  ({ url } = await gateway.listen());
  jest.useFakeTimers({
    doNotFake: ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'],
  });
});

afterEach(async () => {
  jest.advanceTimersByTime(DELAY);
  jest.useRealTimers();
  await gateway.close();
});

/** Opens a connection of its own, as a balancer does. */
async function statusOf(path: string): Promise<number> {
  const response = await fetch(url + path, { headers: { connection: 'close' } });
  await response.arrayBuffer();
  return response.status;
}

it('is not ready from the stop on, and accepts connections until the delay has passed', async () => {
  expect(await statusOf('/_gateway/health/ready')).toBe(200);
  const closing = gateway.close();
  expect(await statusOf('/_gateway/health/ready')).toBe(503);
  await jest.advanceTimersByTimeAsync(DELAY - 1);
  expect(await statusOf('/_gateway/health/live')).toBe(200);
  expect(await statusOf('/ota/none')).toBe(403);
  await jest.advanceTimersByTimeAsync(1);
  await closing;
  await expect(statusOf('/_gateway/health/live')).rejects.toThrow();
});
