import { CoalescedTask, forEachOf } from '../../../src/lib/tasks.ts';

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

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) yield await Promise.resolve(number);
}

describe('forEachOf', () => {
  it.each([
    ['a list', () => [0, 1, 2, 3, 4]],
    ['a generator', () => numbers(5)],
  ])('works on every item of %s, and on no more at once than it is told', async (_, items) => {
    const done: number[] = [];
    let [running, most] = [0, 0];
    await forEachOf<number>(items(), 2, async (item) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      done.push(item);
    });
    expect(done.sort()).toEqual([0, 1, 2, 3, 4]);
    expect(most).toBe(2);
  });

  it('throws the first error after the calls in progress have ended, and begins no other', async () => {
    const begun: number[] = [];
    const ended: number[] = [];
    const working = forEachOf(numbers(10), 2, async (item) => {
      begun.push(item);
      if (item === 0) throw new Error('no');
      await new Promise((resolve) => setImmediate(resolve));
      ended.push(item);
    });
    await expect(working).rejects.toThrow('no');
    expect(begun.length).toBeLessThanOrEqual(3);
    expect(ended).toEqual(begun.slice(1));
  });

  it('throws the error of what yields the items', async () => {
    const broken = (async function* () {
      yield* numbers(1);
      throw new Error('broken');
    })();
    await expect(forEachOf(broken, 2, () => Promise.resolve())).rejects.toThrow('broken');
  });
});
