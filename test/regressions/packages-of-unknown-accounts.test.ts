import { silentLogger } from '../../src/lib/logger.ts';
import { createMemoryRecords } from '../../src/gateway.ts';
import { startTestGateway } from '../../src/testing/index.ts';

// After a change from the default account to an accounts file, all packages had disappeared.

it('warns about packages whose account is not configured, and still shows them to the operator', async () => {
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

it('does not warn when the accounts of all packages are configured', async () => {
  const records = createMemoryRecords();
  await using before = await startTestGateway({ parts: { records } });
  await before.seed({ state: 'claimed' });
  const warn = jest.fn();
  const after = await startTestGateway({ parts: { records, logger: { ...silentLogger, warn } } });
  await after.close();
  expect(warn).not.toHaveBeenCalled();
});
