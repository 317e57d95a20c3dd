import { createMemoryRecords } from '../../src/gateway.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// Two gateways with one ledger and one store both counted the bodies in `purging`, and both called the observers.

it('counts each body once, and calls the observers once for it', async () => {
  const records = createMemoryRecords();
  const seen: string[] = [];
  const observers = [{ purged: ({ key }: { key: string }) => seen.push(key) }];
  await using one = await startTestGateway({ parts: { records, observers } });
  const keys = [];
  for (let n = 0; n < 70; n += 1) keys.push((await one.seed({ state: 'purging' })).key);
  await using other = await startTestGateway({ parts: { records, observers } });
  const reports = await Promise.all([one.purgeUnclaimed(), other.purgeUnclaimed()]);
  expect(reports.reduce((sum, { purged }) => sum + purged, 0)).toBe(70);
  expect(seen.sort()).toEqual(keys.sort());
});
