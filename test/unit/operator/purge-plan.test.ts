import { createMemoryRecords } from '../../../src/ledger/sqlite/records.ts';
import { ManualClock } from '../../../src/lib/clock.ts';
import { planPurge } from '../../../src/operator/purge-plan.ts';
import type { UploadRules } from '../../../src/uploads/dependencies.ts';
import { aBody } from '../../contract/upload-ledger-contract.ts';

const HOUR = 3_600_000;

it('plans also what lies behind the rows that one query searches', async () => {
  const { ledger } = createMemoryRecords();
  const clock = new ManualClock();
  const storedAt = clock.now() - 2 * HOUR;
  for (const key of ['old', 'new']) await ledger.recordStored(aBody(key, key, { storedAt }));
  const [newest] = (await ledger.findUploads({ limit: 1 })).uploads;
  if (newest === undefined) throw new Error('nothing was stored');
  // As when 100,000 rows were searched, twice: with one match, and without any.
  jest
    .spyOn(ledger, 'findUploads')
    .mockResolvedValueOnce({ uploads: [newest], searchedTo: newest.sequence })
    .mockResolvedValueOnce({ uploads: [], searchedTo: newest.sequence });
  const rules = { claimTtl: HOUR } as UploadRules;
  const { bytes, purged, uploads } = await planPurge({ clock, ledger, rules });
  expect({ bytes, purged }).toEqual({ bytes: 6, purged: 2 });
  expect(uploads?.map(({ key }) => key)).toEqual(['new', 'old']);
});
