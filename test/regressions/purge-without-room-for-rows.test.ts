import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createMemoryRecords } from '../../src/gateway.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// When the ledger could not be written, the purge ended after the first 64 bodies, so a full disk got too little space.
it('deletes the bytes of all bodies in purging while no row can be written, and counts them later', async () => {
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
  expect(await records.ledger.expireStored(now, now, now, uploads)).toHaveLength(uploads);

  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
  const confirming = jest.spyOn(records.ledger, 'confirmPurged').mockRejectedValue(full);
  await expect(gateway.purgeUnclaimed()).rejects.toBe(full);
  const left = await readdir(join(gateway.config.dataDir, 'objects'), { recursive: true });
  expect(left.filter((name) => name.includes('/'))).toEqual([]);

  confirming.mockRestore();
  expect(await gateway.purgeUnclaimed()).toMatchObject({ purged: uploads, failed: 0 });
});
