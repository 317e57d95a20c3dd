import { DiskObjectStore } from '../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../src/object-store/hashing/thread-hasher.ts';
import type { TestGateway } from '../../src/testing/index.ts';
import { startTestGateway } from '../../src/testing/index.ts';
import { temporaryFolder } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';

// A claim by SHA-256 answered 500 when its body was purged between the check of the row and the opening of the file.
it('refuses to claim an upload that is purged while its SHA-256 is computed', async () => {
  const folder = await temporaryFolder();
  const store = await DiskObjectStore.open(folder.path, new ThreadHasher());
  const armed: { gateway?: TestGateway } = {};
  const digest = store.digest.bind(store);
  store.digest = async (locator, algorithm) => {
    if (armed.gateway === undefined) return undefined;
    armed.gateway.clock.advance({ minutes: 61 });
    await armed.gateway.purgeUnclaimed();
    return digest(locator, algorithm);
  };
  const gateway = await startTestGateway({ parts: { store } });
  const grant = await gateway.api.generateOTAUploadURL({ fileSuffix: 'bin' });
  await gateway.postObject(grant, patternBytes(1024 * 1024));
  armed.gateway = gateway;
  const claim = gateway.api.createOTAFirmware({
    firmwareName: 'late',
    destVersion: '1',
    firmwareUrl: grant.firmwareUrl,
    signMethod: 'SHA256',
  });
  await expect(claim).rejects.toMatchObject({
    code: 'iot.firmware.InvalidFirmwareUrl',
    message: expect.stringContaining('purged') as string,
  });
  await gateway.close();
  await folder.remove();
});
