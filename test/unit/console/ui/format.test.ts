import { formatCountdown } from '../../../../src/console/ui/lib/format.ts';

it.each([
  [0, '0:00'],
  [-5000, '0:00'],
  [3_432_000, '57:12'],
  [3_600_000, '1:00:00'],
  [86_399_000, '23:59:59'],
  [2 * 86_400_000 + 5 * 3_600_000, '2 d 5 h'],
])('writes %d milliseconds that are left as %s', (milliseconds, text) => {
  expect(formatCountdown(milliseconds)).toBe(text);
});
