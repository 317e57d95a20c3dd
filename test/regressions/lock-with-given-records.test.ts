import { createGateway, createMemoryRecords } from '../../src/gateway.ts';
import { temporaryFolder } from '../support/built-gateway.ts';

// A gateway that was given its ledger took no lock, so a second one on the same folder deleted what it received.

it('keeps a second gateway out of the data folder when only the store is its own', async () => {
  const folder = await temporaryFolder();
  const options = { dataDir: folder.path };
  const first = await createGateway(options, { records: createMemoryRecords() });
  const second = createGateway(options, { records: createMemoryRecords() });
  await expect(second).rejects.toThrow(`another server uses the data folder ${folder.path}`);
  await first.close();
  const third = await createGateway(options, { records: createMemoryRecords() });
  await third.close();
  await folder.remove();
});
