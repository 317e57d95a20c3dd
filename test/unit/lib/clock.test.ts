import {
  AdjustableClock,
  ManualClock,
  elapsedSince,
  toMilliseconds,
} from '../../../src/lib/clock.ts';
import type { Clock } from '../../../src/lib/clock.ts';

const LATEST = Date.UTC(9000, 0, 1);

/** The clocks that are moved by hand; each starts at the beginning of 2024. */
const KINDS = {
  ManualClock: () => new ManualClock(),
  AdjustableClock: () => new AdjustableClock(new ManualClock()),
  'stopped AdjustableClock': () => {
    const clock = new AdjustableClock(new ManualClock());
    clock.freeze();
    return clock;
  },
};

describe.each(Object.entries(KINDS))('a %s', (_name, create) => {
  it.each([{ seconds: 1 / 3 }, { milliseconds: 0.4 }, { days: -0.123456789 }, { hours: 1e-9 }])(
    'reads whole milliseconds after it is moved by %j',
    (duration) => {
      const clock = create();
      clock.advance(duration);
      expect(Number.isInteger(clock.now())).toBe(true);
    },
  );

  it('reads whole milliseconds after it is set to a fraction', () => {
    const clock = create();
    clock.set(1234.5);
    expect(clock.now()).toBe(1234);
  });

  it.each([0, LATEST])('can be set to %d', (time) => {
    const clock = create();
    clock.set(time);
    expect(clock.now()).toBe(time);
  });

  it.each([-1, LATEST + 1, 8.64e15, NaN, Infinity, -Infinity, new Date(NaN)])(
    'cannot be set to %p, and is not changed',
    (time) => {
      const clock = create();
      const before = clock.now();
      expect(() => {
        clock.set(time);
      }).toThrow(RangeError);
      expect(() => {
        clock.set(time);
      }).toThrow('the clock can stand from 1970-01-01T00:00:00.000Z to 9000-01-01T00:00:00.000Z');
      expect(clock.now()).toBe(before);
    },
  );

  it.each([{ days: 1e9 }, { days: -20_000 }, { hours: NaN }, { minutes: Infinity }])(
    'cannot be moved by %j, and is not changed',
    (duration) => {
      const clock = create();
      const before = clock.now();
      expect(() => {
        clock.advance(duration);
      }).toThrow(RangeError);
      expect(clock.now()).toBe(before);
    },
  );
});

it('starts a manual clock only within its range', () => {
  expect(() => new ManualClock(Date.UTC(1969, 0))).toThrow(RangeError);
});

describe('an adjustable clock', () => {
  const follow = (base: Clock, time: number): AdjustableClock => {
    const clock = new AdjustableClock(base);
    clock.set(time);
    return clock;
  };

  it('reads whole milliseconds of a clock that reads fractions', () => {
    const clock = new AdjustableClock({ now: () => 1000.75 });
    expect(clock.now()).toBe(1000);
  });

  it('stands still at the end of its range while the other clock continues', () => {
    let now = 1000;
    const clock = follow({ now: () => now }, LATEST - 1);
    now += 60_000;
    expect(clock.now()).toBe(LATEST);
  });

  it('stands still at the start of its range when the other clock is set back', () => {
    let now = Date.UTC(2024, 0);
    const clock = follow({ now: () => now }, 5);
    now = 0;
    expect(clock.now()).toBe(0);
  });
});

it.each([
  [{ seconds: 1 / 3 }, 333],
  [{ milliseconds: 0.5, seconds: 1 }, 1001],
  [{ minutes: -1.5 }, -90_000],
  [{}, 0],
])('converts the duration %j to %d ms', (duration, milliseconds) => {
  expect(toMilliseconds(duration)).toBe(milliseconds);
});

describe('the time since a reading', () => {
  it('is never negative, also when the clock was set back', () => {
    const clock = new ManualClock(10_000);
    clock.advance({ seconds: 1 });
    expect(elapsedSince(10_000, clock)).toBe(1000);
    clock.set(5000);
    expect(elapsedSince(10_000, clock)).toBe(0);
  });
});
