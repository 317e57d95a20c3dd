import { createConcurrencyLimit } from '../../../../src/oss/post-object/concurrency-limit.ts';

const never = new AbortController().signal;

describe('createConcurrencyLimit', () => {
  it('runs up to the limit at once, and starts the others in order', async () => {
    const runLimited = createConcurrencyLimit(2);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      runLimited(async () => {
        started.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        return n;
      }, never),
    );
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1]);
    ends[1]?.();
    await all[1];
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2]);
    ends[0]?.();
    await all[0];
    await new Promise(setImmediate);
    expect(started).toEqual([0, 1, 2, 3]);
    for (const end of ends) end();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('starts the next work after one has failed', async () => {
    const runLimited = createConcurrencyLimit(1);
    await expect(runLimited(() => Promise.reject(new Error('failed')), never)).rejects.toThrow(
      'failed',
    );
    expect(await runLimited(() => Promise.resolve('next'), never)).toBe('next');
  });

  it('rejects without starting the work when the signal is aborted', async () => {
    const runLimited = createConcurrencyLimit(1);
    let end = (): void => undefined;
    const first = runLimited(() => new Promise<void>((resolve) => (end = resolve)), never);
    const controller = new AbortController();
    const work = jest.fn();
    const second = runLimited(work, controller.signal);
    controller.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    await expect(runLimited(work, controller.signal)).rejects.toThrow('gone');
    end();
    await first;
    expect(work).not.toHaveBeenCalled();
    expect(await runLimited(() => Promise.resolve('next'), never)).toBe('next');
  });
});
