import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  runCli,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { createPrivateCa, hasOpenssl } from '../../support/private-ca.ts';
import { SDK_CLIENTS } from '../../support/sdk-clients.ts';
import { outcomeOf } from '../../support/sdk-families.ts';

// Without openssl there is no certificate to serve; CI has it installed.
(hasOpenssl() ? describe : describe.skip)('HTTPS with a certificate of a private authority', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let files: PrivateCa;
  let gateway: BuiltGateway;

  beforeAll(async () => {
    folder = await temporaryFolder();
    files = createPrivateCa(folder.path);
    gateway = await startBuiltGateway(join(folder.path, 'data'), {
      OTA_GATEWAY_TLS_CERT: files.certFile,
      OTA_GATEWAY_TLS_KEY: files.keyFile,
    });
  });

  afterAll(async () => {
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  });

  it.each(SDK_CLIENTS)('$name is given https addresses', async (sdk) => {
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

  it.each(SDK_CLIENTS)('$name trusts nobody it was not told to', async (sdk) => {
    const caller = { url: gateway.url, key: ACCOUNT_KEY };
    const outcome = await outcomeOf(sdk.call(caller, 'GenerateOTAUploadURL'));
    expect(outcome).toMatchObject({
      thrown: { message: expect.stringMatching(/certificate/) as unknown },
    });
  });

  it('carries the whole loop', async () => {
    const file = join(folder.path, 'firmware.bin');
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
