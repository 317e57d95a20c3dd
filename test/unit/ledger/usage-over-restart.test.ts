import { openRecords } from '../../../src/ledger/sqlite/records.ts';
import { SAMPLE_MS } from '../../../src/uploads/usage-history.ts';
import { aSample } from '../../contract/usage-history-contract.ts';
import { folderForSuite } from '../../support/suite.ts';

const folder = folderForSuite();

it('keeps the samples of the usage over a restart', async () => {
  const sample = aSample(Date.UTC(2024, 0, 1), 1);
  const before = openRecords({ dataDir: folder.path, minFree: 0 });
  await before.usage?.add(sample);
  await before.ledger.close();
  const after = openRecords({ dataDir: folder.path, minFree: 0 });
  const all = { after: 0, until: Number.MAX_SAFE_INTEGER, span: SAMPLE_MS };
  expect(await after.usage?.list(all)).toEqual([sample]);
  await after.ledger.close();
});
