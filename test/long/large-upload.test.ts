import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createOTAFirmware, queryDownloadUrl } from '../../src/client/api-client.ts';
import { formFields, postObject } from '../../src/client/post-object.ts';
import { startBuiltGateway, temporaryFolder } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { apiOf, grantFrom } from '../support/loop.ts';
import { peakBytes } from './reliability/process-facts.ts';

const MIB = 1024 * 1024;
const CHUNK = patternBytes(MIB + 1).subarray(0, MIB);

function* chunks(count: number): Generator<Buffer> {
  for (let n = 0; n < count; n += 1) yield CHUNK;
}

describe('a file of 1000 MiB', () => {
  it('is received, claimed by its SHA-256 and delivered in less than 100 MiB of memory', async () => {
    const folder = await temporaryFolder();
    const gateway = await startBuiltGateway(join(folder.path, 'data'));
    const idle = peakBytes(gateway.pid);
    const grant = await grantFrom(gateway.url);
    const file = { name: 'large.bin', size: 1000 * MIB, bytes: chunks(1000) };
    expect(await postObject(grant.host, formFields(grant), file)).toMatchObject({ status: 200 });

    const expected = createHash('sha256');
    for (const chunk of chunks(1000)) expected.update(chunk);
    const sha256 = expected.digest('hex');
    const firmwareId = await createOTAFirmware(apiOf(gateway.url), {
      FirmwareName: 'large',
      DestVersion: '1',
      FirmwareUrl: grant.firmwareUrl,
      SignMethod: 'SHA256',
      FirmwareSign: sha256,
    });
    const url = await queryDownloadUrl(apiOf(gateway.url), { FirmwareId: firmwareId });
    const { body } = await fetch(url);
    const received = createHash('sha256');
    for await (const chunk of body ?? []) received.update(chunk);
    expect(received.digest('hex')).toBe(sha256);
    expect(peakBytes(gateway.pid) - idle).toBeLessThan(100 * MIB);
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  }, 120_000);
});
