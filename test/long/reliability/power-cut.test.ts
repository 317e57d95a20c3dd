import { mkdir, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scanJournal } from '../../../src/object-store/disk/scan-journal.ts';
import { eventually, startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { md5Hex, patternBytes } from '../../support/bytes.ts';
import { claim, download, grantFrom, post } from '../../support/loop.ts';
import { peakBytes } from './process-facts.ts';
import { findProblems, inspectData } from './inspect-data.ts';

jest.setTimeout(60_000);

// A power cut loses bytes that were not flushed. Of a small body only the record in the journal is flushed.

it('restores small files whose own bytes were lost in a power cut', async () => {
  await using folder = await temporaryDataFolder();
  const dataDir = join(folder.path, 'data');
  const before = await startBuiltGateway(dataDir);
  const files = new Map<string, Buffer>();
  await Promise.all(
    Array.from({ length: 40 }, async (_, n) => {
      const grant = await grantFrom(before.url);
      const bytes = patternBytes(100 + n * 7919);
      expect(await post(grant, bytes)).toMatchObject({ status: 200 });
      files.set(await claim(before.url, grant, `fw-${String(n)}`), bytes);
    }),
  );
  await before.kill();
  const { bodies } = await inspectData(dataDir);
  for (const path of bodies.values()) await truncate(path, 0);

  const after = await startBuiltGateway(dataDir);
  for (const [id, bytes] of files) {
    expect((await download(after.url, id)).equals(bytes)).toBe(true);
  }
  expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  expect(await after.stop()).toBe(0);
  expect(await readdir(join(dataDir, 'journal'))).toEqual([]);
});

it('flushes the files of a journal before it removes the journal', async () => {
  await using folder = await temporaryDataFolder();
  const dataDir = join(folder.path, 'data');
  const gateway = await startBuiltGateway(dataDir);
  const bytes = patternBytes(5000);
  const grant = await grantFrom(gateway.url);
  expect(await post(grant, bytes)).toMatchObject({ status: 200 });
  const [journal = ''] = await readdir(join(dataDir, 'journal'));
  expect((await readFile(join(dataDir, 'journal', journal))).includes(bytes)).toBe(true);
  expect(await gateway.stop()).toBe(0);
  expect(await readdir(join(dataDir, 'journal'))).toEqual([]);
  expect(await findProblems(await inspectData(dataDir))).toEqual([]);
});

/** Stores small files at the same time, so that one journal has them. @returns their bytes by package */
async function storeAndClaim(url: string, count: number): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const grant = await grantFrom(url);
      const bytes = Buffer.concat([Buffer.from(`file ${String(n)} `), patternBytes(3000 + n)]);
      expect(await post(grant, bytes)).toMatchObject({ status: 200 });
      files.set(await claim(url, grant, `fw-${String(n)}`), bytes);
    }),
  );
  return files;
}

it('restores every file of a journal except the one with a flipped bit', async () => {
  await using folder = await temporaryDataFolder();
  const dataDir = join(folder.path, 'data');
  const before = await startBuiltGateway(dataDir);
  const files = await storeAndClaim(before.url, 40);
  await before.kill();
  const { bodies } = await inspectData(dataDir);
  for (const path of bodies.values()) await truncate(path, 0);
  const journal = join(dataDir, 'journal', '1');
  const content = await readFile(journal);
  const at = content.indexOf('file 7 ');
  content[at] = (content[at] ?? 0) ^ 1;
  await writeFile(journal, content);

  const after = await startBuiltGateway(dataDir);
  let whole = 0;
  for (const [id, bytes] of files) {
    const found = await download(after.url, id).catch(() => undefined);
    if (found?.equals(bytes) === true) whole += 1;
    else expect(bytes.toString()).toMatch(/^file 7 /);
  }
  expect(whole).toBe(files.size - 1);
  expect((await readFile(join(dataDir, 'lost', 'journal-1'))).equals(content)).toBe(true);
  expect(after.output()).toContain('a journal is damaged');
  expect(await after.stop()).toBe(0);
  const next = await startBuiltGateway(dataDir);
  expect(next.output()).not.toContain('damaged');
  expect(await readdir(join(dataDir, 'lost'))).toEqual(['journal-1']);
  expect(await next.stop()).toBe(0);
});

it('keeps the bytes of acknowledged files whose rows were in a deleted log', async () => {
  await using folder = await temporaryDataFolder();
  const dataDir = join(folder.path, 'data');
  const before = await startBuiltGateway(dataDir);
  const files = await storeAndClaim(before.url, 34);
  // The commits of the last files are noted in the journal a moment after the responses.
  await eventually(async () => (await settledIn(join(dataDir, 'journal', '1'))) === files.size);
  await before.kill();
  await rm(join(dataDir, 'gateway.sqlite3-wal'));

  const after = await startBuiltGateway(dataDir);
  const lost = await readdir(join(dataDir, 'lost'));
  const contents = await Promise.all(lost.map((name) => readFile(join(dataDir, 'lost', name))));
  for (const bytes of files.values()) {
    expect(contents.some((content) => content.equals(bytes))).toBe(true);
  }
  expect(after.output()).toContain('set aside a body that is not in the ledger');
  expect(await findProblems(await inspectData(dataDir))).toEqual([]);
  // The next crash loses nothing.
  await storeAndClaim(after.url, 3);
  await after.kill();
  const next = await startBuiltGateway(dataDir);
  expect(await readdir(join(dataDir, 'lost'))).toHaveLength(lost.length);
  expect(await next.stop()).toBe(0);
});

/** @returns how many bodies are noted as committed in a journal */
async function settledIn(path: string): Promise<number> {
  let count = 0;
  await using file = await open(path);
  for await (const item of scanJournal(file))
    if (item.kind === 'note') count += item.committed.length;
  return count;
}

it('starts with a journal of more than 2 GiB, as older versions could write it', async () => {
  await using folder = await temporaryDataFolder();
  const dataDir = join(folder.path, 'data');
  await mkdir(join(dataDir, 'journal'), { recursive: true });
  const path = join(dataDir, 'journal', '1');
  const record = (n: number): Buffer => {
    const bytes = patternBytes(5000 + n);
    const locator = `${'0'.repeat(31)}${String(n)}`;
    const header = { locator, size: bytes.length, md5: md5Hex(bytes) };
    return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), bytes]);
  };
  {
    await using file = await open(path, 'w');
    await file.write(record(1), 0, null, 0);
    // A hole, which needs no space on the disk; the record after it is found.
    await file.write(record(2), 0, null, 2.25 * 1024 ** 3);
  }
  const gateway = await startBuiltGateway(dataDir);
  expect(peakBytes(gateway.pid)).toBeLessThan(400 * 1024 * 1024);
  // The body has no row, and a journal with a hole is damaged.
  expect((await readdir(join(dataDir, 'lost'))).sort()).toEqual([
    `${'0'.repeat(31)}1`,
    `${'0'.repeat(31)}2`,
    'journal-1',
  ]);
  expect(await gateway.stop()).toBe(0);
  expect(await readdir(join(dataDir, 'journal'))).toEqual([]);
});

async function temporaryDataFolder(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await temporaryFolder();
  return { path: folder.path, [Symbol.asyncDispose]: () => folder.remove() };
}
