import { createFaults } from '../../../src/gateway.ts';

const POST = 'PostObject';

describe('faults', () => {
  it('are found by a key with stars, also when the key is long', () => {
    const faults = createFaults();
    faults.always(POST, { code: 'InternalError' }, { key: '*a*a*a*a*a*a*b' });
    expect(faults.take({ operation: POST, key: 'a'.repeat(1023) })).toBeUndefined();
    expect(faults.take({ operation: POST, key: `${'a'.repeat(1022)}b` })).toBeDefined();
  });

  it('are found by a regular expression, without keeping its state', () => {
    const faults = createFaults();
    faults.always(POST, { code: 'InternalError' }, { key: /\.zip$/g });
    expect(faults.take({ operation: POST, key: 'a.zip' })).toBeDefined();
    expect(faults.take({ operation: POST, key: 'b.zip' })).toBeDefined();
    expect(faults.take({ operation: POST, key: 'a.bin' })).toBeUndefined();
  });

  it('wait for whole milliseconds', () => {
    const faults = createFaults();
    faults.next(POST, { delay: { seconds: 1 / 3 } });
    expect(faults.take({ operation: POST })).toEqual({ kind: 'delay', time: 333 });
  });

  it('wait for at most the longest time of a timer', () => {
    const faults = createFaults();
    faults.next(POST, { delay: { milliseconds: 2 ** 31 - 1 } });
    for (const days of [25, 1e300]) {
      const message = 'expected at most 2147483647 milliseconds';
      expect(() => faults.next(POST, { delay: { days } })).toThrow(`delay: ${message}`);
      expect(() => faults.next(POST, { stallAfter: 0, stallFor: { days } })).toThrow(message);
    }
  });

  it.each([NaN, Infinity, -1])('refuse the number %p', (number) => {
    const faults = createFaults();
    expect(() => faults.next(POST, { delay: { seconds: number } })).toThrow('delay.seconds: ');
    expect(() => faults.next(POST, { resetAfter: number })).toThrow('resetAfter: ');
    expect(() => faults.next(POST, { bytesPerSecond: number })).toThrow('bytesPerSecond: ');
  });

  it('are limited to a thousand when they are injected as JSON', () => {
    const faults = createFaults();
    const order = (): number => faults.inject({ operation: POST, code: 'InternalError' });
    for (let turn = 0; turn < 1000; turn += 1) order();
    expect(order).toThrow('there are 1000 faults already; cancel some');
    faults.cancel(1);
    expect(order()).toBe(1001);
  });
});
