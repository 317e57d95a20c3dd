import { ManualClock } from '../../../src/lib/clock.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { Readiness } from '../../../src/ops/readiness.ts';

/** A readiness whose check fails with `error`, if it is set. */
function createReadiness() {
  const clock = new ManualClock(0);
  const state: { checks: number; error: Error | undefined; lines: string[] } = {
    checks: 0,
    error: undefined,
    lines: [],
  };
  const log = (_details: object, message: string): void => {
    state.lines.push(message);
  };
  const check = async (): Promise<void> => {
    state.checks += 1;
    if (state.error !== undefined) throw state.error;
    return Promise.resolve();
  };
  const logger = { ...silentLogger, info: log, error: log };
  return { clock, state, readiness: new Readiness(check, logger, clock) };
}

const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe('the readiness', () => {
  it('is checked at most once a second, however many ask', async () => {
    const { clock, readiness, state } = createReadiness();
    await Promise.all(Array.from({ length: 100 }, () => readiness.findProblem()));
    expect(state.checks).toBe(1);
    clock.advance({ milliseconds: 999 });
    await readiness.findProblem();
    expect(state.checks).toBe(1);
    clock.advance({ milliseconds: 1 });
    await readiness.findProblem();
    expect(state.checks).toBe(2);
  });

  it.each([
    ['SQLITE_FULL', 'diskFull'],
    ['ENOSPC', 'diskFull'],
    ['EDQUOT', 'diskFull'],
    ['SQLITE_READONLY', 'ledgerUnusable'],
  ])('has a problem while the check fails with %s: %s', async (code, reason) => {
    const { clock, readiness, state } = createReadiness();
    state.error = withCode(code);
    expect(await readiness.findProblem()).toMatchObject({ reason });
    clock.advance({ seconds: 1 });
    state.error = undefined;
    expect(await readiness.findProblem()).toBeUndefined();
  });

  it('is logged when it changes, and only then', async () => {
    const { clock, readiness, state } = createReadiness();
    for (const error of [undefined, withCode('EIO'), withCode('EIO'), undefined, undefined]) {
      state.error = error;
      await readiness.findProblem();
      clock.advance({ seconds: 1 });
    }
    expect(state.lines).toEqual(['not ready', 'ready again']);
  });
});
