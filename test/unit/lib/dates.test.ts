import fc from 'fast-check';
import { bySecond, toUtc } from '../../../src/lib/dates.ts';

describe('toUtc', () => {
  it('formats every time as Date does', () => {
    const times = fc.integer({ min: -8.64e15, max: 8.64e15 });
    fc.assert(
      fc.property(fc.array(times, { maxLength: 20 }), (some) => {
        expect(some.map(toUtc)).toEqual(some.map((time) => new Date(time).toISOString()));
      }),
    );
  });

  it('refuses a time that a Date cannot hold', () => {
    expect(() => toUtc(8.64e15 + 1000)).toThrow(RangeError);
  });
});

describe('bySecond', () => {
  it('formats a second once, and any number of seconds', () => {
    const format = jest.fn((second: Date) => second.toISOString());
    const text = bySecond(format);
    for (let second = 0; second < 100; second += 1) {
      expect(text(second)).toBe(new Date(second * 1000).toISOString());
      expect(text(second)).toBe(new Date(second * 1000).toISOString());
    }
    expect(format).toHaveBeenCalledTimes(100);
  });
});
