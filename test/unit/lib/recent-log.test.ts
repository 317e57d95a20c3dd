import { RecentLog } from '../../../src/lib/recent-log.ts';

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

it.each([0, 1, 999, 1000, 1001, 2500])('keeps the last 1000 of %d entries in order', (count) => {
  const log = new RecentLog<number>();
  for (const entry of upTo(count)) log.add(entry);
  expect(log.list()).toEqual(upTo(count).slice(-1000));
  log.clear();
  expect(log.list()).toEqual([]);
  log.add(7);
  expect(log.list()).toEqual([7]);
});
