import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { objectFolder, objectPath } from '../../../src/object-store/disk/layout.ts';
import type { BuiltGateway } from '../../support/built-gateway.ts';
import { BUCKET_KEY, eventually, startBuiltGateway } from '../../support/built-gateway.ts';
import { md5Hex } from '../../support/bytes.ts';
import { folderForEachTest } from '../../support/suite.ts';
import { report } from './dice.ts';
import { formRequest, signPolicy } from './hostile-forms.ts';
import { RawConnection } from './raw-upload.ts';

jest.setTimeout(60_000);

const GRACE_MS = 1000;
/** Time for the steps after the grace time: closing the ledger, ending the process. */
const EXIT_SLACK_MS = 4000;
const EXPIRED_UPLOADS = 30_000;

/** Fills the folder of a stopped gateway with uploads that were not claimed in time. */
function addExpiredUploads(dataDir: string, count: number): void {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'));
  const insert = database.prepare(
    `INSERT INTO uploads (key, state, locator, size, md5, crc64, stored_at, headers)
     VALUES (:key, 'stored', :locator, :size, :md5, '0', 1000, '{}')`,
  );
  const bytes = Buffer.from('unclaimed');
  const [size, md5] = [bytes.length, md5Hex(bytes)];
  database.transaction(() => {
    for (let n = 0; n < count; n += 1) {
      const locator = n.toString(16).padStart(32, '0');
      mkdirSync(objectFolder(dataDir, locator), { recursive: true });
      writeFileSync(objectPath(dataDir, locator), bytes);
      insert.run({ key: `expired/${String(n)}.bin`, locator, size, md5 });
    }
  })();
  database.close();
}

function countPurged(dataDir: string): number {
  const database = new SqliteDatabase(join(dataDir, 'gateway.sqlite3'), { readonly: true });
  const count = database
    .prepare("SELECT count(*) FROM uploads WHERE state IN ('purging', 'purged')")
    .pluck()
    .get();
  database.close();
  return Number(count);
}

/** @returns whether a new connection gets a response; false when it is refused or reset */
async function isServed(url: string): Promise<boolean> {
  const connection = await RawConnection.open(url).catch(() => undefined);
  if (connection === undefined) return false;
  await connection.send('GET /_gateway/health/live HTTP/1.1\r\nHost: h\r\n\r\n');
  await Promise.race([connection.closed, sleep(200)]);
  const served = connection.status !== undefined;
  connection.vanish();
  return served;
}

interface Stop {
  readonly code: number | null;
  readonly milliseconds: number;
  /** Number of connections that were opened after the signal and got a response. */
  readonly served: number;
}

/** Stops a gateway, and opens connections while it stops. */
async function stopAndAsk(gateway: BuiltGateway): Promise<Stop> {
  const from = Date.now();
  let stopped: Pick<Stop, 'code' | 'milliseconds'> | undefined;
  const stopping = gateway.stop().then((code) => {
    stopped = { code, milliseconds: Date.now() - from };
    return stopped;
  });
  // Waits until the signal has arrived.
  await sleep(300);
  let served = 0;
  while (stopped === undefined) {
    if (await isServed(gateway.url)) served += 1;
    await sleep(20);
  }
  return { ...(await stopping), served };
}

describe('SIGTERM to a gateway that is busy', () => {
  const folder = folderForEachTest();
  let dataDir: string;

  beforeEach(() => {
    dataDir = join(folder.path, 'data');
  });

  it(`during a purge of ${String(EXPIRED_UPLOADS)} files ends it within the grace time, without new connections`, async () => {
    await (await startBuiltGateway(dataDir)).stop();
    addExpiredUploads(dataDir, EXPIRED_UPLOADS);
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_PURGE_CRON: '* * * * * *',
      OTA_GATEWAY_GRACE: `${String(GRACE_MS)}ms`,
    });
    await eventually(() => countPurged(dataDir) > 0);
    const { code, milliseconds, served } = await stopAndAsk(gateway);
    const purged = countPurged(dataDir);
    report(
      'stop',
      `purge: ended after ${String(milliseconds)} ms with ${String(purged)} purged, ${String(served)} served`,
    );
    expect({ code, served }).toEqual({ code: 0, served: 0 });
    expect(milliseconds).toBeLessThan(GRACE_MS + EXIT_SLACK_MS);
    // Otherwise the purge had ended before the signal, and the test proves nothing.
    expect(purged).toBeLessThan(EXPIRED_UPLOADS);
    expect(gateway.output()).not.toMatch(/"level":"(?:error|fatal)"/);
  });

  it('during callbacks that hang ends it within the grace time, without new connections', async () => {
    const hanging = new Set<Socket>();
    const server = createServer((socket) => {
      hanging.add(socket.on('error', () => undefined));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const gateway = await startBuiltGateway(dataDir, {
      OTA_GATEWAY_GRACE: `${String(GRACE_MS)}ms`,
      OTA_GATEWAY_CALLBACK_HOSTS: '127.0.0.1',
    });
    const connection = await RawConnection.open(gateway.url);
    // The maximum number of URLs of a callback: each is tried after the one before has failed.
    await connection.send(
      formWithCallback(
        Array(5)
          .fill(`http://127.0.0.1:${String(port)}/`)
          .join(';'),
      ),
    );
    await eventually(() => hanging.size > 0);
    const { code, milliseconds, served } = await stopAndAsk(gateway);
    report('stop', `callbacks: ended after ${String(milliseconds)} ms, ${String(served)} served`);
    for (const socket of hanging) socket.destroy();
    server.close();
    connection.vanish();
    expect({ code, served }).toEqual({ code: 0, served: 0 });
    expect(milliseconds).toBeLessThan(GRACE_MS + EXIT_SLACK_MS);
  });
});

/** A form whose policy covers its callback. */
function formWithCallback(callbackUrl: string): Buffer {
  const callback = base64({ callbackUrl, callbackBody: 'x' });
  const policy = base64({
    expiration: '2099-01-01T00:00:00.000Z',
    conditions: [{ bucket: 'iotx-ota' }, ['eq', '$callback', callback]],
  });
  const fields = {
    key: 'called.bin',
    policy,
    OSSAccessKeyId: BUCKET_KEY.id,
    Signature: signPolicy(policy),
    callback,
    file: 'x',
  };
  const parts = Object.entries(fields).map(
    ([name, value]) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
  );
  return formRequest('b', Buffer.from(`${parts.join('')}--b--\r\n`));
}

function base64(json: unknown): string {
  return Buffer.from(JSON.stringify(json)).toString('base64');
}
