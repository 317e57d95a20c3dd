import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryRecords } from '../../src/gateway.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// A ledger that could not be written ended the purge at the first 64 bodies, so a full disk got no room from the rest.
it('a purge that can write no row deletes the bytes of all that is purging, and counts them when it can', async () => {
  const records = createMemoryRecords();
  await using gateway = await startTestGateway({ parts: { records } });
  const uploads = 150;
  for (let n = 0; n < uploads; n += 1) {
    const bytes = (async function* () {
      yield await Promise.resolve(Buffer.from('firmware'));
    })();
    await gateway.uploads.deposit({ bytes });
  }
  const now = gateway.clock.now();
  expect(await records.ledger.expireStored(now, now, uploads)).toHaveLength(uploads);

  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const confirming = jest.spyOn(records.ledger, 'confirmPurged').mockRejectedValue(full);
  await expect(gateway.purgeUnclaimed()).rejects.toBe(full);
  const left = await readdir(join(gateway.config.dataDir, 'objects'), { recursive: true });
  expect(left.filter((name) => name.includes('/'))).toEqual([]);

  confirming.mockRestore();
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: uploads, failed: 0 });
});
