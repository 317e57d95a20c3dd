import { SWEEP_INTERVAL_MS, dailySweep } from '../../../src/uploads/daily-sweep.ts';

const ledger = { disown: () => Promise.resolve(0) };
const { signal } = new AbortController();

function sweepAt(times: readonly number[], begin?: () => Promise<boolean>) {
  const sweep = jest.fn(() => Promise.resolve({ bodies: 0, disowned: 0, uploads: 0 }));
  const left = [...times];
  const job = dailySweep({
    ...{ sweep, ledger, orphanAge: 1, monotonic: () => left.shift() ?? 0 },
    shared: begin && { beginJob: begin },
  });
  return { sweep, job };
}

it('sweeps at the first run and then once a day', async () => {
  const { job, sweep } = sweepAt([0, SWEEP_INTERVAL_MS - 1, SWEEP_INTERVAL_MS]);
  await job(signal);
  await job(signal);
  expect(sweep).toHaveBeenCalledTimes(1);
  await job(signal);
  expect(sweep).toHaveBeenCalledTimes(2);
});

it('leaves the sweep to the gateway that has begun it', async () => {
  const { job, sweep } = sweepAt([0], () => Promise.resolve(false));
  await job(signal);
  expect(sweep).not.toHaveBeenCalled();
});
