import { BodyMemory } from '../../../src/object-store/body-memory.ts';
import { StoreUnavailable } from '../../../src/uploads/unavailable.ts';

describe('the memory for bodies', () => {
  it('refuses a body that waits too long, and serves a smaller one behind it', async () => {
    const memory = new BodyMemory(10, 5);
    await memory.acquire(8);
    const large = memory.acquire(8);
    const small = memory.acquire(2);
    await expect(large).rejects.toThrow(StoreUnavailable);
    (await small).release();
  });

  it('refuses all bodies that wait when it is told to, and serves the next one', async () => {
    const memory = new BodyMemory(10);
    const first = await memory.acquire(8);
    const waiting = [memory.acquire(8), memory.acquire(2)];
    memory.refuseWaiting(new StoreUnavailable('the store stands still'));
    for (const each of waiting) await expect(each).rejects.toThrow('the store stands still');
    (await memory.acquire(2)).release();
    first.release();
  });

  it('serves a body that waits in time', async () => {
    const memory = new BodyMemory(10, 20_000);
    const first = await memory.acquire(8);
    const second = memory.acquire(8);
    first.release();
    (await second).release();
  });
});
