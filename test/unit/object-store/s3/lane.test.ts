import { Lane } from '../../../../src/object-store/s3/lane.ts';
import { StoreUnavailable } from '../../../../src/uploads/unavailable.ts';

const never = new Promise<void>(() => undefined);

describe('a lane', () => {
  it('lets as many calls go on at once as it has room for, the others in their order', async () => {
    const lane = new Lane(2);
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const calls = [0, 1, 2, 3].map((n) =>
      lane.run(() => {
        begun.push(n);
        return new Promise<void>((end) => ends.push(end));
      }),
    );
    expect(begun).toEqual([0, 1]);
    ends[1]?.();
    await calls[1];
    expect(begun).toEqual([0, 1, 2]);
    for (const end of ends) end();
    await calls[2];
    expect(begun).toEqual([0, 1, 2, 3]);
  });

  it('gives the place of a call that has failed to the next one', async () => {
    const lane = new Lane(1);
    const failing = lane.run(() => Promise.reject(new Error('no')));
    const next = lane.run(() => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  it('refuses the calls that wait while none ends', async () => {
    const lane = new Lane(1, 5);
    lane.run(() => never).catch(() => undefined);
    await expect(lane.run(() => never)).rejects.toThrow(StoreUnavailable);
  });

  it('refuses all calls that wait when it is told to, and reports it', async () => {
    const reported: string[] = [];
    const lane = new Lane(1, undefined, ({ message }) => reported.push(message));
    lane.run(() => never).catch(() => undefined);
    const waiting = lane.run(() => never);
    lane.refuseWaiting('it is gone');
    expect(reported).toEqual(['it is gone']);
    await expect(waiting).rejects.toThrow('it is gone');
  });
});
