import { createGateway, createMemoryRecords } from '../../src/gateway.ts';
import { temporaryFolder } from '../support/built-gateway.ts';

// A gateway with an injected ledger took no lock, so a second one in the same folder deleted the files of the first.

it('locks the data folder when the ledger is injected and the store is not', async () => {
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
