import { call, createPackage } from './api.ts';
import { startTestGateway } from '../../support/gateways.ts';

const DAY = { days: 1 };

it('removes packages that are older than the operator keeps them, with their files', async () => {
  await using gateway = await startTestGateway({ claimedRetention: '2d' });
  const old = await createPackage(gateway);
  const [{ key } = { key: '' }] = (await gateway.uploads.packages())[0]?.files ?? [];
  gateway.clock.advance(DAY);
  const young = await createPackage(gateway);
  gateway.clock.advance(DAY);
  expect(await gateway.purgeUnclaimed()).toEqual({ purged: 1, failed: 0, bytes: 7, retired: 1 });
  expect((await gateway.uploads.packages()).map(({ id }) => id)).toEqual([young]);
  const found = await gateway.uploads.snapshot();
  expect(found.uploads.find((upload) => upload.key === key)).toMatchObject({
    state: 'purged',
    purgeReason: 'retired',
  });
  const { body } = await call(gateway, 'QueryOTAFirmware', { FirmwareId: old });
  expect(body.Code).toBe('iot.firmware.FirmwareNotFound');
  const again = { FirmwareName: 'again', DestVersion: '1', FirmwareUrl: `http://localhost/${key}` };
  expect((await call(gateway, 'CreateOTAFirmware', again)).body.ErrorMessage).toContain(
    'because its firmware package was older than this gateway keeps packages',
  );
});

it('keeps packages of any age unless the operator says otherwise', async () => {
  await using gateway = await startTestGateway();
  const id = await createPackage(gateway);
  gateway.clock.advance({ days: 10_000 });
  expect(await gateway.purgeUnclaimed()).toEqual({ purged: 0, failed: 0, bytes: 0 });
  expect((await gateway.uploads.packages()).map((found) => found.id)).toEqual([id]);
});
