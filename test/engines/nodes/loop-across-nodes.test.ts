import { callApi } from '../../../src/client/api-client.ts';
import { patternBytes, sha256Hex } from '../../support/bytes.ts';
import { eventually } from '../../support/built-gateway.ts';
import { apiOf, codeOf, download, grantFrom, post } from '../../support/loop.ts';
import type { FaultyProxy } from '../support/faulty-proxy.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import type { Nodes } from '../support/nodes.ts';
import { bodiesInStore, purgeBy, startNodes } from '../support/nodes.ts';
import { passOnServer } from '../support/postgres.ts';
import { storeEndpoint } from '../support/s3-store.ts';

const NODES = 3;
const ALL = [0, 1, 2];

describe('three gateways with one ledger and one store', () => {
  let proxy: FaultyProxy;
  let nodes: Nodes | undefined;

  beforeEach(async () => {
    proxy = await startFaultyProxy(storeEndpoint());
  });

  afterEach(async () => {
    await nodes?.dispose();
    nodes = undefined;
    await proxy.close();
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<Nodes> {
    nodes = await startNodes(NODES, { endpoint: proxy.url, environment });
    return nodes;
  }

  it('serve each step of one upload by another gateway', async () => {
    const { url } = await start();
    const bytes = patternBytes(600 * 1024);
    const grant = await grantFrom(url(0));
    expect((await post({ ...grant, host: url(1) }, bytes)).status).toBe(200);
    const answer = await callApi(apiOf(url(2)), 'CreateOTAFirmware', {
      FirmwareName: 'across',
      DestVersion: '1.0.0',
      FirmwareUrl: grant.firmwareUrl,
      FirmwareSign: sha256Hex(bytes),
      SignMethod: 'SHA256',
      FirmwareSize: bytes.length,
    });
    const id = /"FirmwareId":"([^"]+)"/.exec(JSON.stringify(answer))?.[1] ?? '';
    const list = await callApi(apiOf(url(0)), 'ListOTAFirmware', { PageSize: 10, CurrentPage: 1 });
    expect(JSON.stringify(list)).toContain(id);
    expect(bytes.equals(await download(url(0), id))).toBe(true);
    await callApi(apiOf(url(1)), 'DeleteOTAFirmware', { FirmwareId: id });
    for (const index of ALL) await expect(download(url(index), id)).rejects.toThrow();
  });

  it('accept a call once, wherever it is sent again', async () => {
    const { url } = await start();
    const sign = (index: number, nonce: string): Promise<unknown> =>
      codeOf(
        callApi({ ...apiOf(url(index)), nonce: () => nonce }, 'GenerateOTAUploadURL', {
          FileSuffix: 'bin',
        }),
      );
    expect(await sign(0, 'replayed')).toBe('ok');
    expect(await sign(1, 'replayed')).toBe('SignatureNonceUsed');
    for (let round = 0; round < 20; round += 1) {
      const codes = await Promise.all(
        [...ALL, ...ALL].map((index) => sign(index, `together-${String(round)}`)),
      );
      expect(codes.filter((code) => code === 'ok')).toHaveLength(1);
    }
  });

  it('allow ten calls a second together', async () => {
    const { url } = await start({ OTA_GATEWAY_QPS: '10' });
    const accepted = async (): Promise<{ count: number; took: number }> => {
      // Nothing of the last burst counts any more.
      await passOnServer(1100);
      const began = Date.now();
      const codes = await Promise.all(
        Array.from({ length: 36 }, (_, call) => codeOf(grantFrom(url(call % NODES)))),
      );
      return { count: codes.filter((code) => code === 'ok').length, took: Date.now() - began };
    };
    let count = 0;
    // A burst that a busy machine stretches over more than a second may have more.
    await eventually(async () => {
      const burst = await accepted();
      count = burst.count;
      return burst.took < 900;
    }, 20_000);
    expect(count).toBe(10);
  });

  it('delete each body once when all purge at once, and count it once', async () => {
    const { store, url } = await start({
      OTA_GATEWAY_CLAIM_TTL: '1ms',
      OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *',
    });
    const uploads = 300;
    const bytes = patternBytes(4096);
    const postMany = async (index: number): Promise<void> => {
      for (let count = 0; count < uploads / 6; count += 1) {
        expect((await post(await grantFrom(url(index)), bytes)).status).toBe(200);
      }
    };
    await Promise.all([...ALL, ...ALL].map(postMany));
    expect(await bodiesInStore(store)).toHaveProperty('size', uploads);
    const reports = await Promise.all(ALL.map((index) => purgeBy(url(index))));
    const sum = (member: 'purged' | 'failed' | 'bytes'): number =>
      reports.reduce((total, report) => total + report[member], 0);
    expect(sum('purged')).toBe(uploads);
    expect(sum('failed')).toBe(0);
    expect(sum('bytes')).toBe(uploads * bytes.length);
    const deletions = proxy.seen.filter((request) => request.startsWith('DELETE'));
    expect(deletions).toHaveLength(uploads);
    expect(new Set(deletions).size).toBe(uploads);
    expect(await bodiesInStore(store)).toHaveProperty('size', 0);
  });
});
