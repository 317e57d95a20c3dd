import { silentLogger } from '../../src/lib/logger.ts';
import { createMemoryRecords } from '../../src/gateway.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// After a change from the one account of a simple installation to an accounts file all packages had vanished.

it('warns of packages whose account is not configured, and keeps them in the view of the operator', async () => {
  const records = createMemoryRecords();
  await using before = await startTestGateway({ parts: { records } });
  const { firmwareId } = await before.seed({ state: 'claimed' });
  const warn = jest.fn();
  const accounts = [{ id: 'acme', accessKeys: [{ id: 'acme-key', secret: 'secret' }] }];
  await using after = await startTestGateway({
    parts: { records, accounts, logger: { ...silentLogger, warn } },
  });
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(
    { accountId: 'default', packages: 1 },
    expect.stringContaining('is not configured'),
  );
  expect((await after.uploads.packages()).map(({ id }) => id)).toEqual([firmwareId]);
  expect(await after.api.listOTAFirmware()).toMatchObject({ total: 0 });
  expect(await after.uploads.setStatus(firmwareId ?? '', { status: 'verified' })).toBe(true);
});

it('warns of nothing when every owner is configured', async () => {
  const records = createMemoryRecords();
  await using before = await startTestGateway({ parts: { records } });
  await before.seed({ state: 'claimed' });
  const warn = jest.fn();
  const after = await startTestGateway({ parts: { records, logger: { ...silentLogger, warn } } });
  await after.close();
  expect(warn).not.toHaveBeenCalled();
});
