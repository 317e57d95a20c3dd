import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { patternBytes } from '../../support/bytes.ts';
import { startBuiltGateway, temporaryFolder } from '../../support/built-gateway.ts';
import { claim, download, grantFrom, post } from '../../support/loop.ts';
import { findFaults, survey } from './survey.ts';

jest.setTimeout(60_000);

// A power cut takes what was written and not flushed. Of a small body only its record in the journal was.

it('gives back small files whose own bytes a power cut has taken', async () => {
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
  const { bodies } = await survey(dataDir);
  for (const path of bodies.values()) await truncate(path, 0);

  const after = await startBuiltGateway(dataDir);
  for (const [id, bytes] of files) {
    expect((await download(after.url, id)).equals(bytes)).toBe(true);
  }
  expect(await findFaults(await survey(dataDir))).toEqual([]);
  expect(await after.stop()).toBe(0);
  expect(await readdir(join(dataDir, 'journal'))).toEqual([]);
});

it('flushes the files of a journal before it lets go of it', async () => {
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
  expect(await findFaults(await survey(dataDir))).toEqual([]);
});

async function temporaryDataFolder(): Promise<{ path: string } & AsyncDisposable> {
  const folder = await temporaryFolder();
  return { path: folder.path, [Symbol.asyncDispose]: () => folder.remove() };
}
