import { z } from 'zod';

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['b', 1],
  ['kb', 1000],
  ['mb', 1000 ** 2],
  ['gb', 1000 ** 3],
  ['kib', 1024],
  ['mib', 1024 ** 2],
  ['gib', 1024 ** 3],
]);

/** @param units - what a unit is worth; a number without one is taken as it is */
function quantity(units: ReadonlyMap<string, number>, expected: string) {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const text = String(value);
    const [, digits, unit = ''] = /^(\d+(?:\.\d{1,6})?)([a-zA-Z]*)$/.exec(text) ?? [];
    const factor = unit === '' ? 1 : units.get(unit.toLowerCase());
    const exact = Number(digits) * (factor ?? NaN);
    const amount = Math.round(exact);
    // A fraction may be of any unit, as long as the whole is a number of milliseconds or bytes.
    if (Number.isSafeInteger(amount) && Math.abs(amount - exact) < 1e-6) return amount;
    context.addIssue({
      code: 'custom',
      message: `expected ${expected}, found ${JSON.stringify(text)}`,
    });
    return z.NEVER;
  });
}

const anyDuration = quantity(DURATION_UNITS, 'a duration such as 250ms, 60s, 60m, 24h or 7d');

/** Added to any date it must give one that can be written. */
const LONGEST_MS = 36_500 * 86_400_000;
/** What a timer can wait for; it fires at once when it is asked to wait longer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds, or text such as `250ms`, `60s`, `60m`, `24h`, `7d`; at most 100 years. */
export const duration = anyDuration.refine(
  (value) => value <= LONGEST_MS,
  'expected at most 36500d',
);
/** The same for what a timer waits for. */
export const timeout = anyDuration.refine(
  (value) => value <= LONGEST_TIMER_MS,
  'expected at most 24d',
);
/** Bytes, or text such as `10MiB` or `1GB`. */
export const size = quantity(SIZE_UNITS, 'a size such as 1048576, 10MiB or 1GB');

const LIMIT = 'expected a whole number from 1, or off';
const SIZE_LIMIT = 'expected a size such as 500MiB or 10GiB, or off';

/** The largest allowed number of something, as a number or as text; `off`: no limit. */
export const limit = z.union(
  [
    z.enum(['off']),
    z.int().min(1, LIMIT),
    z
      .string()
      .regex(/^[1-9]\d{0,14}$/)
      .transform(Number),
  ],
  { error: LIMIT },
);
/** The largest allowed number of bytes; `off`: no limit. */
export const sizeLimit = z.union([z.enum(['off']), size.refine((bytes) => bytes > 0, SIZE_LIMIT)], {
  error: SIZE_LIMIT,
});
