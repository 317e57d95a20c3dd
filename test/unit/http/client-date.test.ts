import { isFresh } from '../../../src/http/client-date.ts';

const NOON = Date.UTC(2024, 3, 1, 12);
const MINUTE = 60_000;

describe('the date of a request', () => {
  it.each([
    [0, 0, true],
    [15, 60, true],
    [60, 15, true],
    [-15, 60, true],
    [60, -15, true],
    [15.001, -15.001, false],
  ])(
    'is compared with a clock %d minutes off and one %d minutes off: %p',
    (oneOff, otherOff, expected) => {
      const times = [NOON + oneOff * MINUTE, NOON + otherOff * MINUTE];
      expect(isFresh(NOON, times)).toBe(expected);
    },
  );

  it.each([
    [-15.001, false],
    [-15, true],
    [60, true],
    [60.001, false],
  ])('may be an hour old and is read %d minutes later: %p', (minutes, expected) => {
    expect(isFresh(NOON, [NOON + minutes * MINUTE], 60 * MINUTE)).toBe(expected);
  });
});
