import { createConcurrencyLimit } from '../../../../src/oss/post-object/concurrency-limit.ts';

const never = new AbortController().signal;

describe('turns', () => {
  it('run so many at once, the first come first', async () => {
    const turns = createConcurrencyLimit(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [0, 1, 2, 3].map((n) =>
      turns(async () => {
        begun.push(n);
        await new Promise<void>((resolve) => ends.push(resolve));
        return n;
      }, never),
    );
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await all[1];
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2]);
    ends[0]?.();
    await all[0];
    await new Promise(setImmediate);
    expect(begun).toEqual([0, 1, 2, 3]);
    for (const end of ends) end();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
  });

  it('end with work that fails', async () => {
    const turns = createConcurrencyLimit(1);
    await expect(turns(() => Promise.reject(new Error('failed')), never)).rejects.toThrow('failed');
    expect(await turns(() => Promise.resolve('next'), never)).toBe('next');
  });

  it('are not waited for once the signal is aborted', async () => {
    const turns = createConcurrencyLimit(1);
    let end = (): void => undefined;
    const first = turns(() => new Promise<void>((resolve) => (end = resolve)), never);
    const controller = new AbortController();
    const work = jest.fn();
    const second = turns(work, controller.signal);
    controller.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    await expect(turns(work, controller.signal)).rejects.toThrow('gone');
    end();
    await first;
    expect(work).not.toHaveBeenCalled();
    expect(await turns(() => Promise.resolve('next'), never)).toBe('next');
  });
});
