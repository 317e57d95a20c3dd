import { mkdir, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfig } from '../../src/config/config.ts';
import { backUpDataFolder } from '../../src/data-folder/backup.ts';
import { checkDataFolder } from '../../src/data-folder/check.ts';
import type { Finding } from '../../src/data-folder/check.ts';
import { openDataFolder, openQueries } from '../../src/data-folder/open.ts';
import { createGateway } from '../../src/gateway.ts';
import { wallClock } from '../../src/lib/clock.ts';
import { packageFilter, uploadFilter } from '../../src/operator/filters.ts';
import { bodiesOnDisk, temporaryFolder } from '../support/built-gateway.ts';
import { patternBytes } from '../support/bytes.ts';

const SMALL = patternBytes(1000);
const LARGE = patternBytes(600_000);

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dataDir: string;
let packageId: string;

async function* bytes(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body);
}

/** Creates a data folder with one small and one large upload; the small one is claimed. */
beforeEach(async () => {
  folder = await temporaryFolder();
  dataDir = join(folder.path, 'data');
  const gateway = await createGateway({ dataDir });
  const { key } = await gateway.uploads.deposit({ bytes: bytes(SMALL) });
  await gateway.uploads.deposit({ bytes: bytes(LARGE) });
  const outcome = await gateway.uploads.claim({ name: 'fw', destVersion: '1', files: [{ key }] });
  if (outcome.kind !== 'claimed') throw new Error(outcome.kind);
  packageId = outcome.package.id;
  await gateway.close();
});

afterEach(() => folder.remove());

async function check(path: string, options: { deep: boolean; repair: boolean }) {
  const findings: Finding[] = [];
  const report = await checkDataFolder(path, {
    ...options,
    clock: wallClock,
    onFinding: (finding) => findings.push(finding),
    onProgress: () => undefined,
  });
  return { report, kinds: findings.map(({ kind }) => kind).sort() };
}

describe('a data folder', () => {
  it('answers what operators ask, while its server is running and while it is not', async () => {
    const ask = async () => {
      await using folderQueries = await openQueries(parseConfig({ dataDir }));
      const { queries, viewer } = folderQueries;
      const { items } = await queries.listUploads(viewer, uploadFilter.parse({}));
      const packages = await queries.listPackages(viewer, packageFilter.parse({}));
      return { states: items.map(({ state }) => state), packages: packages.items.length };
    };
    const expected = { states: ['stored', 'claimed'], packages: 1 };
    expect(await ask()).toEqual(expected);
    await using gateway = await createGateway({ dataDir });
    expect(await ask()).toEqual(expected);
    expect(await gateway.uploads.packages()).toMatchObject([{ id: packageId }]);
  });

  it('has no findings when it is undamaged, and neither has its backup', async () => {
    const target = join(folder.path, 'made', 'backup');
    const copied = await backUpDataFolder(dataDir, target);
    expect(copied).toMatchObject({ uploads: 2, bytes: SMALL.length + LARGE.length, damage: [] });
    for (const path of [dataDir, target]) {
      const { kinds, report } = await check(path, { deep: true, repair: false });
      expect(kinds).toEqual([]);
      expect(report).toMatchObject({ uploads: 2, findings: 0, journals: 0 });
    }
    await expect(backUpDataFolder(dataDir, target)).rejects.toThrow('is not empty');
    expect((await readdir(join(folder.path, 'made'))).sort()).toEqual(['backup']);
  });

  it('reports damage, and repairs it as far as possible', async () => {
    const { objects } = await bodiesOnDisk(dataDir);
    await unlink(join(dataDir, 'objects', objects[0] ?? ''));
    await mkdir(join(dataDir, 'objects', '00'), { recursive: true });
    await writeFile(join(dataDir, 'objects', '00', `00${'0'.repeat(30)}`), 'an orphan');
    await writeFile(join(dataDir, 'objects', 'notes.txt'), 'not ours');
    const found = await check(dataDir, { deep: true, repair: false });
    expect(found.kinds).toEqual(['bodyWithoutRow', 'bytesMissing', 'strayFile']);
    await check(dataDir, { deep: false, repair: true });
    expect((await readdir(join(dataDir, 'lost'))).sort()).toEqual([
      `00${'0'.repeat(30)}`,
      'notes.txt',
    ]);
    const left = await check(dataDir, { deep: false, repair: false });
    expect(left.kinds).not.toContain('bodyWithoutRow');
    expect(left.kinds).not.toContain('strayFile');
  });

  it('returns its packages and signs their downloads, and refuses an address that no client can call', async () => {
    await using opened = await openDataFolder(parseConfig({ dataDir }));
    const found = await opened.findPackage(packageId);
    expect(found).toMatchObject({ name: 'fw', accountId: 'default' });
    expect(await opened.findPackage('none')).toBeUndefined();
    const key = found?.files[0]?.key ?? '';
    expect(opened.downloadUrl(key, 4e12)).toContain(`http://127.0.0.1:9070/${key}?`);
    await using anywhere = await openDataFolder(parseConfig({ dataDir, host: '0.0.0.0' }));
    expect(() => anywhere.downloadUrl(key, 4e12)).toThrow(
      'publicUrl: clients cannot connect to 0.0.0.0:9070',
    );
    await expect(openDataFolder(parseConfig({ dataDir: folder.path }))).rejects.toThrow(
      'holds no ledger',
    );
  });
});
