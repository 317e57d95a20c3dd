import { isFresh } from '../../../src/http/client-date.ts';
import { nonceExpiry, parseTimestamp } from '../../../src/http/call-date.ts';

const NOON = Date.UTC(2024, 3, 1, 12);
const MINUTE = 60_000;

it.each([
  ['2024-04-01T12:00:00Z', NOON],
  ['2024-02-29T23:59:59Z', Date.UTC(2024, 1, 29, 23, 59, 59)],
  ['2023-02-29T00:00:00Z', undefined],
  ['2024-04-31T00:00:00Z', undefined],
  ['2024-13-01T00:00:00Z', undefined],
  ['2024-04-01T24:00:00Z', undefined],
  ['2024-04-01T12:60:00Z', undefined],
  ['2024-04-01T12:00:00.000Z', undefined],
  ['2024-04-01T12:00:00+00:00', undefined],
  ['2024-04-01T12:00:00z', undefined],
  ['2024-04-01T12:00:00', undefined],
  ['2024-4-1T12:00:00Z', undefined],
  ['Mon, 01 Apr 2024 12:00:00 GMT', undefined],
  ['1711972800', undefined],
])('parses the timestamp %s', (text, time) => {
  expect(parseTimestamp(text)).toBe(time);
});

it.each([-15, -1, 0, 1, 15])(
  'keeps a nonce dated %d minutes off for longer than its call is fresh',
  (minutes) => {
    const timestamp = NOON + minutes * MINUTE;
    const expiry = nonceExpiry(timestamp, NOON);
    expect(isFresh(timestamp, [expiry])).toBe(false);
    expect(expiry).toBeLessThanOrEqual(NOON + 31 * MINUTE);
  },
);
