import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:http';
import { join } from 'node:path';
import { queryDownloadUrl } from '../../src/client/api-client.ts';
import { eventually, startBuiltGateway, temporaryFolder } from '../support/built-gateway.ts';
import { md5Hex, patternBytes } from '../support/bytes.ts';
import { apiOf, claim, grantFrom, post } from '../support/loop.ts';
import { openFiles, peakBytes, residentBytes } from './reliability/process-facts.ts';

const MIB = 1024 * 1024;
const SIZE = 100 * MIB;
const READERS = 200;
/** One in this number of readers reads to the end; the others disconnect. */
const FINISHES_EVERY = 10;
/** How many more bytes each reader reads before it stalls than the reader before it. */
const STEP = 128 * 1024;

/** A download that stalls at a chosen position. */
class Reader {
  readonly #response: IncomingMessage;
  readonly #digest = createHash('md5');
  #read = 0;

  private constructor(response: IncomingMessage) {
    this.#response = response;
  }

  static async open(url: string): Promise<Reader> {
    const request = get(url, { agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    if (response.statusCode !== 200) throw new Error(`status ${String(response.statusCode)}`);
    return new Reader(response);
  }

  /** Reads a number of bytes, then stalls. */
  async readUntil(bytes: number): Promise<void> {
    while (this.#read < bytes) {
      const chunk = this.#response.read() as Buffer | null;
      if (chunk === null) {
        if (this.#response.readableEnded) throw new Error(`ended after ${String(this.#read)}`);
        await once(this.#response, 'readable');
        continue;
      }
      this.#read += chunk.length;
      this.#digest.update(chunk);
    }
  }

  /** Reads to the end. @returns the MD5 of all bytes */
  async finish(): Promise<string> {
    for await (const chunk of this.#response) this.#digest.update(chunk as Buffer);
    return this.#digest.digest('hex');
  }

  goAway(): void {
    this.#response.destroy();
  }
}

describe(`${String(READERS)} downloads of 100 MiB at once`, () => {
  it('with stalled readers use less than 150 MiB, and leave nothing open', async () => {
    const folder = await temporaryFolder();
    const dataDir = join(folder.path, 'data');
    const bytes = patternBytes(SIZE);
    const before = await startBuiltGateway(dataDir);
    const grant = await grantFrom(before.url);
    expect(await post(grant, bytes)).toMatchObject({ status: 200 });
    const firmwareId = await claim(before.url, grant, 'firmware');
    expect(await before.stop()).toBe(0);

    // A new gateway without requests, to measure the memory of an idle one.
    // The first purge would open one more descriptor, that of the ledger's log.
    const gateway = await startBuiltGateway(dataDir, { OTA_GATEWAY_PURGE_CRON: '0 0 1 1 *' });
    const url = await queryDownloadUrl(apiOf(gateway.url), { FirmwareId: firmwareId });
    const idle = residentBytes(gateway.pid);
    const descriptors = openFiles(gateway.pid);

    const readers = await Promise.all(Array.from({ length: READERS }, () => Reader.open(url)));
    for (const some of [16, 32]) {
      await Promise.all(readers.map((reader, n) => reader.readUntil((n % some) * STEP)));
      // Each has a socket and a file.
      expect(openFiles(gateway.pid)).toBeGreaterThanOrEqual(2 * READERS);
    }
    const md5 = md5Hex(bytes);
    for (const [n, reader] of readers.entries()) {
      if (n % FINISHES_EVERY === 0) expect(await reader.finish()).toBe(md5);
      else reader.goAway();
    }
    await eventually(() => openFiles(gateway.pid) <= descriptors);
    expect(peakBytes(gateway.pid) - idle).toBeLessThan(150 * MIB);
    expect(await gateway.stop()).toBe(0);
    await folder.remove();
  }, 120_000);
});
