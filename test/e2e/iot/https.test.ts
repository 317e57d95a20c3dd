import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ACCOUNT_KEY, runCli, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { outcomeOf } from '../../support/sdk-families.ts';
import { gatewayForSuite } from '../../support/suite.ts';

// Needs openssl to create the certificate; CI has it installed.
describeWith('openssl', 'HTTPS with a certificate of a private authority', () => {
  let files: PrivateCa;
  const gateway = gatewayForSuite((folder) => {
    files = createPrivateCa(folder);
    return startBuiltGateway(join(folder, 'data'), {
      OTA_GATEWAY_TLS_CERT: files.certFile,
      OTA_GATEWAY_TLS_KEY: files.keyFile,
    });
  });

  it.each(SDK_CLIENTS)('returns https addresses to $name', async (sdk) => {
    expect(gateway.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const caller = { url: gateway.url, key: ACCOUNT_KEY, ca: files.ca };
    expect(await sdk.call(caller, 'GenerateOTAUploadURL')).toMatchObject({
      Data: {
        Host: gateway.url,
        FirmwareUrl: expect.stringContaining(`${gateway.url}/ota/`) as unknown,
      },
      Success: true,
    });
  });

  it.each(SDK_CLIENTS)('fails in $name without the certificate of the authority', async (sdk) => {
    const caller = { url: gateway.url, key: ACCOUNT_KEY };
    const outcome = await outcomeOf(sdk.call(caller, 'GenerateOTAUploadURL'));
    expect(outcome).toMatchObject({
      thrown: { message: expect.stringMatching(/certificate/) as unknown },
    });
  });

  it('uploads and downloads a file', async () => {
    const file = join(gateway.folder, 'firmware.bin');
    await writeFile(file, patternBytes(300_000));
    const upload = ['upload', file, '--name', 'tls', '--version', '1', '--endpoint', gateway.url];
    const environment = {
      NODE_EXTRA_CA_CERTS: files.caFile,
      OTA_GATEWAY_ACCESS_KEY_ID: ACCOUNT_KEY.id,
      OTA_GATEWAY_ACCESS_KEY_SECRET: ACCOUNT_KEY.secret,
    };
    const done = await runCli(upload, environment);
    expect(done).toMatchObject({ code: 0 });
    const [, url = ''] = /^Download {5}(https:\S+)$/m.exec(done.stdout) ?? [];
    const [response] = await once(get(url, { ca: files.ca, agent: false }), 'response');
    expect(response.statusCode).toBe(200);
    expect(await buffer(response)).toEqual(patternBytes(300_000));
  });
});
