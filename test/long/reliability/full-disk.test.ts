import { open, stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { callApi } from '../../../src/client/api-client.ts';
import type { UploadGrant } from '../../../src/client/api-client.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { bodiesOnDisk, eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, download, grantFrom, post } from '../../support/loop.ts';
import { formBytes, RawConnection, requestHead } from './raw-upload.ts';
import { mountSmallDisk } from './small-disk.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
const FILE = patternBytes(4 * MIB);
const NO_ROOM =
  'There is not enough free space for this upload: OTA_GATEWAY_MIN_FREE of the disk stays free. Please try again later.';

const possible = mountSmallDisk('1m');
if (typeof possible === 'string') process.stderr.write(`no disk can be filled: ${possible}\n`);
else possible.unmount();
const whenMounted = typeof possible === 'string' ? describe.skip : describe;

/** Uploads until there is no more room. @returns what was stored */
async function fill(url: string, file: Buffer, limit: number): Promise<UploadGrant[]> {
  const stored: UploadGrant[] = [];
  while (stored.length < limit) {
    const grant = await grantUnlessFull(url);
    if (grant === undefined) return stored;
    const { status, body } = await post(grant, file);
    if (status !== 200) {
      expect({ status, body }).toEqual({ status: 500, body: expect.stringContaining(NO_ROOM) });
      expect(body).toContain('<Code>InternalError</Code>');
      return stored;
    }
    stored.push(grant);
  }
  throw new Error(`the disk took ${String(limit)} files, and should have been full`);
}

/** A ledger that cannot write anything cannot record a grant. */
async function grantUnlessFull(url: string): Promise<UploadGrant | undefined> {
  try {
    return await grantFrom(url);
  } catch (error) {
    expect(error).toMatchObject({ name: 'ApiCallError', status: 503 });
    return undefined;
  }
}

async function postedGrant(url: string, bytes: Buffer): Promise<UploadGrant> {
  const grant = await grantFrom(url);
  expect(await post(grant, bytes)).toMatchObject({ status: 200 });
  return grant;
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}

function checkLedger(dataDir: string): unknown {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
  try {
    return database.pragma('integrity_check', { simple: true });
  } finally {
    database.close();
  }
}

whenMounted('a full disk', () => {
  let disk: Exclude<ReturnType<typeof mountSmallDisk>, string>;
  let gateway: BuiltGateway;

  const start = async (minFree: string, more: Record<string, string> = {}): Promise<void> => {
    const mounted = mountSmallDisk('64m');
    if (typeof mounted === 'string') throw new Error(mounted);
    disk = mounted;
    gateway = await startBuiltGateway(join(disk.path, 'data'), {
      OTA_GATEWAY_MIN_FREE: minFree,
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
      ...more,
    });
  };

  /** Fills the disk to the last byte. @returns the file that fills it */
  const fillUp = async (): Promise<string> => {
    const path = join(disk.path, `other-${String(Date.now())}`);
    await using file = await open(path, 'w');
    const chunk = Buffer.alloc(64 * 1024, 1);
    for (let length = chunk.length; length >= 1;) {
      const written = await file.write(chunk, 0, length).catch(() => ({ bytesWritten: 0 }));
      if (written.bytesWritten < length) length = Math.floor(length / 2);
    }
    expect(await freeBytes(disk.path)).toBe(0);
    return path;
  };

  const isUsable = async (): Promise<boolean> => {
    const grant = await grantUnlessFull(gateway.url);
    return grant !== undefined && (await post(grant, FILE)).status === 200;
  };

  afterEach(async () => {
    await gateway.kill();
    disk.unmount();
  });

  it('is not reached by uploads, which stop early, while everything else continues', async () => {
    await start('20MiB');
    const { dataDir, url } = gateway;
    const stored = await fill(url, FILE, 16);
    expect(stored.length).toBeGreaterThan(5);
    expect(await freeBytes(dataDir)).toBeGreaterThan(20 * MIB);
    expect((await bodiesOnDisk(dataDir)).staging).toEqual([]);
    // Lines of the log are written together.
    await eventually(() => gateway.output().includes('there is no room for an upload'));

    // Claims, downloads and deletions use the room that uploads must leave.
    const ids: string[] = [];
    for (const [n, grant] of stored.entries()) ids.push(await claim(url, grant, `fw-${String(n)}`));
    expect((await download(url, ids[0] ?? '')).equals(FILE)).toBe(true);
    for (const FirmwareId of ids) await callApi(apiOf(url), 'DeleteOTAFirmware', { FirmwareId });
    await eventually(async () => (await bodiesOnDisk(dataDir)).objects.length === 0);

    expect(await post(await grantFrom(url), FILE)).toMatchObject({ status: 200 });
    expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  });

  it('rejects an upload before its file is sent', async () => {
    await start('62MiB');
    const { url } = gateway;
    const { head, tail } = formBytes(await grantFrom(url));
    const connection = await RawConnection.open(url);
    await connection.send(requestHead(url, head.length + FILE.length + tail.length));
    await connection.send(head);
    await eventually(() => connection.received.includes(NO_ROOM));
    expect(connection.status).toBe(500);
    connection.vanish();
  });

  it('is not reached by concurrent uploads of unknown size', async () => {
    await start('40MiB');
    const { dataDir, url } = gateway;
    const uploads = Array.from({ length: 6 }, async () => {
      const { head, tail } = formBytes(await grantFrom(url));
      const connection = await RawConnection.open(url);
      const request = requestHead(url, 0).replace(
        /Content-Length: 0/,
        'Transfer-Encoding: chunked',
      );
      await connection.send(request);
      for (const bytes of [head, ...Array<Buffer>(4).fill(FILE), tail]) {
        await connection.send(`${bytes.length.toString(16)}\r\n`);
        await connection.send(bytes);
        await connection.send('\r\n');
      }
      await connection.send('0\r\n\r\n');
      await eventually(() => connection.status !== undefined || connection.socket.destroyed);
      connection.vanish();
      return connection.status;
    });
    let least = Infinity;
    const watch = setInterval(() => {
      freeBytes(dataDir).then((free) => (least = Math.min(least, free)), clearInterval);
    }, 2);
    const statuses = await Promise.all(uploads);
    clearInterval(watch);
    // They compete for the room; how many succeed depends on their order.
    expect(statuses).toContain(500);
    expect(statuses.every((status) => status === 200 || status === 500)).toBe(true);
    // Together they may write 8 MiB after the last check, and each has some bytes in memory.
    expect(least).toBeGreaterThan(16 * MIB);
    expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  });

  it('loses no stored upload, and accepts uploads again when there is room', async () => {
    await start('0');
    const { dataDir, url } = gateway;
    const other = join(disk.path, 'other');
    await writeFile(other, Buffer.alloc(6 * MIB, 1));
    const kept = await fill(url, FILE, 16);
    for (const size of [MIB, 100_000, 20_000]) await fill(url, patternBytes(size), 300);
    expect(await freeBytes(dataDir)).toBeLessThan(MIB);
    // The next purge removes the bodies for which the ledger had no room.
    await eventually(async () => (await findProblems(await inspectData(dataDir))).length === 0);
    expect(checkLedger(dataDir)).toBe('ok');
    expect((await fetch(`${url}/_gateway/health/live`)).status).toBe(200);

    await unlink(other);
    for (const [n, grant] of kept.entries()) {
      const id = await claim(url, grant, `kept-${String(n)}`);
      expect((await download(url, id)).equals(FILE)).toBe(true);
    }
    expect(await post(await grantFrom(url), FILE)).toMatchObject({ status: 200 });
    expect(await findProblems(await inspectData(dataDir))).toEqual([]);
    expect(await gateway.stop()).toBe(0);
  });

  it('is reported by the readiness as long as signed calls fail', async () => {
    await start('0', { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' });
    const { url } = gateway;
    const ready = () => fetch(`${url}/_gateway/health/ready`);
    expect((await ready()).status).toBe(200);
    const other = await fillUp();
    await eventually(async () => (await grantUnlessFull(url)) === undefined);
    await eventually(async () => (await ready()).status === 503);
    expect(await (await ready()).json()).toMatchObject({ reason: 'diskFull' });
    await unlink(other);
    await eventually(async () => (await ready()).status === 200);
    expect(await grantUnlessFull(url)).toBeDefined();
  });

  it.each(['0', '4MiB'])(
    'that another program has filled gets room from the purge, with %s to stay free',
    async (minFree) => {
      await start(minFree, { OTA_GATEWAY_CLAIM_TTL: '3s' });
      const { dataDir, url } = gateway;
      const kept = await claim(url, await postedGrant(url, FILE), 'kept');
      for (let n = 0; n < 5; n += 1) await postedGrant(url, FILE);
      await fillUp();
      await eventually(async () => (await bodiesOnDisk(dataDir)).objects.length === 1, 20_000);
      await eventually(isUsable, 20_000);
      expect((await download(url, kept)).equals(FILE)).toBe(true);
      expect(checkLedger(dataDir)).toBe('ok');
      expect(await gateway.stop()).toBe(0);
      expect(await findProblems(await inspectData(dataDir))).toEqual([]);
    },
  );

  it('that hostile headers have filled gets room from the purge', async () => {
    await start('0', { OTA_GATEWAY_CLAIM_TTL: '5s' });
    const { dataDir, url } = gateway;
    await writeFile(join(disk.path, 'other'), Buffer.alloc(40 * MIB, 1));
    const headers = { 'x-oss-meta-a': 'x'.repeat(8000) };
    let posted = 0;
    const attack = async (): Promise<void> => {
      for (;;) {
        const grant = await grantUnlessFull(url);
        if (grant === undefined) return;
        const { status } = await post(grant, Buffer.from('x'), headers);
        if (status !== 200) return;
        posted += 1;
      }
    };
    await Promise.all(Array.from({ length: 8 }, attack));
    expect(posted).toBeGreaterThan(300);
    await eventually(async () => (await bodiesOnDisk(dataDir)).objects.length === 0, 30_000);
    // The ledger returns the space of the headers, so that there is room for files again.
    // The reserve counts as free: whether it was used depends on what noticed the full disk first, a body or the ledger.
    const room = async (): Promise<number> =>
      (await freeBytes(dataDir)) +
      ((await stat(join(dataDir, 'gateway.reserve')).catch(() => undefined))?.size ?? 0);
    await eventually(async () => (await room()) > 9 * MIB, 20_000);
    await eventually(isUsable, 20_000);
    expect(checkLedger(dataDir)).toBe('ok');
    expect(await gateway.stop()).toBe(0);
  });

  it('to the last byte does not prevent a killed gateway from starting and purging', async () => {
    await start('0', { OTA_GATEWAY_CLAIM_TTL: '3s' });
    const { dataDir, url } = gateway;
    for (let n = 0; n < 5; n += 1) await postedGrant(url, FILE);
    await gateway.kill();
    await fillUp();
    gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_MIN_FREE: '0',
      OTA_GATEWAY_CLAIM_TTL: '3s',
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
    });
    await eventually(async () => (await bodiesOnDisk(dataDir)).objects.length === 0, 20_000);
    await eventually(isUsable, 20_000);
  });

  it('does not prevent a killed gateway from starting with all its small files', async () => {
    await start('0');
    const { dataDir, url } = gateway;
    const stored: UploadGrant[] = [];
    const bytes = patternBytes(300_000);
    for (let n = 0; n < 12; n += 1) {
      const grant = await grantFrom(url);
      expect(await post(grant, bytes)).toMatchObject({ status: 200 });
      stored.push(grant);
    }
    await gateway.kill();
    const other = join(disk.path, 'other');
    // Leaves some pages for the files that SQLite creates when it opens the ledger.
    await writeFile(other, Buffer.alloc((await freeBytes(dataDir)) - 100_000, 1));
    gateway = await startBuiltGateway(dataDir, { OTA_GATEWAY_MIN_FREE: '0' });
    await unlink(other);
    for (const [n, grant] of stored.entries()) {
      const id = await claim(gateway.url, grant, `small-${String(n)}`);
      expect((await download(gateway.url, id)).equals(bytes)).toBe(true);
    }
    expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  });
});
