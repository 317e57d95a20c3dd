import { execFileSync } from 'node:child_process';
import { formFields } from '../../src/client/post-object.ts';
import { ACCOUNT_KEY } from '../support/built-gateway.ts';
import { md5Hex, patternBytes, sha256Hex } from '../support/bytes.ts';
import type { FormDialect } from '../support/form-dialects.ts';
import { CURL, FETCH, RECORDED_DIALECTS } from '../support/form-dialects.ts';
import type { SdkClient } from '../support/sdk-clients.ts';
import { SDK_CLIENTS } from '../support/sdk-clients.ts';
import { createPackage, downloadUrl, signForm } from '../support/sdk-loop.ts';
import { gatewayForSuite } from '../support/suite.ts';

/** Has every byte value, is not a multiple of a block size, and is too large to be hashed on the event loop. */
const FIRMWARE = patternBytes(1_500_001);

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('the complete loop, with real clients against the built program', () => {
  const gateway = gatewayForSuite();
  let packages = 0;

  const loop = async (sdk: SdkClient, dialect: FormDialect): Promise<void> => {
    const caller = { url: gateway.url, key: ACCOUNT_KEY };
    const grant = await signForm(sdk, caller, { FileSuffix: 'bin' });
    expect(grant.host).toBe(gateway.url);
    expect(grant.firmwareUrl).toBe(`${grant.host}/${grant.key}`);
    const form = {
      host: grant.host,
      fields: formFields(grant),
      bytes: FIRMWARE,
      folder: gateway.folder,
    };
    expect(await dialect.post(form)).toBe(200);
    packages += 1;
    const firmwareId = await createPackage(sdk, caller, {
      FirmwareName: `firmware-${String(packages)}`,
      DestVersion: '1.0.0',
      FirmwareUrl: grant.firmwareUrl,
      FirmwareSize: FIRMWARE.length,
      SignMethod: 'SHA256',
      FirmwareSign: sha256Hex(FIRMWARE),
    });
    const download = await fetch(await downloadUrl(sdk, caller, firmwareId));
    expect(download.status).toBe(200);
    expect(Buffer.from(await download.arrayBuffer()).equals(FIRMWARE)).toBe(true);
    expect(download.headers.get('etag')).toBe(`"${md5Hex(FIRMWARE).toUpperCase()}"`);
    expect(download.headers.get('content-md5')).toBe(
      Buffer.from(md5Hex(FIRMWARE), 'hex').toString('base64'),
    );
    expect(download.headers.get('x-oss-hash-crc64ecma')).toBe('2575323104741161683');
  };

  describe.each(SDK_CLIENTS)('$name', (sdk) => {
    it('signs, uploads, claims and downloads', () => loop(sdk, FETCH));
  });

  describe.each(RECORDED_DIALECTS)('$name', (dialect) => {
    it('sends a form that is stored byte for byte', async () => {
      const [sdk] = SDK_CLIENTS;
      if (sdk === undefined) throw new Error('there is no client');
      await loop(sdk, dialect);
    });
  });

  // A machine without curl runs only the recorded form of curl above; CI has curl installed.
  (hasCurl() ? it : it.skip)('stores a form of curl -F byte for byte', async () => {
    const [sdk] = SDK_CLIENTS;
    if (sdk === undefined) throw new Error('there is no client');
    await loop(sdk, CURL);
  });
});
