import { ManualClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Readiness } from '../../../src/ops/readiness.ts';

const READY = { problem: undefined, uploads: 'accepted' };

/** A readiness whose checks fail with the errors that are set. */
function createReadiness(limit?: number) {
  const clock = new ManualClock(0);
  const state: {
    checks: number;
    ledger: Error | undefined;
    store: Error | undefined;
    lines: string[];
  } = { checks: 0, ledger: undefined, store: undefined, lines: [] };
  const log = (_details: object, message: string): void => {
    state.lines.push(message);
  };
  const check = async (part: 'ledger' | 'store'): Promise<void> => {
    state.checks += 1;
    const error = state[part];
    if (error !== undefined) throw error;
  };
  const checks = { ledger: () => check('ledger'), store: () => check('store') };
  const logger = { ...silentLogger, info: log, error: log };
  return { clock, state, checks, readiness: new Readiness(checks, logger, clock, limit) };
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('the readiness', () => {
  it('is checked at most once a second, however many ask', async () => {
    const { clock, readiness, state } = createReadiness();
    await Promise.all(Array.from({ length: 100 }, () => readiness.report()));
    expect(state.checks).toBe(2);
    clock.advance({ milliseconds: 999 });
    await readiness.report();
    expect(state.checks).toBe(2);
    clock.advance({ milliseconds: 1 });
    await readiness.report();
    expect(state.checks).toBe(4);
  });

  it.each([
    ['SQLITE_FULL', 'diskFull'],
    ['ENOSPC', 'diskFull'],
    ['EDQUOT', 'diskFull'],
    ['SQLITE_READONLY', 'ledgerUnusable'],
  ])('has a problem while the ledger fails with %s: %s', async (code, reason) => {
    const { clock, readiness, state } = createReadiness();
    state.ledger = withCode(code);
    expect(await readiness.report()).toMatchObject({ problem: { reason } });
    clock.advance({ seconds: 1 });
    state.ledger = undefined;
    expect(await readiness.report()).toEqual(READY);
  });

  it.each(['EROFS', 'ENOENT', 'EACCES', 'EIO'])(
    'has a problem while the store fails with %s',
    async (code) => {
      const { readiness, state } = createReadiness();
      state.store = withCode(code);
      expect(await readiness.report()).toMatchObject({ problem: { reason: 'storeUnusable' } });
      expect(state.lines).toEqual(['not ready']);
    },
  );

  it('has no problem when only uploads are refused because the disk is nearly full', async () => {
    const { readiness, state } = createReadiness();
    state.store = withCode('ENOSPC');
    expect(await readiness.report()).toEqual({ problem: undefined, uploads: 'refused: disk' });
    expect(state.lines).toEqual([]);
  });

  it.each(['ledger', 'store'] as const)(
    'has a problem when the %s does not respond in time',
    async (part) => {
      const { checks, readiness } = createReadiness(1);
      checks[part] = () => new Promise<void>(() => undefined);
      expect(await readiness.report()).toMatchObject({ problem: { reason: `${part}Unusable` } });
    },
  );

  it('is logged when it changes, and only then', async () => {
    const { clock, readiness, state } = createReadiness();
    for (const error of [undefined, withCode('EIO'), withCode('EIO'), undefined, undefined]) {
      state.ledger = error;
      await readiness.report();
      clock.advance({ seconds: 1 });
    }
    expect(state.lines).toEqual(['not ready', 'ready again']);
  });
});

const succeed = (): Promise<void> => Promise.resolve();

it('names a store in the network, which does not decide whether it is ready', async () => {
  const store: { failingSince?: number } = {};
  const clock = new ManualClock(0);
  const checks = { ledger: succeed, store: succeed, failingSince: () => store.failingSince };
  const readiness = new Readiness(checks, silentLogger, clock);
  expect(await readiness.report()).toMatchObject({ problem: undefined, store: 'ok' });
  store.failingSince = 0;
  clock.advance({ milliseconds: 1000 });
  const failing = { problem: undefined, store: 'failing since 1970-01-01T00:00:00.000Z' };
  expect(await readiness.report()).toMatchObject(failing);
});

it('is not ready while the clock differs, and once it stops', async () => {
  const checks = {
    ledger: succeed,
    store: succeed,
    clock: () => Promise.reject(new Error('apart')),
  };
  const readiness = new Readiness(checks, silentLogger, { now: () => 0 });
  expect(await readiness.report()).toMatchObject({ problem: { reason: 'clockDiffers' } });
  readiness.stop();
  expect(await readiness.report()).toMatchObject({ problem: { reason: 'stopping' } });
});
