import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { bodiesOnDisk, eventually, runCli, startBuiltGateway } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';
import { claim, download, grantFrom, post } from '../support/loop.ts';
import { folderForEachTest } from '../support/suite.ts';

const EVERY_SECOND = '* * * * * *';

describe('the life of an upload, in the built program', () => {
  const folder = folderForEachTest();
  let dataDir: string;

  beforeEach(() => {
    dataDir = join(folder.path, 'data');
  });

  const statesOf = (key: string): unknown => {
    const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
    try {
      return database.prepare('SELECT state, purge_reason FROM uploads WHERE key = ?').all(key);
    } finally {
      database.close();
    }
  };

  it('purges unclaimed uploads when the cron job runs, and keeps a tombstone', async () => {
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_CLAIM_TTL: '1500ms',
      OTA_GATEWAY_PURGE_CRON: EVERY_SECOND,
    });
    const claimed = await grantFrom(gateway.url);
    expect(await post(claimed, patternBytes(1000))).toMatchObject({ status: 200 });
    const firmwareId = await claim(gateway.url, claimed, 'kept');
    const unclaimed = await grantFrom(gateway.url);
    expect(await post(unclaimed, patternBytes(2_000_000))).toMatchObject({ status: 200 });
    expect((await bodiesOnDisk(dataDir)).objects).toHaveLength(2);

    await eventually(async () => (await bodiesOnDisk(dataDir)).objects.length === 1);
    expect(statesOf(unclaimed.key)).toEqual([{ state: 'purged', purge_reason: 'unclaimed' }]);
    await expect(claim(gateway.url, unclaimed, 'late')).rejects.toMatchObject({
      code: 'iot.firmware.InvalidFirmwareUrl',
      message: expect.stringMatching(/purged/) as string,
    });
    expect((await download(gateway.url, firmwareId)).equals(patternBytes(1000))).toBe(true);
    expect(await gateway.stop()).toBe(0);
  });

  it('keeps claimed uploads after a stop, and stored uploads after a kill', async () => {
    const bytes = patternBytes(1_200_000);
    const first = await startBuiltGateway(dataDir, { OTA_GATEWAY_PUBLIC_URL: 'http://ota.test' });
    const grants = [await grantFrom(first.url), await grantFrom(first.url)] as const;
    for (const grant of grants) await post({ ...grant, host: first.url }, bytes);
    const firmwareId = await claim(first.url, grants[0], 'kept');
    expect(await first.stop()).toBe(0);

    const second = await startBuiltGateway(dataDir);
    expect((await download(second.url, firmwareId)).equals(bytes)).toBe(true);
    await second.kill();

    const third = await startBuiltGateway(dataDir);
    const late = await claim(third.url, grants[1], 'claimed-after-a-kill');
    expect((await download(third.url, late)).equals(bytes)).toBe(true);
    expect(await third.stop()).toBe(0);
    expect(await bodiesOnDisk(dataDir)).toMatchObject({ staging: [] });
  });

  it('lets only one server use a data folder, and names its process', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const second = await runCli(['serve', '--port', '0', '--data-dir', dataDir]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(
      `another server uses the data folder ${dataDir}: process ${String(gateway.pid)}`,
    );
    await gateway.kill();
    expect(await (await startBuiltGateway(dataDir)).stop()).toBe(0);
  });
});
