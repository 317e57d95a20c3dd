import { once } from 'node:events';
import { request } from 'node:https';
import { buffer } from 'node:stream/consumers';
import {
  createOTAFirmware,
  generateOTAUploadURL,
  queryDownloadUrl,
} from '../../../src/client/api-client.ts';
import { parseStoreUrl } from '../../../src/config/shared-urls.ts';
import { shipped, startBalancer } from '../../long/ship/proxy.ts';
import type { Proxy } from '../../long/ship/proxy.ts';
import { eventually, runCli, temporaryFolder } from '../../support/built-gateway.ts';
import type { PrivateCa } from '../../support/private-ca.ts';
import { createPrivateCa } from '../../support/private-ca.ts';
import { describeWith } from '../../support/programs.ts';
import { beginToPost, tlsApiOf } from '../../support/tls-client.ts';
import type { Nodes } from '../support/nodes.ts';
import { startNodes } from '../support/nodes.ts';

/** @returns the settings of a gateway in the shipped compose file, with `x` for each value of its own */
function composedSettings(): Record<string, string> {
  const lines = shipped('compose-cluster.yaml').matchAll(/^ {4}(OTA_GATEWAY_\w+): (.+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name = '', value = '']) => [name, value.replaceAll(/\$\{\w+:\?\}/g, 'x')]),
  );
}

describe('the compose file of a cluster', () => {
  it('has settings that a gateway accepts', async () => {
    const { code, stderr } = await runCli(['show-config'], composedSettings());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(parseStoreUrl(composedSettings()['OTA_GATEWAY_STORE_URL'] ?? '').pathStyle).toBe(true);
    expect(composedSettings()['OTA_GATEWAY_LEDGER_URL']).toBe('postgres://ota:x@postgres/ota');
  });
});

describeWith(['nginx', 'openssl'], 'two gateways behind nginx', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let tls: PrivateCa;
  let nodes: Nodes;
  let proxy: Proxy;

  beforeAll(async () => {
    folder = await temporaryFolder();
    tls = createPrivateCa(folder.path);
    nodes = await startNodes(2, { environment: { OTA_GATEWAY_TRUSTED_PROXIES: '127.0.0.1' } });
    const [a = 0, b = 0] = nodes.running.map(({ port }) => port);
    proxy = await startBalancer({ folder: folder.path, tls }, [a, b]);
  });

  afterAll(async () => {
    await proxy.stop();
    await nodes.dispose();
    await folder.remove();
  });

  let uses = 0;

  async function useOnce(): Promise<void> {
    const name = `package-${String((uses += 1))}`;
    const api = tlsApiOf(proxy.url, tls.ca);
    const grant = await generateOTAUploadURL(api, { FileSuffix: 'bin' });
    const postTheRest = await beginToPost(grant, { ca: tls.ca });
    expect(await postTheRest()).toBe(200);
    const wanted = { FirmwareName: name, DestVersion: '1', FirmwareUrl: grant.firmwareUrl };
    const FirmwareId = await createOTAFirmware(api, wanted);
    const url = await queryDownloadUrl(api, { FirmwareId });
    const [response] = await once(request(url, { ca: tls.ca, agent: false }).end(), 'response');
    expect(String(await buffer(response))).toBe('first half, second half');
  }

  /** How many calls a gateway has logged since its start. */
  const countCalls = (index: number): number =>
    nodes.running[index]?.output().match(/CreateOTAFirmware/g)?.length ?? 0;

  it('serve every step of the loop, whichever of them is killed, and both when it is back', async () => {
    for (const index of [0, 1]) {
      await nodes.running[index]?.kill();
      for (let count = 0; count < 5; count += 1) await useOnce();
      await nodes.restart(index);
      // nginx leaves a gateway that was away for 10 s.
      await eventually(async () => {
        await useOnce();
        return countCalls(index) > 0;
      }, 20_000);
    }
  });
});
