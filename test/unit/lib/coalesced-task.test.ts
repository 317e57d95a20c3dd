import { CoalescedTask } from '../../../src/lib/coalesced-task.ts';

describe('a coalesced task', () => {
  it('runs once for all callers that call during another run', async () => {
    const ends: (() => void)[] = [];
    const run = new CoalescedTask(() => new Promise((resolve) => ends.push(resolve)));
    const first = run.run();
    await new Promise(setImmediate);
    const others = [run.run(), run.run()];
    ends[0]?.();
    await first;
    await new Promise(setImmediate);
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await Promise.all(others);
    expect(ends).toHaveLength(2);
  });

  it('rejects all callers of a failed run, and continues with the next run', async () => {
    let count = 0;
    const run = new CoalescedTask(() => {
      count += 1;
      return count === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
    });
    const shared = [run.run(), run.run()];
    await expect(shared[0]).rejects.toThrow('no');
    await expect(shared[1]).rejects.toThrow('no');
    await expect(run.run()).resolves.toBeUndefined();
    await expect(run.drain()).resolves.toBeUndefined();
  });
});
