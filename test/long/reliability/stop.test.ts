import { Agent, request } from 'node:http';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryDownloadUrl } from '../../../src/client/api-client.ts';
import { createGateway } from '../../../src/gateway.ts';
import { silentLogger } from '../../../src/lib/logger.ts';
import { DiskObjectStore } from '../../../src/object-store/disk/disk-object-store.ts';
import { ThreadHasher } from '../../../src/object-store/hashing/thread-hasher.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import {
  ACCOUNT_KEY,
  bodiesOnDisk,
  eventually,
  startBuiltGateway,
} from '../../support/built-gateway.ts';
import { patternBytes } from '../../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../../support/loop.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { RawConnection, uploadBytes } from './raw-upload.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const FILE = patternBytes(2 * MIB);
const UPLOADS = 10;

/** A generous limit: a stop that waited for an idle connection would take 75 seconds. */
const AT_ONCE_MS = 3000;

async function timed<T>(action: Promise<T>): Promise<{ value: T; milliseconds: number }> {
  const from = Date.now();
  const value = await action;
  return { value, milliseconds: Date.now() - from };
}

async function isRefused(url: string): Promise<boolean> {
  try {
    (await RawConnection.open(url)).vanish();
    return false;
  } catch {
    return true;
  }
}

describe('SIGTERM', () => {
  const folder = folderForEachTest();
  let dataDir: string;

  beforeEach(() => {
    dataDir = join(folder.path, 'data');
  });

  /** Opens uploads, and sends everything except the end of each. */
  async function startUploads(url: string): Promise<{ connection: RawConnection; rest: Buffer }[]> {
    const uploads = Array.from({ length: UPLOADS }, async () => {
      const bytes = uploadBytes(await grantFrom(url), FILE);
      const connection = await RawConnection.open(url);
      await connection.send(bytes.subarray(0, -MIB / 2));
      return { connection, rest: bytes.subarray(-MIB / 2) };
    });
    const started = await Promise.all(uploads);
    await eventually(async () => (await bodiesOnDisk(dataDir)).staging.length === UPLOADS);
    return started;
  }

  async function startsWithNothingToReconcile(): Promise<BuiltGateway> {
    const next = await startBuiltGateway(dataDir);
    // The line with the address comes over another pipe, and may be read first.
    await eventually(() => next.output().includes('checked unfinished uploads'));
    expect(next.output()).toContain('"completed":0,"removed":0,"msg":"checked unfinished uploads"');
    return next;
  }

  it('lets ten running uploads finish, and accepts no new connection', async () => {
    const gateway = await startBuiltGateway(dataDir, { OTA_GATEWAY_GRACE: '20s' });
    const uploads = await startUploads(gateway.url);
    const stopped = gateway.stop();
    await eventually(() => isRefused(gateway.url));
    for (const { connection, rest } of uploads) await connection.send(rest);
    await Promise.all(uploads.map(({ connection }) => connection.closed));
    for (const { connection } of uploads) {
      expect(connection.received).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/);
    }
    expect(await stopped).toBe(0);
    expect(await bodiesOnDisk(dataDir)).toMatchObject({
      objects: { length: UPLOADS },
      staging: [],
    });
    await (await startsWithNothingToReconcile()).stop();
  });

  it('breaks off uploads that do not finish within the grace time, and removes their bytes', async () => {
    const gateway = await startBuiltGateway(dataDir, { OTA_GATEWAY_GRACE: '500ms' });
    const uploads = await startUploads(gateway.url);
    const { value, milliseconds } = await timed(gateway.stop());
    expect(value).toBe(0);
    expect(milliseconds).toBeGreaterThanOrEqual(450);
    expect(milliseconds).toBeLessThan(500 + AT_ONCE_MS);
    for (const { connection } of uploads) expect(connection.status).toBeUndefined();
    expect(await bodiesOnDisk(dataDir)).toEqual({ objects: [], staging: [] });
    expect(gateway.output()).not.toMatch(/"level":"(?:warn|error|fatal)"/);
    await (await startsWithNothingToReconcile()).stop();
  });

  it('records an upload whose client was disconnected after all its bytes had arrived', async () => {
    await mkdir(dataDir);
    const store = await DiskObjectStore.open(dataDir, new ThreadHasher());
    const put = store.put.bind(store);
    const reached = new Promise<void>((resolve) => {
      store.put = async (...args) => {
        const body = await put(...args);
        resolve();
        await sleep(600);
        return body;
      };
    });
    const logged: unknown[] = [];
    const log = (...line: unknown[]): unknown => logged.push(line);
    const settings = { dataDir, port: 0, grace: '400ms', qps: 'off', accessKeyId: ACCOUNT_KEY.id };
    const gateway = await createGateway(
      { ...settings, accessKeySecret: ACCOUNT_KEY.secret },
      { store, logger: { ...silentLogger, error: log } },
    );
    const { url } = await gateway.listen();
    const answer = post(await grantFrom(url), FILE);
    answer.catch(() => undefined);
    await reached;
    await gateway.close();
    await expect(answer).rejects.toThrow();
    const found = await inspectData(dataDir);
    expect(found.rows).toMatchObject([{ state: 'stored', size: FILE.length }]);
    expect(await findProblems(found)).toEqual([]);
    // The warning that a digest could not be computed in advance is expected.
    expect(logged).toEqual([]);
  });

  it('does not wait for idle connections', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      request(`${gateway.url}/_gateway/health/live`, { agent }, (answer) => {
        answer.resume().once('end', resolve);
      })
        .once('error', reject)
        .end();
    });
    const silent = await RawConnection.open(gateway.url);
    const halfAsked = await RawConnection.open(gateway.url);
    await halfAsked.send('GET /_gateway/health/live HTTP/1.1\r\nHost: x\r\n');
    const { value, milliseconds } = await timed(gateway.stop());
    expect(value).toBe(0);
    expect(milliseconds).toBeLessThan(AT_ONCE_MS);
    await Promise.all([silent.closed, halfAsked.closed]);
    agent.destroy();
  });

  it('finishes a running download, then closes its connection', async () => {
    const gateway = await startBuiltGateway(dataDir);
    const grant = await grantFrom(gateway.url);
    const file = patternBytes(30 * MIB);
    expect(await post(grant, file)).toMatchObject({ status: 200 });
    const id = await claim(gateway.url, grant, 'large');
    const url = await queryDownloadUrl(apiOf(gateway.url), { FirmwareId: id });
    const agent = new Agent({ keepAlive: true });
    const received: Buffer[] = [];
    const stopped = new Promise<{ value: number | null; milliseconds: number }>(
      (resolve, reject) => {
        request(url, { agent }, (answer) => {
          answer.once('data', (chunk: Buffer) => {
            received.push(chunk);
            answer.pause();
            const stopping = gateway.stop();
            setTimeout(() => {
              answer.on('data', (more: Buffer) => received.push(more)).resume();
              answer.once('end', () => {
                timed(stopping).then(resolve, reject);
              });
            }, 300);
          });
        })
          .once('error', reject)
          .end();
      },
    );
    const { value, milliseconds } = await stopped;
    expect(value).toBe(0);
    expect(milliseconds).toBeLessThan(AT_ONCE_MS);
    expect(Buffer.concat(received).equals(file)).toBe(true);
    agent.destroy();
  });
});
