import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
  temporaryFolder,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { claim, download, grantFrom, post } from '../../support/loop.ts';
import { openFiles, peakBytes, residentBytes } from './process-facts.ts';
import { formBytes, RawConnection, requestHead, uploadBytes } from './raw-upload.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(120_000);

const MIB = 1024 * 1024;
/** The largest size that goes through the journal. */
const FILE = patternBytes(515_000);
const FORMS = 800;
const STALLED = 600;
const SETTINGS = { OTA_GATEWAY_POLICY_TTL: '10m', OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' };

/** @returns the sizes of the journals */
async function journalSizes(dataDir: string): Promise<number[]> {
  const folder = join(dataDir, 'journal');
  const names = await readdir(folder).catch(() => []);
  const sizes = names.map((name) => stat(join(folder, name)).catch(() => undefined));
  return (await Promise.all(sizes)).flatMap((found) => (found === undefined ? [] : [found.size]));
}

describe('many small files at the same time', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let gateway: BuiltGateway;
  let idle: { memory: number; files: number };

  beforeEach(async () => {
    folder = await temporaryFolder();
    gateway = await startBuiltGateway(join(folder.path, 'data'), SETTINGS);
    expect(await post(await grantFrom(gateway.url), FILE)).toMatchObject({ status: 200 });
    idle = { memory: residentBytes(gateway.pid), files: openFiles(gateway.pid) };
  });

  afterEach(async () => {
    await gateway.kill();
    await folder.remove();
  });

  it(`are stored within the limits of journals and memory: ${String(FORMS)} files`, async () => {
    const { dataDir, pid, url } = gateway;
    const grants = [];
    for (let n = 0; n < FORMS; n += 1) grants.push(await grantFrom(url));
    let largest = 0;
    const watch = setInterval(() => {
      journalSizes(dataDir).then(
        (sizes) => (largest = Math.max(largest, ...sizes)),
        () => clearInterval(watch),
      );
    }, 20);
    const statuses = await Promise.all(
      grants.map(async (grant) => {
        const connection = await RawConnection.open(url);
        const { head, tail } = formBytes(grant);
        const length = head.length + FILE.length + tail.length;
        await connection.send(Buffer.concat([Buffer.from(requestHead(url, length)), head]));
        for (const bytes of [FILE, tail]) await connection.send(bytes);
        await eventually(() => connection.status !== undefined, 100_000);
        connection.vanish();
        return connection.status;
      }),
    );
    clearInterval(watch);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(largest).toBeGreaterThan(MIB);
    expect(largest).toBeLessThanOrEqual(65 * MIB);
    expect(peakBytes(pid) - idle.memory).toBeLessThan(400 * MIB);
    await gateway.kill();
    gateway = await startBuiltGateway(dataDir, SETTINGS);
    const found = await inspectData(dataDir);
    expect(await findProblems(found)).toEqual([]);
    expect(found.rows.filter(({ state }) => state === 'stored')).toHaveLength(FORMS + 1);
    await gateway.stop();
    expect(await journalSizes(dataDir)).toEqual([]);
  });

  it(`leave room for others when ${String(STALLED)} of them stall before their end`, async () => {
    const { dataDir, pid, url } = gateway;
    // One after the other, over one connection: the gateway keeps idle ones for longer than this test takes.
    const grants = [];
    for (let n = 0; n < STALLED; n += 1) grants.push(await grantFrom(url));
    const connections = await Promise.all(
      grants.map(async (grant) => {
        const connection = await RawConnection.open(url);
        await connection.send(uploadBytes(grant, FILE).subarray(0, -20_000));
        return connection;
      }),
    );
    for (let n = 0; n < 20; n += 1) {
      const grant = await grantFrom(url);
      expect(await post(grant, FILE)).toMatchObject({ status: 200 });
      const id = await claim(url, grant, `fw-${String(n)}`);
      expect((await download(url, id)).equals(FILE)).toBe(true);
    }
    // 240 to 260 MiB; 350 when the memory for bodies has no limit.
    expect(peakBytes(pid) - idle.memory).toBeLessThan(300 * MIB);
    for (const connection of connections) connection.vanish();
    await eventually(async () => (await bodiesOnDisk(dataDir)).staging.length === 0);
    await eventually(() => openFiles(pid) <= idle.files + 10);
    expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  });

  it('use little memory when they arrive byte by byte', async () => {
    const { pid, url } = gateway;
    const bytes = FILE.subarray(0, 250_000);
    const single = Buffer.from('1\r\nx\r\n');
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = 0x78;
    const chunks = Buffer.concat(Array<Buffer>(bytes.length).fill(single));
    const statuses = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const grant = await grantFrom(url);
        const { head, tail } = formBytes(grant);
        const connection = await RawConnection.open(url);
        const request = requestHead(url, 0).replace(
          'Content-Length: 0',
          'Transfer-Encoding: chunked',
        );
        await connection.send(request);
        for (const whole of [head, tail]) {
          const framed = [`${whole.length.toString(16)}\r\n`, whole, '\r\n'];
          if (whole === tail) await connection.send(chunks);
          for (const piece of framed) await connection.send(piece);
        }
        await connection.send('0\r\n\r\n');
        await eventually(() => connection.status !== undefined, 60_000);
        connection.vanish();
        return connection.status;
      }),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(peakBytes(pid) - idle.memory).toBeLessThan(120 * MIB);
  });
});
