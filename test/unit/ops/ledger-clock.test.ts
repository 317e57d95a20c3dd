import type { Logger } from '../../../src/lib/logger.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { LedgerClock } from '../../../src/ops/ledger-clock.ts';

const NOW = 1_700_000_000_000;

function clockAhead(ahead: number, logger: Logger = silentLogger): LedgerClock {
  const ledger = { now: () => Promise.resolve(NOW - ahead) };
  return new LedgerClock(ledger, { now: () => NOW }, logger);
}

it.each([
  [1000, 0],
  [1001, 1],
  [-1001, 1],
])('logs %d ms between the clocks %d times', async (ahead, lines) => {
  const warn = jest.fn();
  await clockAhead(ahead, { ...silentLogger, warn }).compare();
  expect(warn).toHaveBeenCalledTimes(lines);
});

it('is not ready when the clocks differ by more than ten seconds', async () => {
  const far = clockAhead(-10_001);
  await expect(far.requireSame()).resolves.toBeUndefined();
  await far.compare();
  await expect(far.requireSame()).rejects.toThrow('-10001 ms ahead of the ledger');
  const near = clockAhead(10_000);
  await near.compare();
  await expect(near.requireSame()).resolves.toBeUndefined();
});

it('keeps what it knows while the ledger does not answer', async () => {
  const ledger = { now: () => Promise.reject(new Error('away')) };
  const clock = new LedgerClock(ledger, { now: () => NOW }, silentLogger);
  await clock.compare();
  expect(clock.ahead).toBe(0);
});
